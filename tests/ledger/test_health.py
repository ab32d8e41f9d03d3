"""What the doctor asks of a ledger is answered alike by SQLite and PostgreSQL."""

from __future__ import annotations

from rotator import clock, seal
from rotator.credential import Secret
from rotator.dispatcher import LEADER
from rotator.ledger import health, tables
from rotator.ledger.due import DueWork
from rotator.ledger.timekeeping import JUMP_S


def test_a_clock_that_goes_with_the_ledgers_is_not_apart_from_it_and_one_that_is_behind_is(database, monkeypatch):
    assert abs(health.clock_ahead_s(database)) < JUMP_S
    monkeypatch.setattr(clock.now, "begins_at", clock.now.begins_at - 100)
    assert health.clock_ahead_s(database) > 100 - JUMP_S


def test_the_beat_moves_with_who_leads(database):
    assert health.beat(database) is None
    due = DueWork(database)
    due.lead(LEADER, "a:1", None)
    first = health.beat(database)
    assert health.beat(database) == first
    due.lead(LEADER, "a:1", None)
    assert health.beat(database) != first


def test_only_the_key_that_sealed_opens(database):
    mine, other = (seal.from_text(letter * 43 + "=") for letter in "AE")
    assert health.sealed_by_another(database, mine) == 0
    with database.write() as connection:
        incident = {"id": "inc-1", "title": "", "severity": "low", "detected_at": 1, "declared_at": 1}
        connection.execute(tables.incident.insert().values(**incident, plan_digest="0"))
        run = {"provider": "k", "connection": "c", "owner": "o", "credential": "i", "kind": "k", "priority": 1.0}
        run |= {"id": "inc-1.r1", "incident": "inc-1", "strategy": "s", "why": "", "deliver": "[]", "consumers": "[]"}
        connection.execute(tables.run.insert().values(run))
        blob = mine.close(Secret("canary"), "inc-1.r1")
        connection.execute(tables.sealed.insert().values(run="inc-1.r1", blob=blob, expires_at=9e9))
    assert health.sealed_by_another(database, mine) == 0
    assert health.sealed_by_another(database, other) == 1
    with database.write() as connection:
        connection.execute(tables.run.insert().values({**run, "id": "inc-1.r2", "credential": "j"}))
        later = other.close(Secret("canary"), "inc-1.r2")
        connection.execute(tables.sealed.insert().values(run="inc-1.r2", blob=later, expires_at=9e10))
    assert (health.sealed_by_another(database, mine), health.sealed_by_another(database, other)) == (1, 1)

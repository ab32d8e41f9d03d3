"""A process that freezes, or is cut off, inside a transaction: PostgreSQL ends it, and till then nobody waits in vain.

What it held it seems to hold for ever: SIGSTOP, a hung machine and a cut line look alike to the server.
"""

from __future__ import annotations

import contextlib
import threading

import pytest
from sqlalchemy import select, text, update

from rotator.dispatcher import LEADER
from rotator.flow.budget import FAILURES, FIRST_PROBE_S
from rotator.flow.playbook_words import Strategy
from rotator.ledger import accounts, fenced, outbox, tables
from rotator.ledger import database as databases
from rotator.ledger.database import Database, LedgerFailed
from rotator.ledger.working import WorkingLedger
from tests.fakes.company import founded
from tests.fakes.deployment import SEAL, emptied

ROW = update(tables.leader).values(beat=tables.leader.c.beat + 1)
BEATS = select(tables.leader.c.beat)


@pytest.fixture
def opened(postgresql, monkeypatch):
    """Open the production ledger with times of one's own."""
    with contextlib.ExitStack() as stack:

        def open_with(**times):
            for name, seconds in times.items():
                monkeypatch.setattr(databases, name, seconds)
            database = Database(postgresql)
            stack.callback(database.close)
            return database

        kept = open_with()
        kept.migrate()
        emptied(kept)
        with kept.write() as connection:
            connection.execute(tables.leader.insert().values(name="dispatcher", holder="ann", beat=1))
        yield open_with


@contextlib.contextmanager
def cut_off(database, statement):
    """Hold what a statement wrote, in a transaction that goes no further until the block ends."""
    with database.engine.connect() as connection:
        connection.execute(statement)
        yield connection


def test_who_waits_for_one_that_was_cut_off_gets_through_and_the_cut_off_one_is_told(opened):
    database = opened(IDLE_S=1, WAIT_S=60)
    with cut_off(database, ROW) as frozen:
        with database.write() as connection:
            connection.execute(ROW)
        with pytest.raises(LedgerFailed):
            frozen.execute(ROW)
    # Its connection is thrown away, and what it wrote is undone.
    with database.read() as connection:
        assert connection.execute(BEATS).scalar() == 2


def test_a_worker_that_wakes_after_its_transaction_was_ended_tells_the_engine(opened, monkeypatch, tmp_path):
    database = opened(IDLE_S=1, WAIT_S=60)
    company, deployment = founded(tmp_path, database=database)
    deployment.start([company.stolen("aws_iam_access_key")[0]], wanted=Strategy.REVOKE_ONLY)
    [(branch, _)] = deployment.due.take_due(10)
    write, met = fenced.write, threading.Event()

    def frozen(connection, *rest):
        monkeypatch.undo()
        written = write(connection, *rest)
        with database.write() as other:  # waits until the server has ended the frozen one
            other.execute(update(tables.branch).values(priority=0.0))
        met.set()
        return written

    monkeypatch.setattr(fenced, "write", frozen)
    deployment.engine().advance(branch)
    assert met.is_set()
    [claim] = deployment.due.claims()
    assert deployment.due.free(claim)
    deployment.rest()
    assert {step.state.value for record in deployment.record().runs for step in record.steps} == {"done"}


def test_nobody_waits_longer_than_he_is_told_for_what_is_held(opened):
    database = opened(IDLE_S=60, WAIT_S=1)
    with cut_off(database, ROW), pytest.raises(LedgerFailed), database.write() as connection:
        connection.execute(ROW)
    with database.write() as connection:
        assert connection.execute(ROW).rowcount == 1


def test_a_migration_waits_for_another_however_long_it_takes(opened):
    database = opened(IDLE_S=60, WAIT_S=1)
    with database.write() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '0000'"))
    told = []

    def migrate():
        try:
            database.migrate()
        except LedgerFailed as error:
            told.append(error)

    other = threading.Thread(target=migrate)
    waits = text(
        "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'advisory' AND now() - query_start > '1.5 s'"
    )
    with cut_off(database, text("SELECT pg_advisory_xact_lock(491286114)")) as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = :head"), {"head": databases.HEAD})
        other.start()
        with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as watching:
            while other.is_alive() and not watching.execute(waits).scalar():
                pass
        connection.commit()
    other.join()
    assert told == []


def test_a_claim_whose_row_is_held_is_freed_at_a_later_tick(opened, tmp_path):
    company, deployment = founded(tmp_path, database=opened(IDLE_S=60, WAIT_S=1))
    deployment.start([company.stolen("aws_iam_access_key")[0]], wanted=Strategy.REVOKE_ONLY)
    [(branch, _)] = deployment.due.take_due(10)
    assert WorkingLedger(deployment.database, SEAL, deployment.world.now).claim(branch, "frozen")
    [claim] = deployment.due.claims()
    with cut_off(deployment.database, update(tables.branch).values(beat=tables.branch.c.beat + 1)):
        assert not deployment.due.free(claim)
    assert deployment.due.free(claim)


@pytest.mark.parametrize("holds", ["shared", "written"])
def test_who_would_lead_does_not_wait_for_one_that_holds_the_lease(opened, tmp_path, holds):
    _, deployment = founded(tmp_path, database=opened(IDLE_S=60, WAIT_S=1))
    lead, seen = deployment.due.lead, ("ann", 1)
    with deployment.database.engine.connect() as connection:
        if holds == "shared":
            assert outbox.leads(connection, (LEADER, "ann"))
        else:
            connection.execute(ROW)
        assert lead(LEADER, "ben", seen) == seen
        assert lead(LEADER, "ann", None) == seen
    assert lead(LEADER, "ben", seen) == ("ben", 2)


def test_what_an_address_says_of_its_own_connection_goes_first(postgresql):
    database = Database(f"{postgresql}&application_name=mine&connect_timeout=3&options=-csearch_path%3Dpg_catalog")
    with database.read() as connection:
        parameters = connection.connection.dbapi_connection.info.get_parameters()
        path, wait = connection.execute(
            text("SELECT current_setting('search_path'), current_setting('lock_timeout')")
        ).one()
    database.close()
    assert (parameters["connect_timeout"], parameters["tcp_user_timeout"]) == ("3", "30000")
    assert (path, wait) == ("pg_catalog", f"{databases.WAIT_S}s")


def test_a_probe_that_could_not_be_sent_is_still_to_be_made(opened, tmp_path):
    company, deployment = founded(tmp_path, database=opened())
    deployment.start([company.stolen("aws_iam_access_key")[0]], wanted=Strategy.REVOKE_ONLY)
    with deployment.database.write() as connection:
        connection.execute(update(tables.branch).values(account="acme"))
    for _ in range(FAILURES):
        now = deployment.world.now()
        accounts.note(deployment.database, "acme", now, failed=True, throttled=False, retry_after=None)
    assert deployment.due.take_due(10) == []
    deployment.world.wait_until(deployment.world.now() + FIRST_PROBE_S)
    with cut_off(deployment.database, update(tables.branch).values(priority=0.0)):
        assert deployment.due.take_due(10) == []
    [account] = deployment.rows("account")
    assert (account["probes"], account["counted"]) == (0, 0.0)
    assert [sent for sent, _ in deployment.due.take_due(10)] == ["inc-1.r1.0.0"]
    [account] = deployment.rows("account")
    assert account["probes"] == 1

"""Two people on one incident at once come one after the other: on a real PostgreSQL, neither waits for ever."""

from __future__ import annotations

import threading

import pytest
from sqlalchemy import insert, text

from rotator.flow.playbook_words import Strategy
from rotator.ledger import gates, run_at_hand, tables
from rotator.ledger.database import Database
from tests.fakes.company import founded
from tests.fakes.deployment import emptied

KEY = "aws_iam_access_key"
RUN = "inc-1.r1"
LOOKS = 20_000


@pytest.fixture
def scheduled(postgresql, tmp_path):
    """Respond, until the destruction waits at a gate: a legal hold is on."""
    database = Database(postgresql)
    database.migrate()
    company, deployment = founded(tmp_path, database=emptied(database))
    stolen, _ = company.stolen(KEY)
    deployment.start([stolen], wanted=Strategy.CONTAIN_FIRST)
    deployment.gates.set("inc-1", "no_legal_hold", "ann", "lawyers", is_open=False)
    deployment.rest()
    assert deployment.gates.of("inc-1")[1].waiting == 1
    yield deployment
    database.close()


def acts(deployment):
    shown = deployment.hands.undoing(RUN, "contain")
    return {
        "gate": lambda: deployment.gates.set("inc-1", "no_legal_hold", "bob", "lifted", is_open=True),
        "skip": lambda: deployment.hands.decide(RUN, "destroy", skip=True, by="ann", reason="keep it"),
        "undo": lambda: deployment.hands.undo(RUN, "contain", "ann", "a false alarm", shown),
        "compare": lambda: compared(deployment),
        "stop": lambda: deployment.stops.stop("inc-1", "bob", "look first", ()),
    }


def compared(deployment):
    """Have the run compared, as a dispatcher does once a lost claim has noted its mint."""
    with deployment.database.write() as connection:
        noted = {"run": RUN, "credential": "KEY9", "at": deployment.world.now()}
        connection.execute(insert(tables.late).values(noted))
    assert deployment.due.compare_late() == 1


def somebody_waits(database):
    """Tell whether a transaction waits for what another has locked."""
    with database.engine.connect() as connection:
        waiting = text(
            "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
        )
        return connection.execute(waiting).scalar_one() > 0


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("gate", "skip"),
        ("gate", "undo"),
        ("skip", "gate"),
        ("undo", "gate"),
        ("undo", "stop"),
        ("undo", "compare"),
        ("stop", "skip"),
    ],
)
def test_neither_of_two_people_meets_a_deadlock(scheduled, monkeypatch, first, second):
    """The first one is kept in the middle of its act until the second one waits for what it has locked."""
    deployment, wanted = scheduled, acts(scheduled)
    inside, mine, told = threading.Event(), threading.local(), {}

    def keep(found):
        if getattr(mine, "is_first", False) and not inside.is_set():
            inside.set()
            assert any(somebody_waits(deployment.database) for _ in range(LOOKS))
        return found

    look, find, note = run_at_hand.look, gates.find_gates, deployment.stops._note
    monkeypatch.setattr(run_at_hand, "look", lambda *given: keep(look(*given)))
    monkeypatch.setattr(gates, "find_gates", lambda *given: keep(find(*given)))
    monkeypatch.setattr(deployment.stops, "_note", lambda *given: keep(note(*given)))

    def act(name, is_first):
        mine.is_first = is_first
        if not is_first:
            assert inside.wait(timeout=30)
        try:
            told[name] = wanted[name]()
        except Exception as error:  # noqa: BLE001 - whatever it is, it is looked at
            told[name] = error
            inside.set()

    people = [threading.Thread(target=act, args=each) for each in ((first, True), (second, False))]
    for each in people:
        each.start()
    for each in people:
        each.join(timeout=60)
    assert {name: found for name, found in told.items() if isinstance(found, Exception)} == {}
    assert set(told) == {first, second}

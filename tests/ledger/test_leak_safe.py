"""A mint waits exactly as long as another stolen credential may read what it makes: a ledger against a count."""

from __future__ import annotations

import random
from dataclasses import dataclass

import pytest
from sqlalchemy import insert, select

from rotator.claims import LEAK_SAFE
from rotator.credential import CredentialRef
from rotator.flow.playbook_words import Strategy
from rotator.flow.run import Run
from rotator.ledger import joining, tables
from rotator.ledger.database import Database
from rotator.ledger.due import DueWork
from rotator.ledger.working import WorkingLedger
from rotator.seal import Seal


@dataclass
class Story:
    """Two incidents: what each run delivers to, what each credential reads while it lives, and who waits."""

    name: str
    delivers: dict[str, set[str]]
    reads: dict[str, set[str]]
    living: set[str]
    waiting: set[str]

    def blocked(self, run: str) -> bool:
        return any(self.reads[other] & self.delivers[run] for other in self.living - {run})


def story(seed: int) -> Story:
    """Make one up in which whoever waits has a reason to."""
    chance = random.Random(seed)
    places = [f"s{seed}-c{number}" for number in range(chance.randint(1, 4))]
    runs = [f"s{seed}-{chance.randint(1, 2)}.r{number}" for number in range(chance.randint(1, 6))]

    def some() -> set[str]:
        return set(chance.sample(places, chance.randint(1, len(places))))

    made = Story(f"s{seed}", {run: some() for run in runs}, {run: some() for run in runs}, set(), set())
    made.living = {run for run in runs if chance.random() < 0.6}
    made.waiting = {run for run in runs if made.blocked(run) and chance.random() < 0.8}
    return made


@pytest.fixture(scope="module")
def database(tmp_path_factory):
    made = Database(f"sqlite:///{tmp_path_factory.mktemp('ledger')}/ledger.db")
    made.migrate()
    yield made
    made.close()


def written(database, told):
    run = {"provider": "p", "connection": "c", "owner": "o", "kind": "k", "why": "", "priority": 1.0}
    texts = {"strategy": "contain_first", "deliver": "[]", "consumers": "[]"}
    branch = {"segment": 0, "target": "", "quorum": 100, "lane": "replace", "priority": 1.0}
    with database.write() as connection:
        incident = {"title": "t", "severity": "high", "detected_at": 0.0, "declared_at": 0.0, "approved_at": 1.0}
        for each in {incident_of(name) for name in told.delivers}:
            connection.execute(insert(tables.incident).values(id=each, **incident, plan_digest=""))
        for name in told.delivers:
            mine = {"incident": incident_of(name), "credential": name}
            connection.execute(insert(tables.run).values(id=name, **mine, **run, **texts))
            waits = name in told.waiting
            connection.execute(
                insert(tables.branch).values(
                    id=f"{name}.0",
                    run=name,
                    incident=incident_of(name),
                    state="held" if waits else "waiting",
                    reason=LEAK_SAFE if waits else None,
                    **branch,
                )
            )
            for place in told.delivers[name]:
                connection.execute(insert(tables.delivery).values(run=name, connection=place))
            for place in told.reads[name]:
                is_open = int(name in told.living)
                connection.execute(
                    insert(tables.reach).values(run=name, connection=place, incident=incident_of(name), open=is_open)
                )
    return told


def incident_of(run):
    return run.partition(".")[0]


def run_of(name):
    ref = CredentialRef("p", "c", "o", name)
    return Run(name, incident_of(name), ref, "k", Strategy.CONTAIN_FIRST, "", 1.0, contained_at=5.0)


def woken(database, told):
    branch = tables.branch
    query = select(branch.c.run).where(branch.c.run.in_(list(told.delivers)), branch.c.state == "open")
    with database.read() as connection:
        return set(connection.execute(query).scalars())


def ledger_of(database):
    return WorkingLedger(database, Seal(bytes(32)), lambda: 9.0)


@pytest.mark.parametrize("seed", range(40))
def test_the_commit_that_contains_the_last_reader_wakes_who_waited_for_it_in_its_incident(database, seed):
    told = written(database, story(seed))
    for name in sorted(told.living):
        with database.write() as connection:
            joining.close_reach(connection, run_of(name))
        told.living.remove(name)
        safe = {each for each in told.waiting if not told.blocked(each)}
        mine = {each for each in safe if incident_of(each) == incident_of(name)}
        assert mine <= woken(database, told) <= safe
        DueWork(database, lambda: 9.0).wake_leak_safe()  # the dispatcher looks after the other incident
        assert woken(database, told) == safe


@pytest.mark.parametrize("seed", range(100, 120))
def test_a_mint_asks_whether_another_reads_what_it_makes(database, seed):
    told, ledger = written(database, story(seed)), ledger_of(database)
    for name in told.delivers:
        assert ledger.has_open_readers(run_of(name)) == told.blocked(name)


def test_the_dispatcher_wakes_who_began_to_wait_as_the_last_reader_was_contained(database):
    late = Story("late", {"late.r0": {"c"}, "late.r1": {"c"}}, {"late.r0": {"c"}, "late.r1": {"c"}}, set(), {"late.r0"})
    written(database, late)
    due = DueWork(database, lambda: 9.0)
    assert due.busy_until(0.0)
    assert due.wake_leak_safe() == 1
    assert woken(database, late) == {"late.r0"}
    assert due.wake_leak_safe() == 0

"""In whatever order a vendor is paused, incidents declared, merged, approved and stopped, it gets nothing new."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from rotator.claims import PAUSED
from rotator.errors import BadInput
from rotator.flow.playbook_words import Strategy
from tests.fakes.company import founded
from tests.fakes.deployment import broken_chains, emptied, sqlite
from tests.ledger.test_pauses import begun, held, made, registered, restored

MINE, THEIRS = "inc-1", "inc-9"


@pytest.fixture(scope="module")
def ledger(tmp_path_factory):
    database = sqlite(tmp_path_factory.mktemp("any-order") / "ledger.db")
    yield database
    database.close()


class Told:
    """Two vendors hold one key: the plan of an incident names the one, the other is paused. What people do to both."""

    def __init__(self, folder, database):
        self.company, self.deployment = founded(folder, database=emptied(database))
        registered(self.deployment, "acme", "beta")
        self.stolen = held(self.company, vendor="acme")
        self.before, self.declared = [], set()

    @property
    def is_paused(self):
        return THEIRS in self.declared

    def declare(self):
        self._declared(MINE, Strategy.CONTAIN_FIRST)

    def pause(self):
        if not self.is_paused:
            self._declared(THEIRS, Strategy.REVOKE_ONLY)
            begun(self.deployment, "beta", THEIRS, self.stolen.ref)
            self.before = made(self.company)

    def approve(self, incident):
        record = self.deployment.record(incident)
        self.deployment.enrolment.approve(incident, record.plan_digest, by="ana")

    def merge(self, source, target):
        self.deployment.enrolment.merge(source, target, "ana")

    def stop(self):
        self.deployment.stops.stop(None, "ana", "wait", ())

    def go_on(self):
        self.deployment.stops.lift(None, "ana", "go on", ())

    def work(self):
        self.deployment.rest()

    def _declared(self, incident, strategy):
        if incident not in self.declared:
            self.deployment.declare([self.stolen], wanted=strategy, incident=incident)
            self.declared.add(incident)


ACTS = {
    "declare": Told.declare,
    "pause": Told.pause,
    "approve mine": lambda told: told.approve(MINE),
    "approve theirs": lambda told: told.approve(THEIRS),
    "merge theirs into mine": lambda told: told.merge(THEIRS, MINE),
    "merge mine into theirs": lambda told: told.merge(MINE, THEIRS),
    "stop": Told.stop,
    "go on": Told.go_on,
    "work": Told.work,
}


@example(acts=["declare", "pause", "approve mine", "merge theirs into mine", "work"])
@given(acts=st.permutations([*ACTS, "work", "approve mine"]))
@settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_nothing_is_made_for_whom_is_paused_whatever_people_do_meanwhile_and_goes_on_afterwards(tmp_path, ledger, acts):
    told = Told(tmp_path, ledger)
    for act in acts:
        with contextlib.suppress(BadInput, IndexError, LookupError):  # what is refused then, people leave
            ACTS[act](told)
    told.declare()
    told.pause()
    with contextlib.suppress(BadInput):
        told.go_on()
    for incident in (MINE, THEIRS):
        with contextlib.suppress(BadInput):
            told.approve(incident)
    told.work()
    assert made(told.company) == told.before
    restored(told.deployment, "beta")
    told.work()
    assert not any((row["reason"] or "").startswith(PAUSED) for row in told.deployment.rows("step"))
    assert broken_chains(told.deployment) == []

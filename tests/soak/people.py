"""Other people: who declares and approves, the thief, and who acts on the same credentials at the same time."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterable
from typing import Any

from rotator.errors import BadInput
from rotator.flow.apart import is_long_after
from rotator.flow.exposure import Disposition
from rotator.flow.playbook_words import Strategy
from rotator.flow.run import THROUGH, StepState
from rotator.ports.provider import State
from rotator.ports.store import Place
from tests.fakes.deployment import Deployment
from tests.soak.estate import Case, Estate, Stolen
from tests.soak.faults import PEOPLE, Faults
from tests.soak.world import SoakWorld

SUSPENDABLE = {"aws_iam_access_key", "acme_api_token"}
SESSIONS = {"aws_iam_access_key", "ssh_authorized_key"}


class People:
    """Everybody but the rotator. `stir` tells that something moved."""

    def __init__(  # noqa: PLR0917 - where they act
        self,
        world: SoakWorld,
        estate: Estate,
        deployment: Deployment,
        faults: Faults,
        die: random.Random,
        doubts: random.Random,
    ) -> None:
        self._world, self._estate, self._deployment, self._faults, self._die = world, estate, deployment, faults, die
        self._cases: dict[str, tuple[Case, Stolen]] = {}
        self._doubts = doubts
        self.stir: Callable[[], None] = lambda: None
        self.busy = 0
        self.changed_when_finished: set[str] = set()
        world.told.append(self._see)

    def declare(self, case: Case) -> None:
        """Plan and declare an incident."""
        found = [each.scoped for each in case.stolen]
        plan = self._deployment.declare(found, case.manual, wanted=case.wanted, incident=case.id)
        case.strategies = {run.ref.id: run.strategy for run in plan.runs}
        self.know(case, case.stolen)

    def know(self, case: Case, some: Iterable[Stolen]) -> None:
        """Know whose these are, that an incident has now."""
        for stolen in some:
            self._cases[stolen.ref.id] = case, stolen
            for place in stolen.scoped.custody.deliver:
                self._cases[f"{place.connection}:{place.name}"] = case, stolen

    def approve(self, case: Case) -> None:
        """Approve the plan; where an incident that was approved since has made it stale, declare and approve again."""
        try:
            self._say_yes(case)
        except BadInput:
            case.id = f"inc-{case.number}-again"
            for stolen in case.stolen:
                self._world.dismissed.discard(stolen.ref.id)
            self.declare(case)
            self._say_yes(case)

    def _say_yes(self, case: Case) -> None:
        self._deployment.enrolment.approve(case.id, self._deployment.record(case.id).plan_digest, by="test")

    def plan_mischief(self, case: Case) -> None:
        """Decide who will act on which credential at any time."""
        acts = (
            ("sibling made by a person", self._make_sibling),
            ("store changed by another hand", self._change_store),
            ("key resumed by a person", self._resume),
        )
        for stolen in case.stolen:
            for kind, act in acts:
                if self._die.random() < PEOPLE[kind]:
                    self._later(self._die.uniform(1.0, 200.0), kind, act, stolen)
            if self._doubts.random() < PEOPLE["exposure dismissed"]:
                self._later(self._doubts.uniform(0.0, 40.0), "exposure dismissed", self._dismiss, stolen)

    def _dismiss(self, stolen: Stolen) -> bool:
        """Say that it is bait of ours, as far as that is still taken; mostly be told, and open it again."""
        case, name = self._cases[stolen.ref.id][0], stolen.ref.id
        try:
            run = self._deployment.dismissing.named(case.id, name).id
            self._deployment.dismissing.dismiss(case.id, run, Disposition.CANARY, "ann", "our bait")
        except BadInput:
            return False
        self._world.dismissed.add(name)
        if self._doubts.random() < 0.7:
            self.busy += 1
            self._later(self._doubts.uniform(1.0, 120.0), "exposure opened again", self._open_again, stolen)
        return True

    def _open_again(self, stolen: Stolen) -> bool:
        """Take that back; what nobody approved is approved now, and what cannot be opened stays as it is."""
        self.busy -= 1
        case, name = self._cases[stolen.ref.id][0], stolen.ref.id
        if name not in self._world.dismissed:
            return False
        try:
            run = self._deployment.dismissing.named(case.id, name).id
            told = self._deployment.dismissing.reopen(case.id, run, "ben", "it is real")
        except BadInput:
            return False
        self._world.dismissed.discard(name)
        self._world.opened_at[name] = self._world.clock()
        if told.digest and self._deployment.record(case.id).approved_at is not None:
            self._say_yes(case)
        return True

    def _see(self, what: str, about: str, _answer: Any) -> None:
        """Act at the worst moment: between stage and promote, and while a refusal settles."""
        case, stolen = self._cases.get(about.partition("@")[0], (None, None))
        if case is None or stolen is None:
            return
        self._come_back(stolen)
        if what == "store.stage" and self._die.random() < PEOPLE["store changed by another hand"]:
            self._later(self._die.uniform(0.0, 1.0), "store changed by another hand", self._change_store, stolen)
        if what == "store.promote" and self._die.random() < 3 * PEOPLE["store changed by another hand"]:
            self._later(self._die.uniform(0.0, 5.0), "store changed by another hand", self._change_store, stolen)
        if what == "issuer.suspend" and self._die.random() < 10 * PEOPLE["key resumed by a person"]:
            self._later(self._die.uniform(0.2, 6.0), "key resumed by a person", self._resume_and_repent, stolen)

    def _come_back(self, stolen: Stolen) -> None:
        """Let the thief in again at once, wherever his key still opens."""
        name, world = stolen.ref.id, self._world
        if stolen.ref.provider not in SESSIONS or name in world.resumed or not world.may_open(name):
            return
        self._faults.count("thief came back")
        kept = world.credentials()[name]
        for door in kept["doors"].values():
            door["sessions"] = max(door["sessions"], int(door["open"]))
        if "sessions" in kept:
            kept["sessions"] = 1

    def _later(self, seconds: float, kind: str, act: Callable[[Stolen], bool], stolen: Stolen) -> None:
        def happen() -> None:
            if act(stolen):
                self._faults.count(kind)
                self._world.trace.append((self._world.now(), "a person", kind, str(stolen.ref), ""))
                self.stir()

        self._world.stage.after(seconds, happen)

    def _make_sibling(self, stolen: Stolen) -> bool:
        """Make another credential of the same owner, and mostly use it at once."""
        if stolen.ref.provider == "ssh_authorized_key":
            ref, _ = self._estate.doors.plant(stolen.ref.owner)
        else:
            issuer = self._estate.issuers[stolen.ref.provider]
            with self._world.open() as state:
                ref, _ = issuer.make(state, stolen.ref.owner, state["now"])
                if self._die.random() < 0.8:
                    state["credentials"][ref.id]["last_used_at"] = str(state["now"])
        self._world.persons.add(ref.id)
        return True

    def _change_store(self, stolen: Stolen) -> bool:
        """Write another value where the replacement goes or went."""
        places = stolen.scoped.custody.deliver
        if not places:
            return False
        place = self._die.choice(places)
        document = json.dumps({"id": f"by-hand-{self._world.number()}"})
        self._estate.outside.stores[place.connection].put(place.name, document)  # type: ignore[attr-defined]
        if self._is_finished(stolen, place):
            self.changed_when_finished.add(str(place))
        return True

    def _is_finished(self, stolen: Stolen, place: Place) -> bool:
        """Tell whether the rotator has nothing more to do there, so that it cannot see what comes."""
        case, _ = self._cases[stolen.ref.id]
        runs = [each for each in _runs(self._deployment.record(case.id)) if place in each.run.deliver]
        # The last comparison may have read the place already; the one of a day later looks at no place at all.
        looking = StepState.RUNNING
        return all(
            step.state in THROUGH or is_long_after(step) or (step.name, step.state) == ("compare_last", looking)
            for each in runs
            for step in each.steps
        )

    def _resume(self, stolen: Stolen) -> bool:
        """Start a suspended key again, as somebody does whose job broke."""
        case, _ = self._cases[stolen.ref.id]
        if (
            stolen.scoped.reaches
            or stolen.ref.provider not in SUSPENDABLE
            or case.strategies[stolen.ref.id] is Strategy.CUT_ONLY
        ):
            return False
        if not self._turn(stolen, State.SUSPENDED, State.ACTIVE):
            return False
        self._world.resumed[stolen.ref.id] = self._world.now()
        return True

    def _resume_and_repent(self, stolen: Stolen) -> bool:
        """Start it again, be told, and stop it again, soon after; some never do."""
        if not self._resume(stolen):
            return False
        if self._die.random() < 0.9:
            self._world.stage.after(self._die.uniform(8.0, 60.0), lambda: self._repent(stolen))
        return True

    def _repent(self, stolen: Stolen) -> None:
        if self._turn(stolen, State.ACTIVE, State.SUSPENDED):
            self._world.repented[stolen.ref.id] = self._world.now()

    def _turn(self, stolen: Stolen, old: State, new: State) -> bool:
        with self._world.open() as state:
            found = state["credentials"][stolen.ref.id]
            if found["state"] != old.value:
                return False
            self._estate.issuers[stolen.ref.provider].turn(state, found, new)
        return True


def _runs(record: Any) -> list[Any]:
    """Return the runs of an incident, and of what was merged into it."""
    return [*record.runs, *(each for one in record.merged for each in _runs(one))]

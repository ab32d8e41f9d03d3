"""Who lets incidents grow: a further report comes while the first is worked off, and two incidents become one."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from functools import partial

from rotator.errors import BadInput
from rotator.flow.plan import make
from rotator.flow.revision import Grown
from rotator.ledger.growing import More
from tests.fakes.deployment import PLAYBOOKS, Deployment
from tests.soak.estate import Case, Estate, Stolen
from tests.soak.faults import PEOPLE, Faults
from tests.soak.world import SoakWorld


class Growth:
    """Adds what was reported later, and merges. `busy` counts what is still to come; `stir` tells that it has.

    `told` hear what of an incident is planned then.
    """

    def __init__(  # noqa: PLR0917 - where they act
        self,
        world: SoakWorld,
        estate: Estate,
        deployment: Deployment,
        faults: Faults,
        die: random.Random,
        holds: random.Random,
    ) -> None:
        self._holds = holds
        self._world, self._estate, self._deployment, self._faults, self._die = world, estate, deployment, faults, die
        self.busy = 0
        self.stir: Callable[[], None] = lambda: None
        self.told: list[Callable[[Case, Sequence[Stolen]], None]] = []

    def hold_back(self, case: Case) -> None:
        """Leave an owner out of the first report of some incidents; it comes with a second one."""
        owners = list(dict.fromkeys(each.ref.owner for each in case.stolen))
        if len(owners) < 2 or self._die.random() >= PEOPLE["report added"]:
            return
        later = [each for each in case.stolen if each.ref.owner == owners[-1]]
        case.stolen[:] = [each for each in case.stolen if each.ref.owner != owners[-1]]
        self._later(1.0, 40.0, lambda: self._add(case, later))

    def plan_merge(self, case: Case) -> None:
        """Have some be merged into an earlier one of the night."""
        others = [each for each in self._estate.cases if each is not case]
        if others and self._die.random() < PEOPLE["incidents merged"]:
            other = self._die.choice(others)
            self._later(0.0, 40.0, lambda: self._merge(case, other))

    def plan_hold(self, case: Case) -> None:
        """Have some be declared a second time, where somebody keeps it under a legal hold until he is through."""
        die = self._holds
        if die.random() >= PEOPLE["held in another incident"]:
            return
        stolen, held = die.choice(case.stolen), f"{case.id}-held"
        self._deployment.declare([stolen.scoped], incident=held)
        self._deployment.gates.set(held, "no_legal_hold", "ann", "the police", is_open=False)
        self._faults.count("held in another incident")
        lift = partial(self._deployment.gates.set, held, "no_legal_hold", "ann", "they are through", is_open=True)
        self._later(100.0, 20 * 86400.0, lift)

    def _later(self, least_s: float, most_s: float, act: Callable[[], object]) -> None:
        self.busy += 1

        def happen() -> None:
            self.busy -= 1
            act()
            self.stir()

        self._world.stage.after(self._die.uniform(least_s, most_s), happen)

    def _add(self, case: Case, later: Sequence[Stolen]) -> None:
        """Add them; where the first report was approved, approve them too, planned once more if they are stale."""
        self._plan(case, later)
        case.stolen += later
        self._world.opened_at |= {each.ref.id: self._world.clock() for each in later}
        for each in self.told:
            each(case, later)
        self._faults.count("report added")
        if self._deployment.record(case.id).approved_at is None:
            return
        try:
            self._approve(case)
        except BadInput:
            self._plan(case, later)
            self._approve(case)

    def _plan(self, case: Case, later: Sequence[Stolen]) -> None:
        deployment = self._deployment
        present = deployment.enrolment.present(case.id)
        new = present.grown(Grown(tuple(each.scoped for each in later), ())).scoped
        provider = deployment.outside.provider
        doors = {each.ref: provider(each.ref) for each in new}
        plan = make(
            new,
            (),
            PLAYBOOKS,
            {ref: tuple(each.targets(ref)) for ref, each in doors.items() if hasattr(each, "targets")},
            wanted=case.wanted,
            answered=deployment.reading.answered({each.ref: each.custody.deliver for each in new}, case.id),
            elsewhere=deployment.reading.elsewhere(case.id),
        )
        materials = {each.ref: each.leaked.secret for each in new if each.leaked.secret}
        exposures = {each.ref: each.exposures for each in new}
        more = More(plan, materials, exposures, {}, {}, (), {}, deployment.world.now())
        deployment.enrolment.add(present, more, by="ann")
        case.strategies |= {run.ref.id: run.strategy for run in plan.runs}

    def _approve(self, case: Case) -> None:
        self._deployment.enrolment.approve(case.id, self._deployment.record(case.id).plan_digest, by="test")

    def _merge(self, case: Case, other: Case) -> None:
        """Merge, as far as that is taken; who approves what is left of it approves it as the other one's."""
        try:
            self._deployment.enrolment.merge(case.id, other.id, by="ann")
        except BadInput:
            return
        case.id = other.id
        self._faults.count("incidents merged")

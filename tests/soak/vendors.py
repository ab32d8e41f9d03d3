"""A vendor that holds some of what was stolen: it is paused, paused again, let in, and paused anew, at any moment."""

from __future__ import annotations

import random
from collections.abc import Callable

from rotator.claims import PAUSED
from rotator.credential import CredentialRef
from rotator.flow.registry import Said, Sort
from rotator.flow.scope import Unresolved
from rotator.ledger import acts, pauses
from rotator.ledger.pauses import Pause
from rotator.ledger.vendor_chains import altered
from rotator.ledger.vendors import Vendors
from tests.fakes.deployment import Deployment
from tests.soak.estate import Estate, Stolen
from tests.soak.faults import PEOPLE, Faults
from tests.soak.world import SoakWorld

VENDOR = "acme"
TASK = Unresolved(None, VENDOR, (), "its badge is no credential", "ask for it at the door")
STALE_S = 30.0
"""So long after its last commit a worker may still begin a call."""


class Pausing:
    """Who pauses the vendor and lets it in. `stir` tells that something moved, `harm` that it got something new."""

    def __init__(
        self, world: SoakWorld, estate: Estate, deployment: Deployment, faults: Faults, die: random.Random
    ) -> None:
        self._world, self._estate, self._deployment, self._faults, self._die = world, estate, deployment, faults, die
        self.stir: Callable[[], None] = lambda: None
        self.harm: Callable[[str], None] = lambda _what: None
        self.busy, self._nth = 0, 0
        self._held: dict[CredentialRef, float] = {}
        world.told.append(self._see)

    def plan(self) -> None:
        """Decide whether it is paused in this night, and when."""
        if self._die.random() < PEOPLE["vendor paused"]:
            said = [Said(Sort.VENDOR, VENDOR, {}, "vendors.yaml, line 1")]
            Vendors(self._deployment.database, self._world.clock).take(said, "ana")
            self._later(self._die.uniform(10.0, 120.0), self._pause)

    def left(self) -> list[str]:
        """Return what is not as it should be once all is at rest."""
        steps = self._deployment.rows("step")
        waiting = [row["id"] for row in steps if PAUSED in (row["reason"] or "") and row["state"] == "held"]
        return [
            *(f"{each} is held by a pause that is over" for each in waiting),
            *(f"{each} is not what its chain tells" for each in altered(self._deployment.database)),
        ]

    def _pause(self) -> None:
        self._nth += 1
        incident = f"inc-pause-{self._nth}"
        self._deployment.declare([], [TASK], incident=incident)
        given, some = self._given(incident, "ana"), self._some()
        with self._deployment.database.write() as connection:
            pauses.begin(connection, given, {}, some)
        self._hold(some, "vendor paused" if self._nth == 1 else "vendor paused anew")
        self._later(self._die.uniform(5.0, 60.0), self._again)
        self._later(self._die.choice([60.0, 400.0, 4000.0, 40_000.0]), self._restore)

    def _again(self) -> None:
        there = pauses.Pauses(self._deployment.database).of(VENDOR)
        if there is None:
            return
        some = self._some()
        with self._deployment.database.write() as connection:
            acts.lock(connection, [there.incident])
            pauses.again(connection, there, self._given(there.incident, "ben"), {"added": 0}, some)
        self._hold(some, "vendor paused again")

    def _restore(self) -> None:
        with self._deployment.database.write() as connection:
            there = pauses.pause_of(connection, VENDOR, lock=True)
            assert there is not None
            pauses.restore(connection, there, "bob", "it is clean", self._world.clock(), {})
        self._held.clear()
        self._faults.count("vendor restored")
        self.stir()
        if self._die.random() < PEOPLE["vendor paused anew"]:
            self._later(self._die.uniform(1.0, 60.0), self._pause)

    def _given(self, incident: str, by: str) -> Pause:
        return Pause(VENDOR, 0, incident, self._world.clock(), by, "their build was poisoned", "[]")

    def _some(self) -> list[CredentialRef]:
        every = [stolen.ref for case in self._estate.cases for stolen in case.stolen]
        return [each for each in every if self._die.random() < 0.5]

    def _hold(self, some: list[CredentialRef], kind: str) -> None:
        self._held |= {each: self._world.now() for each in some if each not in self._held}
        self._faults.count(kind)
        self.stir()

    def _later(self, seconds: float, act: Callable[[], None]) -> None:
        self.busy += 1

        def happen() -> None:
            self.busy -= 1
            act()

        self._world.stage.after(seconds, happen)

    def _see(self, what: str, about: str, _answer: object) -> None:
        """See that nothing was begun for what it holds once the pause was committed: an owner's all, or a place's."""
        if what not in {"issuer.issue", "store.promote"} or not self._held:
            return
        mine = [each for case in self._estate.cases for each in case.stolen if _is_of(each, what, about)]
        # Of several of one owner, or of one place, nobody sees for which it was: all are to be the vendor's.
        since = [self._held.get(each.ref) for each in mine]
        known = [each for each in since if each is not None]
        if mine and len(known) == len(since) and self._world.asked_at() > max(known) + STALE_S:
            self.harm(f"{what} of {about} was begun although {VENDOR} is paused, which holds it")


def _is_of(stolen: Stolen, what: str, about: str) -> bool:
    if what == "issuer.issue":
        return stolen.ref.owner == about
    return any(about == f"{place.connection}:{place.name}" for place in stolen.scoped.custody.deliver)

"""The world of a soak: every exchange takes time there and back, and may go wrong on either way.

What is true of the world is known here alone: who is open to whom, who was made by whom, what harm came of an act.
"""

from __future__ import annotations

import contextlib
import random
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from sqlalchemy.exc import OperationalError

from rotator.clock import SteadyClock
from rotator.credential import Issued
from rotator.errors import Unavailable, Uncertain
from rotator.ports.connection import CALL_DEADLINE_S
from rotator.ports.provider import Answer, State, Verdict
from tests.fakes.company import PROPAGATION_S
from tests.fakes.world import World
from tests.soak.faults import Faults
from tests.soak.stage import Actor, Killed, Stage, acting

T = TypeVar("T")
Fields = dict[str, Any]
Told = Callable[[str, str, Any], None]


class SoakWorld(World):
    """The true state of everything outside, and the ways there."""

    def __init__(self, stage: Stage, faults: Faults, seed: str) -> None:
        super().__init__()
        self.stage, self.faults = stage, faults
        self.edges = random.Random(f"{seed}/edges")
        self.skew = 0.0
        self.down: dict[str, float] = {}
        self.minted: set[str] = set()
        self.minted_late: set[str] = set()
        self.minting: dict[str, dict[Actor, float]] = {}
        self._asked_at: dict[Actor, float] = {}
        self.persons: set[str] = set()
        self.resumed: dict[str, float] = {}
        self.repented: dict[str, float] = {}
        self.dismissed: set[str] = set()
        self.opened_at: dict[str, float] = {}  # added or opened again: nobody could wait for it before
        self.refused_at: dict[str, float] = {}
        self.trace: list[tuple[float, str, str, str, str]] = []
        self.accepted_at: dict[str, float] = {}
        self.told: list[Told] = []
        self.late_calls = 0
        self.on_trouble: Callable[[Actor], None] = lambda _actor: None
        self.after_commit: Callable[[], None] = lambda: None

    @contextlib.contextmanager
    def open(self) -> Iterator[Fields]:
        self._state["now"] = self.stage.now
        yield self._state

    def now(self) -> float:
        return self.stage.now

    def clock(self) -> float:
        """Return what the rotator's machines believe the time is."""
        return self.stage.now + self.skew

    def asked_at(self) -> float:
        """Return when who acts began the call that he has on the way, or had last: it may have taken hours."""
        actor = acting()
        return self.stage.now if actor is None else self._asked_at[actor]

    def reaches(self, peer: str) -> bool:
        return self.down.get(peer, 0.0) <= self.stage.now

    def exchange(
        self, what: str, about: str, act: Callable[[Fields], T], *, changes: bool, reachable: bool = True
    ) -> T:
        actor = acting()
        if actor is None:
            with self.open() as state:
                return act(state)
        if not reachable or not self.reaches(about):
            actor.park(self.faults.latency_s())
            raise Unavailable("unreachable", "nothing listens there")
        fault = self.faults.at_call(what)
        minting = self.minting.setdefault(about, {}) if what == "issuer.issue" else {}
        asked_at = minting[actor] = self._asked_at[actor] = self.stage.now
        try:
            self._on_the_way(actor, fault)
            self.late_calls += self.stage.now - asked_at > CALL_DEADLINE_S
            with self.open() as state:
                answer = act(state)
            self.tell(actor, what, f"{about} -> {answer}"[:120], fault)
            if isinstance(answer, Issued):
                self.minted.add(answer.ref.id)
                if self.stage.now - asked_at > CALL_DEADLINE_S:
                    self.minted_late.add(answer.ref.id)
            self._note(what, about, answer)
            self._on_the_way_back(actor, fault, changes=changes)
        finally:
            del minting[actor]
        return answer

    def _on_the_way(self, actor: Actor, fault: str | None) -> None:
        if fault == "worker killed before a call":
            self._kill(actor)
        if fault == "worker frozen before a call":
            self._freeze(actor)
            return
        actor.park(self.faults.latency_s())
        if fault == "call refused":
            raise Unavailable("connection_refused")
        if fault == "call throttled":
            raise Unavailable("throttled", "slow down", retry_after=float(self.faults.die.choice([1, 5, 20])))

    def _on_the_way_back(self, actor: Actor, fault: str | None, *, changes: bool) -> None:
        if fault == "worker killed after a call":
            self._kill(actor)
        if fault == "worker frozen after a call":
            self._freeze(actor)
            return
        actor.park(self.faults.latency_s())
        if fault == "answer lost":
            raise (Uncertain if changes else Unavailable)("answer_lost")

    def meet_ledger(self, phase: str, what: str, changes: bool) -> None:
        """Let a use of the ledger go wrong; what changes it is a commit."""
        actor = acting()
        if actor is None:
            return
        dispatching = actor.process.name.startswith("dispatcher")
        if phase == "before":
            draw = self.faults.at_dispatch if dispatching else self.faults.at_commit
            fault = actor.fault = draw() if changes else None
        else:
            fault, actor.fault = actor.fault, None
            if changes:
                self.after_commit()
        if fault is None:
            return
        self.tell(actor, what, phase, fault)
        if fault.endswith(f"{phase} a commit") or (dispatching and phase == "before"):
            self._spoil(actor, fault)

    def _spoil(self, actor: Actor, fault: str) -> None:
        if "killed" in fault:
            self._kill(actor)
        elif "frozen" in fault:
            self._freeze(actor)
        else:
            raise OperationalError("COMMIT", {}, Exception("disk full"))

    def _kill(self, actor: Actor) -> None:
        actor.process.dead = True
        self.on_trouble(actor)
        raise Killed

    def _freeze(self, actor: Actor) -> None:
        actor.process.frozen_until = self.stage.now + self.faults.freeze_s()
        self.on_trouble(actor)
        actor.park(0.0)

    def _note(self, what: str, about: str, answer: Any) -> None:
        if what == "issuer.install":
            self.minted.add(about.partition("@")[0])
        if isinstance(answer, Verdict):
            if answer.answer is Answer.ACCEPTED:
                self.accepted_at[about.partition("@")[0]] = self.clock()
            else:
                self.refused_at[about.partition("@")[0]] = self.stage.now
        for each in self.told:
            each(what, about, answer)

    def was_resumed_since_refused(self, name: str) -> bool:
        """Tell whether a person started it again so lately that nobody can have felt it at its last refusal."""
        return self.resumed.get(name, 0.0) + PROPAGATION_S > self.refused_at.get(name, 0.0)

    def was_open_between_knocks(self, name: str, since: float) -> bool:
        """Tell whether a person started it and stopped it again within a series of refusals that began at `since`.

        Nobody knocked meanwhile, or he would have been let in: so nobody can know that a stop of that person spreads.
        """
        unseen = self.accepted_at.get(name, 0.0) < since < self.resumed.get(name, 0.0)
        return unseen and self.resumed[name] < self.repented.get(name, 0.0) <= self.stage.now

    def tell(self, actor: Actor, what: str, about: str, fault: str | None) -> None:
        """Write the story of the night down, for whoever plays it again."""
        self.trace.append((self.stage.now, actor.process.name, what, about, fault or ""))

    def may_open(self, credential_id: str) -> bool:
        """Tell whether some edge or door lets it in now."""
        found = self._state["credentials"].get(credential_id)
        if found is None:
            return False
        if found["kind"] == "ssh_authorized_key":
            return any(door["open"] for door in found["doors"].values())
        fresh = self.stage.now - found["changed_at"] < found["spreads_s"]
        return found["state"] == State.ACTIVE.value or (fresh and found["before"] == State.ACTIVE.value)

    def opens_everywhere(self, credential_id: str) -> bool:
        """Tell whether it was made whole: every edge will let it in, every door does."""
        found = self._state["credentials"].get(credential_id)
        if found is None:
            return False
        if found["kind"] == "ssh_authorized_key":
            return bool(found["doors"]) and all(door["open"] for door in found["doors"].values())
        return found["state"] == State.ACTIVE.value

    def credentials(self) -> dict[str, Fields]:
        return self._state["credentials"]

    def places(self) -> dict[str, Fields]:
        return self._state["places"]

    def holders(self) -> dict[str, str]:
        return self._state["consumers"]


class RotatorsView:
    """What a deployment sees of the world: its own machines' clock, and the ledger's trouble."""

    def __init__(self, world: SoakWorld) -> None:
        self._world, self.meet = world, world.meet_ledger
        self.now: Callable[[], float] = world.clock

    def begin_process(self) -> SteadyClock:
        """Give the process that starts now its clock: the wall's as it is now, moved on steadily."""
        clock = SteadyClock(self._world.clock, self._world.now)
        self.now = clock
        return clock

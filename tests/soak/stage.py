"""Time, and who acts in it: threads of which one runs at a time, handing on a baton, in an order that a seed decides.

An actor parks wherever it waits, for an answer or because it is frozen. A process is what is killed or frozen as one.
"""

from __future__ import annotations

import heapq
import itertools
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.fakes.world import START


class Killed(BaseException):
    """The process is gone, as by SIGKILL: nothing of it runs any more."""


class Stage:
    """The events to come, in order. `now` is the true time, in seconds; nothing but an event moves it."""

    def __init__(self) -> None:
        self.now = START
        self._events: list[tuple[float, int, Callable[[], None]]] = []
        self._number = itertools.count()
        self._baton = threading.Lock()
        self._baton.acquire()

    def at(self, moment: float, act: Callable[[], None]) -> None:
        """Let something happen then, or now if that is past."""
        heapq.heappush(self._events, (max(moment, self.now), next(self._number), act))

    def after(self, seconds: float, act: Callable[[], None]) -> None:
        self.at(self.now + seconds, act)

    def play(self, *, until: float, events: int) -> bool:
        """Let happen what is to come; tell whether all was over by then, and after at most so many events."""
        while self._events:
            events -= 1
            if self._events[0][0] > until or events < 0:
                return False
            self.now, _, act = heapq.heappop(self._events)
            act()
        return True

    def clear(self) -> None:
        """Forget what was to come."""
        self._events.clear()

    def wait_for_baton(self) -> None:
        self._baton.acquire()

    def give_baton_back(self) -> None:
        self._baton.release()


@dataclass(eq=False)
class Process:
    """What dies and freezes together. A worker's has an `engine`."""

    name: str
    engine: Any = None
    dead: bool = False
    frozen_until: float = 0.0
    actors: list[Actor] = field(default_factory=list)

    @property
    def busy(self) -> bool:
        return any(each.busy for each in self.actors)


_of_this_thread = threading.local()


def acting() -> Actor | None:
    """Return the actor whose thread this is; None for the stage's own."""
    return getattr(_of_this_thread, "actor", None)


class Actor:
    """One thread of a process. `begin` gives it something to do; it runs until it parks or is through."""

    def __init__(self, stage: Stage, process: Process) -> None:
        self.stage, self.process, self.busy = stage, process, False
        self.fault: str | None = None
        process.actors.append(self)
        self._wake = threading.Lock()
        self._wake.acquire()
        self._job: Callable[[], None] | None = None
        self._over: Callable[[], None] = _nothing
        self._thread = threading.Thread(target=self._live, daemon=True)
        self._thread.start()

    @property
    def idle(self) -> bool:
        return not (self.busy or self.process.dead or self.process.frozen_until > self.stage.now)

    def begin(self, job: Callable[[], None], over: Callable[[], None]) -> None:
        """Do the job from now on; `over` is told when it is through, however it ended."""
        self.busy, self._job, self._over = True, job, over
        self.stage.at(self.stage.now, self._resume)

    def park(self, seconds: float) -> None:
        """Wait so long, and for as long as the process is frozen; its own thread calls it. Raises Killed."""
        self.stage.after(seconds, self._resume)
        self.stage.give_baton_back()
        self._wake.acquire()
        if self.process.dead:
            raise Killed

    def dismiss(self) -> None:
        """End the thread of an actor that does nothing."""
        self._job = None
        self._wake.release()
        self._thread.join()

    def _resume(self) -> None:
        if self.process.frozen_until > self.stage.now and not self.process.dead:
            self.stage.at(self.process.frozen_until, self._resume)
            return
        self._wake.release()
        self.stage.wait_for_baton()

    def _live(self) -> None:
        _of_this_thread.actor = self
        while True:
            self._wake.acquire()
            if self._job is None:
                return
            try:
                if not self.process.dead:
                    self._job()
            except Killed:
                pass
            self.busy = False
            self.stage.at(self.stage.now, self._over)
            self.stage.give_baton_back()


def _nothing() -> None:
    """Tell nobody."""

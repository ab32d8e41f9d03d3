"""Everything outside the rotator, as one plain thing that outlives every worker: credentials, places, consumers, time.

Each exchange with it passes `meet` twice, before and after it acts; `about` says whom it concerns. A test sets `meet`
to lose an answer, to refuse, to kill the worker, or to look at the world at that very moment.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

from rotator.errors import Unavailable

T = TypeVar("T")
State = dict[str, Any]
Meet = Callable[[str, str, bool], None]
"""Called with the phase (before, after), what is done ("issuer.issue") and whether it changes anything."""

START = 1_700_000_000.0


def _pass(phase: str, what: str, changes: bool) -> None:
    """Let everything happen."""


class World:
    """The world in memory."""

    def __init__(self) -> None:
        self.meet: Meet = _pass
        self.about = ""
        self._lock = threading.RLock()
        self._state: State = {"now": START, "made": 0, "credentials": {}, "places": {}, "consumers": {}, "log": []}

    @contextlib.contextmanager
    def open(self) -> Iterator[State]:
        """Give the state, to be read and changed by one at a time."""
        with self._lock:
            yield self._state

    def exchange(self, what: str, about: str, act: Callable[[State], T], *, changes: bool, reachable: bool = True) -> T:
        """Do one exchange as a worker does it over a network, and log it when it changes something."""
        if not reachable:
            raise Unavailable("unreachable", "nothing listens there")
        self.about = about
        self.meet("before", what, changes)
        with self.open() as state:
            answer = act(state)
            if changes:
                state["log"].append({"at": state["now"], "what": what, "about": about})
        self.meet("after", what, changes)
        return answer

    def now(self) -> float:
        """Return the world's time; it stands still unless somebody waits."""
        with self.open() as state:
            return float(state["now"])

    def wait_until(self, moment: float) -> None:
        """Let time pass."""
        with self.open() as state:
            state["now"] = max(state["now"], moment)

    def number(self) -> int:
        """Return a number that was never given before."""
        with self.open() as state:
            state["made"] += 1
            return int(state["made"])

    def done(self, what: str) -> list[str]:
        """Return what that was done to, in order."""
        with self.open() as state:
            return [entry["about"] for entry in state["log"] if entry["what"] == what]


class FileWorld(World):
    """The same world in a file, for workers that are processes and get killed."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path = path
        self._lock_path = path.with_suffix(".lock")
        self._opened: State | None = None
        self._known = ""  # what the file said when `_state` was read from it, as long as nobody has changed that
        if not path.exists():
            path.write_text(json.dumps(self._state))

    @contextlib.contextmanager
    def open(self) -> Iterator[State]:
        with self._lock:
            if self._opened is not None:
                yield self._opened  # this thread has it open already
                return
            with self._lock_path.open("w") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)
                said = self._path.read_text()
                if said != self._known:
                    self._state = json.loads(said)
                self._opened, self._known = self._state, ""
                try:
                    yield self._opened
                    self._keep(said)
                finally:
                    self._opened = None

    def _keep(self, said: str) -> None:
        """Write what has changed, all of it at once; most of those who open the world only look at it."""
        says = json.dumps(self._state)
        if says == said:
            self._known = said
            return
        fresh = self._path.with_suffix(".new")
        fresh.write_text(says)
        fresh.replace(self._path)

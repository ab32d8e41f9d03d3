"""What a trial of a canary stands on: a clock that moves when somebody waits, and where canaries are kept."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from rotator.canary import Canary


@dataclass
class Hours:
    """A clock that moves by itself as any does, and at once when somebody waits."""

    waited: float = 0.0

    def __call__(self) -> float:
        return time.time() + self.waited

    def wait(self, seconds: float) -> None:
        self.waited += seconds


@dataclass
class Kept:
    """What may be alive, in memory. `meet` is called before and after each change, as the world's is."""

    alive: dict[str, Canary] = field(default_factory=dict)
    meet: Callable[[str, str, bool], None] = lambda *_: None

    def intend(self, canary: Canary) -> None:
        self._change(lambda: self.alive.update({canary.marker: canary}))

    def made(self, marker: str, credential: str) -> None:
        assert self.alive[marker].credential is None
        self._change(lambda: self.alive.update({marker: replace(self.alive[marker], credential=credential)}))

    def gone(self, marker: str) -> None:
        self._change(lambda: self.alive.pop(marker))

    def _change(self, change: Callable[[], object]) -> None:
        self.meet("before", "kept", True)
        change()
        self.meet("after", "kept", True)

"""Where to kill: everywhere, or once for each distinct shape of a step; and what came of it, counted."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from pathlib import Path

from tests.crash.case import PLAYED, Case, Twist, met_by_the_four
from tests.crash.killing import Boundary, Ended, Killing

RESTARTS_AFTER_S = (0.0, 1.0, 61.0)
"""Seconds of the world's time until the next worker: at once, as one runtime restarts, or after the lease."""

AGAIN = ", again"


@dataclass(frozen=True)
class Trial:
    """What was tried, in words that do it again, and how it ended."""

    case: Case
    spoil: str
    numbers: tuple[int, ...]
    restart_s: float
    at: str
    ended: Ended

    def __str__(self) -> str:
        again = f"--only '{self.case.name}' --spoil {self.spoil} --at {' '.join(map(str, self.numbers))}"
        return f"{self.case.name}: {self.spoil} {self.at}\n    {again} --restart {self.restart_s:g}"


@dataclass
class Count:
    """How much was tried; `wrong` is how often the end was not as it should be."""

    cases: int = 0
    boundaries: int = 0
    trials: Counter[str] = field(default_factory=Counter)
    kills: int = 0
    wrong: int = 0

    def add(self, trial: Trial) -> None:
        self.cases += trial.spoil == "calm"
        self.trials[trial.spoil if len(trial.numbers) < 2 else "second kill"] += 1
        self.boundaries += len(trial.ended.boundaries) if trial.spoil == "calm" else 0
        self.kills += trial.ended.faults if trial.spoil == "kill" else 0
        self.wrong += bool(trial.ended.wrong)

    def __add__(self, other: Count) -> Count:
        # Not `asdict`, which makes a Counter of a Counter's pairs.
        return Count(**{each.name: getattr(self, each.name) + getattr(other, each.name) for each in fields(self)})

    def __str__(self) -> str:
        kinds = ", ".join(f"{number} {name}" for name, number in sorted(self.trials.items()))
        return (
            f"{self.cases} cases, {self.boundaries} boundaries, {kinds}; "
            f"{self.kills} processes killed; {self.wrong} trials wrong"
        )


class Everywhere:
    """Try one case after the other in `folder`. With `shapes`, a moment like one that was tried is not tried again.

    `part` is how many of these shapes are tried, from 0 to 1: the seed alone says which.
    """

    def __init__(self, folder: Path, seed: str, shapes: bool, part: float = 1.0) -> None:
        self._folder, self._seed, self._part = folder, seed, part
        self._seen: set[tuple[str, ...]] | None = set() if shapes else None
        self.count = Count()

    def trials(self, case: Case) -> Iterator[Trial]:
        """Try what the case asks for, and yield each trial."""
        workshop = self._folder / f"case-{sum(self.count.trials.values())}"
        workshop.mkdir()
        killing = Killing(case, workshop)
        for trial in self._trials(killing):
            self.count.add(trial)
            yield trial
        killing.clear()

    def _trials(self, killing: Killing) -> Iterator[Trial]:
        case, calm = killing.case, killing.untouched()
        yield Trial(case, "calm", (), 0.0, "nothing at all", calm)
        met: Counter[str] = Counter()
        for number, boundary in enumerate(calm.boundaries, start=1):
            met[boundary.shape] += 1
            shape = boundary.shape + (AGAIN if met[boundary.shape] > 1 else "")
            die = random.Random(f"{self._seed} {case.name} {number}")
            restart_s = die.choice(RESTARTS_AFTER_S)
            if self._is_new(case, "kill", boundary, shape):
                once = killing.tried([number], restart_s)
                yield Trial(case, "kill", (number,), restart_s, shape, once)
                moments = [
                    at for at, each in enumerate(once.boundaries, start=1) if each.phase == "after" and each.changes
                ]
                if self._seen is None and moments:
                    second = die.choice(moments)
                    at = f"{shape}, then {once.boundaries[second - 1].shape}"
                    twice = killing.tried([number, second], restart_s)
                    yield Trial(case, "kill", (number, second), restart_s, at, twice)
            spoil = "lose" if boundary.phase == "after" else "refuse"
            if not boundary.what.startswith(("ledger", "person")) and self._is_new(case, spoil, boundary, shape):
                yield Trial(case, spoil, (number,), 0.0, shape, killing.tried([number], 0.0, spoil))

    def _is_new(self, case: Case, spoil: str, boundary: Boundary, shape: str) -> bool:
        if spoil == "kill" and not boundary.fresh:
            return False
        if self._seen is None:
            return True
        if case.kind in PLAYED:
            return self._is_new_step(case, spoil, boundary)
        # What a lost call does depends on the call and on what its step asks of the engine, whichever of the four kinds
        # it is; what a lost worker does, on who else is at work and what room is as well.
        is_two, crowded = case.twist is Twist.TWO, case.twist in {Twist.TWO, Twist.QUOTA}
        if shape.endswith(AGAIN) and case.places == 1 and (spoil != "kill" or crowded):
            return False
        twist = case.twist if is_two or (spoil == "kill" and crowded) else Twist.NONE
        return self._first((twist, spoil, shape, *_asks(case, boundary)))

    def _is_new_step(self, case: Case, spoil: str, boundary: Boundary) -> bool:
        """Tell whether it is in a step that asks what no step of the four kinds does, or is a person's doing."""
        doing = _asks(case, boundary)
        if set(doing) <= met_by_the_four() and not boundary.what.startswith("person"):
            return False
        return self._first((spoil, boundary.phase, boundary.what, *doing))

    def _first(self, key: tuple[str, ...]) -> bool:
        assert self._seen is not None
        new = key not in self._seen
        self._seen.add(key)
        return new and random.Random(f"{self._seed} {'; '.join(key)}").random() < self._part


def _asks(case: Case, boundary: Boundary) -> list[str]:
    """Return what the steps that are under way ask of the engine."""
    shapes = case.step_shapes
    return [shapes.get(name, name) for name in boundary.doing.split(", ") if name]

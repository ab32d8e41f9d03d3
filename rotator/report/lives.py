"""How many exposed credentials were not proven dead, from moment to moment: the lines of a survival curve."""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate

COLOURS = 6
"""How many lines look different from each other, the whole beside; more are told as one."""


@dataclass(frozen=True, slots=True)
class Line:
    """A name, and its points in order of time: epoch seconds, and how many live from then on."""

    name: str
    points: tuple[tuple[float, int], ...]

    def at(self, when: float) -> int:
        """Return how many lived then."""
        place = bisect_left(self.points, (when, -1))
        if place < len(self.points) and self.points[place][0] == when:
            return self.points[place][1]
        return self.points[place - 1][1] if place else 0


@dataclass
class Lives:
    """When lives began, each moment with how many; and when they ended, the first one first. In epoch seconds."""

    began: Counter[float] = field(default_factory=Counter)
    ended: list[float] = field(default_factory=list)

    @classmethod
    def of(cls, lives: Iterable[tuple[float, float | None]]) -> Lives:
        """Return lives, each told by when it was detected and when it was proven dead, None while it is not."""
        every = list(lives)
        ended = sorted(max(began, ended) for began, ended in every if ended is not None)
        return cls(Counter([began for began, _ in every]), ended)

    def copy(self) -> Lives:
        """Return the same, to be changed."""
        return Lives(self.began.copy(), self.ended.copy())

    def add(self, began: float, ended: float | None) -> None:
        """Count one more."""
        self.began[began] += 1
        if ended is not None:
            insort(self.ended, max(began, ended))

    def discard(self, began: float, ended: float | None) -> None:
        """Count one less, which was counted so."""
        self.began[began] -= 1
        if not self.began[began]:
            del self.began[began]
        if ended is not None:
            del self.ended[bisect_left(self.ended, max(began, ended))]

    def line(self, name: str, most: int | None = None) -> Line:
        """Return their line, of so many points at `most`: each that it has is as it was."""
        begun = sorted(self.began)
        living = list(accumulate(self.began[each] for each in begun))
        moments = sorted({*_spread(begun, most and most // 2), *_spread(self.ended, most and most - most // 2)})
        lived = ((at, bisect_right(begun, at), bisect_right(self.ended, at)) for at in moments)
        return Line(name, tuple((at, (living[since - 1] if since else 0) - dead) for at, since, dead in lived))


def together(every: Iterable[Lives]) -> Lives:
    """Return all of them as one."""
    began: Counter[float] = Counter()
    ended: list[float] = []
    for each in every:
        began.update(each.began)
        ended += each.ended
    return Lives(began, sorted(ended))


def lines(whole: str, lives: Mapping[str, Lives], most: int | None = None) -> list[Line]:
    """Return the line of all, and of each kind where there are several: of more than COLOURS the smaller ones as one.

    The largest kind comes first.
    """
    found = [together(lives.values()).line(whole, most)]
    if len(lives) > 1:
        ranked = sorted(lives, key=lambda name: (-lives[name].began.total(), name))
        apart = len(ranked) if len(ranked) <= COLOURS else COLOURS - 1
        found += [lives[name].line(name, most) for name in ranked[:apart]]
        if rest := ranked[apart:]:
            found.append(together(lives[name] for name in rest).line(f"{len(rest)} other kinds", most))
    return found


def _spread(moments: Sequence[float], most: int | None) -> Sequence[float]:
    """Return so many of them at most, the first and the last among them."""
    if most is None or len(moments) <= most:
        return moments
    last = len(moments) - 1
    return [moments[place * last // (most - 1)] for place in range(most)]

"""Times that have not all ended: what is still open counts as open for at least so long, and is never left out.

The estimate is Kaplan and Meier's (1958, Journal of the American Statistical Association 53, 457-481): the share that
is still open after a time, over all of which it is known whether they were. To leave out what is open would make an
incident look the faster the less of it was answered.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple


class Span(NamedTuple):
    """So many seconds, after which it had `ended`, or had not yet."""

    seconds: float
    ended: bool


def span(begun: float, end: float | None, until: float) -> Span:
    """Return how long it took, or for how long it was open when it was looked at, `until`; all in epoch seconds."""
    return Span(max((until if end is None else end) - begun, 0.0), end is not None)


@dataclass(frozen=True, slots=True)
class Survival:
    """The shares that are still open from each time on, in seconds, the first at 0 with all.

    `ended` and `still_open` count the spans. Figures are None where so many have not ended that nobody can tell.
    """

    steps: Sequence[tuple[float, float]]
    ended: int
    still_open: int
    longest_s: float | None
    longest_open_s: float | None

    def quantile(self, share: float) -> float | None:
        """Return after how many seconds that share had ended; None where it has not yet."""
        place = bisect_left(self.steps, share - 1, key=lambda step: -step[1])
        return self.steps[place][0] if place < len(self.steps) else None

    @property
    def mean_s(self) -> float | None:
        """Return the mean; None while one is open that makes it longer: the curve does not come down to nothing."""
        if not self.steps or self.steps[-1][1] != 0:
            return None
        return self._area(self.steps[-1][0])

    def restricted_mean_s(self, until_s: float) -> float:
        """Return the mean of what each took of the first `until_s` seconds: it is known whatever is still open later.

        Raises ValueError for a time after which nothing is known.
        """
        known = max((each for each in (self.longest_s, self.longest_open_s) if each is not None), default=0.0)
        if until_s > known and (not self.steps or self.steps[-1][1] != 0):
            raise ValueError(f"nothing is known after {known} s")
        return self._area(until_s)

    def _area(self, until_s: float) -> float:
        ends = [at for at, _ in self.steps[1:]] + [math.inf]
        widths = (
            (min(end, until_s) - at, still) for (at, still), end in zip(self.steps, ends, strict=True) if at < until_s
        )
        return math.fsum(width * still for width, still in widths if still)


def estimate(spans: Iterable[Span]) -> Survival:
    """Return Kaplan and Meier's estimate. What ends at the very time at which another is seen open comes first."""
    every = list(spans)
    ended = Counter(seconds for seconds, is_over in every if is_over)
    still_open = Counter(seconds for seconds, is_over in every if not is_over)
    at_risk = len(every)
    steps: list[tuple[float, float]] = [(0.0, 1.0)] if at_risk else []
    # Between two that are seen open the share is a plain one of how many there were: so no error adds up.
    share, of = 1.0, at_risk
    seen_open, seen = sorted(still_open), 0
    for at in sorted(ended):
        while seen < len(seen_open) and seen_open[seen] < at:
            share, of = share * at_risk / of, at_risk - still_open[seen_open[seen]]
            at_risk, seen = of, seen + 1
        at_risk -= ended[at]
        steps.append((at, share * at_risk / of))
    return Survival(steps, ended.total(), still_open.total(), max(ended, default=None), max(still_open, default=None))

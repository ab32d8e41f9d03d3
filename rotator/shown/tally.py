"""What is counted of an incident's rows, carried on from moment to moment: who moves is taken out and put in again.

To count fifty thousand rows anew takes a tenth of a second, for which each answer would wait while steps land.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator

from rotator.flow.playbook_words import REPLACING
from rotator.flow.proof import Evidence
from rotator.flow.standing import CredentialState
from rotator.report.lives import Lives
from rotator.shown.row import Row


class Tally:
    """The rows that are told, counted. What is dismissed counts for its state alone.

    `states` are counted by provider, `lives` are those of each provider's credentials, which end where they are proven
    dead; `moments` are those of what happened to credentials, by its name, the first one first. `counted` are they all,
    `replacing` those that are to be replaced, `connections` how many are of each.
    """

    def __init__(self, rows: Iterable[Row] = ()) -> None:
        self.states: dict[str, Counter[CredentialState]] = {}
        self.connections: Counter[str] = Counter()
        self.lives: dict[str, Lives] = {}
        self.moments: defaultdict[str, list[float]] = defaultdict(list)
        self.counted = self.replacing = 0
        of: defaultdict[str, list[tuple[float, float | None]]] = defaultdict(list)
        for each in rows:
            self._count(each, 1, list.append)
            if each.is_counted:
                of[each.provider].append(_life(each))
        self.lives = {name: Lives.of(every) for name, every in of.items()}
        for times in self.moments.values():
            times.sort()

    def after(self, moved: Iterable[tuple[Row, Row]]) -> Tally:
        """Return it with rows that were counted as the first of each pair counted as the second."""
        found = Tally()
        found.states = {name: states.copy() for name, states in self.states.items()}
        found.connections = self.connections.copy()
        found.lives = {name: each.copy() for name, each in self.lives.items()}
        found.moments = defaultdict(list, {name: times.copy() for name, times in self.moments.items()})
        found.counted, found.replacing = self.counted, self.replacing
        for before, row in moved:
            found._count(before, -1, _remove)
            found._count(row, 1, insort)
            if before.is_counted:
                found.lives[before.provider].discard(*_life(before))
            if row.is_counted:
                found.lives.setdefault(row.provider, Lives()).add(*_life(row))
        return found

    def totals(self, provider: str | None = None) -> dict[str, int]:
        """Return the report's totals, of one provider or of all."""
        of = self.states.values() if provider is None else [self.states[provider]]
        counts = {state.value: sum(each[state] for each in of) for state in CredentialState}
        return {"credentials": sum(counts.values())} | counts

    @property
    def providers(self) -> list[str]:
        """Return the providers that have a credential, by name."""
        return sorted(name for name, states in self.states.items() if states.total())

    def _count(self, row: Row, by: int, move: Callable[[list[float], float], None]) -> None:
        self.states.setdefault(row.provider, Counter())[row.state] += by
        self.connections[row.connection] += by
        if not row.is_counted:
            return
        self.counted += by
        self.replacing += by * (row.strategy in REPLACING)
        for name, at in _happened(row):
            move(self.moments[name], at)


def _happened(row: Row) -> Iterator[tuple[str, float]]:
    """Yield what happened to a credential, and when. Dead is what is proven so: not what is only stated."""
    times = {"acknowledged": row.acknowledged_at, "contained": row.contained_at, "dead": _life(row)[1]}
    if row.strategy in REPLACING:
        times |= {"replaced": row.replaced_at, "converged": row.converged_at}
    yield from ((name, at) for name, at in times.items() if at is not None)


def _life(row: Row) -> tuple[float, float | None]:
    return row.detected_at, row.dead_at if row.evidence == Evidence.PROVEN else None


def _remove(times: list[float], at: float) -> None:
    del times[bisect_left(times, at)]

"""Forecasts: how many calls a plan costs each account, and how long that takes at the least under its budget.

Only the budgets are known beforehand: an issuer's latency, its settling, retries, gates and people come on top. So
every time here is a lower bound, in seconds from the approval, and is called "at least" wherever it is shown.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from rotator.credential import CredentialRef
from rotator.flow.budget import Limit
from rotator.flow.planned import Plan, PlannedRun, Segment
from rotator.flow.playbook_words import Expect, Subject, Verb

_DELIVERED = frozenset({Verb.PROMOTE, Verb.RELOAD})


@dataclass(frozen=True, slots=True)
class Costs:
    """The calls of one run: until its credential is proven dead, until the new one is delivered, and in all.

    `replaced` is None where nothing replaces it. A part of a call is one that others ride along with.
    """

    dead: float
    replaced: float | None
    total: float


@dataclass(frozen=True, slots=True)
class Times:
    """When a run is through at the earliest, in seconds from the approval, if all goes in the plan's order."""

    dead_s: float
    replaced_s: float | None


@dataclass(frozen=True, slots=True)
class OfAccount:
    """What one account is asked. Without a known `limit` nobody can tell how long that takes: the times are None."""

    name: str
    runs: int
    calls_until_dead: int
    calls_until_replaced: int
    calls: int
    limit: Limit | None
    dead_at_least_s: float | None
    replaced_at_least_s: float | None


@dataclass(frozen=True, slots=True)
class Forecast:
    """The calls and the least times of a plan. The accounts are asked side by side: the slowest tells the whole."""

    accounts: tuple[OfAccount, ...]
    times: Mapping[CredentialRef, Times]

    @property
    def calls(self) -> int:
        """Return the calls to all accounts together."""
        return sum(each.calls for each in self.accounts)

    @property
    def dead_at_least_s(self) -> float:
        """Return how long it takes at the least until all are proven dead; accounts without a budget count nothing."""
        return max((each.dead_at_least_s or 0.0 for each in self.accounts), default=0.0)

    @property
    def replaced_at_least_s(self) -> float:
        """Return how long it takes at the least until all that is replaced has been delivered."""
        return max((each.replaced_at_least_s or 0.0 for each in self.accounts), default=0.0)

    @property
    def without_budget(self) -> tuple[str, ...]:
        """Return the accounts that are called, and of which nobody has said what they allow."""
        return tuple(each.name for each in self.accounts if each.limit is None and each.calls)


def forecast(
    plan: Plan,
    limits: Mapping[str, Limit],
    account_of: Callable[[str], str] = lambda connection: connection,
    together: Callable[[str, str], int] = lambda _kind, _connection: 1,
) -> Forecast:
    """Count the calls of a plan, and bound from below when it is through.

    `limits` are by account, and `account_of` names that of a connection. `together` tells how many credentials of a
    kind on a connection one call destroys.
    """
    by_account: dict[str, list[PlannedRun]] = {}
    for run in plan.runs:
        by_account.setdefault(account_of(run.ref.connection), []).append(run)
    priced = _Prices(together)
    times: dict[CredentialRef, Times] = {}
    for name, runs in by_account.items():
        times.update(_in_order(runs, limits.get(name), priced))
    _after_our_own(plan.runs, times)
    found = [_of_account(name, runs, limits.get(name), priced, times) for name, runs in sorted(by_account.items())]
    return Forecast(tuple(found), times)


class _Prices:
    """What each run costs; thousands share their segments, and are priced once."""

    def __init__(self, together: Callable[[str, str], int]) -> None:
        self._together = together
        self._found: dict[tuple[int, str, str], Costs] = {}

    def of(self, run: PlannedRun) -> Costs:
        key = (id(run.segments), run.kind, run.ref.connection)
        if key not in self._found:
            self._found[key] = _costs(run.segments, self._together(run.kind, run.ref.connection))
        return self._found[key]


def _costs(segments: Iterable[Segment], together: int) -> Costs:
    total = 0.0
    dead: float | None = None
    replaced: float | None = None
    for segment in segments:
        for step in segment.steps:
            rides = step.verb is Verb.REVOKE and step.subject is Subject.EXPOSED
            total += step.calls * len(segment.targets) / (max(together, 1) if rides else 1)
            if step.verb in _DELIVERED:
                replaced = total
            knock = (step.verb, step.subject, step.expect) == (Verb.VERIFY, Subject.EXPOSED, Expect.REJECTED)
            if knock and dead is None:
                dead = total
    return Costs(total if dead is None else dead, replaced, total)


def earliest(calls: float, limit: Limit | None) -> float:
    """Return how many seconds so many calls take at the least: what the full bucket holds goes at once."""
    return 0.0 if limit is None else max(0.0, (calls - limit.holds) / limit.calls_per_second)


def _in_order(
    runs: Iterable[PlannedRun], limit: Limit | None, prices: _Prices
) -> Iterable[tuple[CredentialRef, Times]]:
    """Yield when each run of an account is through at the earliest: stops go before replacements, then by priority."""
    found = [(run, prices.of(run)) for run in runs]
    stopped: dict[CredentialRef, float] = {}
    calls = 0.0
    for run, costs in found:
        if costs.replaced is None or costs.dead <= costs.replaced:
            calls += costs.dead
            stopped[run.ref] = earliest(calls, limit)
    for run, costs in found:
        if costs.replaced is None:
            yield run.ref, Times(stopped[run.ref], None)
        elif run.ref in stopped:
            calls += costs.replaced - costs.dead
            yield run.ref, Times(stopped[run.ref], earliest(calls, limit))
        else:
            calls += costs.replaced
            replaced = earliest(calls, limit)
            calls += costs.dead - costs.replaced
            yield run.ref, Times(earliest(calls, limit), replaced)


def _after_our_own(runs: Iterable[PlannedRun], times: dict[CredentialRef, Times]) -> None:
    """Put off what waits for the rotator's own credential until that is replaced."""
    for run in runs:
        begins = max((times[each].replaced_s or 0.0 for each in run.awaits if each in times), default=0.0)
        if begins:
            own = times[run.ref]
            later = None if own.replaced_s is None else max(own.replaced_s, begins)
            times[run.ref] = Times(max(own.dead_s, begins), later)


def _of_account(
    name: str, runs: list[PlannedRun], limit: Limit | None, prices: _Prices, times: Mapping[CredentialRef, Times]
) -> OfAccount:
    costs = [prices.of(run) for run in runs]
    dead = sum(each.dead for each in costs)
    replaced = sum(each.replaced for each in costs if each.replaced is not None)
    awaited = [times[run.ref] for run in runs if run.awaits]
    return OfAccount(
        name=name,
        runs=len(runs),
        calls_until_dead=math.ceil(dead),
        calls_until_replaced=math.ceil(replaced),
        calls=math.ceil(sum(each.total for each in costs)),
        limit=limit,
        dead_at_least_s=None if limit is None else max([earliest(dead, limit), *(each.dead_s for each in awaited)]),
        replaced_at_least_s=None
        if limit is None
        else max([earliest(replaced, limit), *(each.replaced_s or 0.0 for each in awaited)]),
    )

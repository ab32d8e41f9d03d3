"""Grants: who may go now, the most urgent first, as far as the accounts' budgets and the queues have room.

Within an account strictly in order: what does not fit waits, and nothing less urgent overtakes it. A probe alone goes
by age: who only waits for another, or for a store, would else keep it for ever from those that find something out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from rotator.flow.budget import Account, Admission, Limit, admits, charge, limit_of
from rotator.flow.planned import Lane

_RANK = {lane: number for number, lane in enumerate(Lane)}
_NEARLY = 1e-9


@dataclass(frozen=True, slots=True)
class Waiting:
    """A branch that is due."""

    branch: str
    account: str
    lane: Lane
    priority: float
    due_at: float
    calls: int


@dataclass(frozen=True, slots=True)
class Grant:
    """A branch that goes now, with so many calls: None where nothing limits its account."""

    branch: str
    account: str
    lane: Lane
    calls: int | None
    probe: bool


def urgency(waiting: Waiting) -> tuple[int, float, float]:
    """Order containment before replacement before hygiene, then by priority, then by who waits longest."""
    return _RANK[waiting.lane], -waiting.priority, waiting.due_at


def _turn(waiting: Waiting, account: Account, now: float) -> tuple[int, float, float]:
    if admits(account, now) is Admission.PROBE:
        return -1, waiting.due_at, -waiting.priority
    return urgency(waiting)


def grant(  # noqa: PLR0917 - what a choice is made of
    waiting: Iterable[Waiting],
    accounts: Mapping[str, Account],
    limits: Callable[[str], Limit | None],
    room: Mapping[Lane, int],
    unclaimed: Mapping[str, int],
    now: float,
) -> tuple[list[Grant], dict[str, Account]]:
    """Grant what fits, the most urgent first, a probe by age; return the grants, and the accounts that paid for them.

    `accounts` are brought up to `now`. `room` says how many messages each lane takes, `unclaimed` how many calls of
    each account are granted and in nobody's hand: no more than its bucket holds, or they would all be made at once.
    """
    grants: list[Grant] = []
    paid = dict(accounts)
    left, pending, shut = dict(room), dict(unclaimed), set[str]()
    for each in sorted(waiting, key=lambda one: _turn(one, accounts[one.account], now)):
        if each.account in shut:
            continue
        account = paid[each.account]
        admission = admits(account, now)
        limit = limit_of(account, limits(each.account))
        if (
            left.get(each.lane, 0) <= 0
            or admission is Admission.NOTHING
            or (limit is not None and not _fits(account, limit, pending.get(each.account, 0), each.calls))
        ):
            shut.add(each.account)
            continue
        probe = admission is Admission.PROBE
        # After a failure each one tells of a success too, so that failures in a row are told from some among many.
        tells = probe or account.failures > 0
        grants.append(Grant(each.branch, each.account, each.lane, each.calls if limit else None, tells))
        left[each.lane] -= 1
        pending[each.account] = pending.get(each.account, 0) + each.calls
        paid[each.account] = charge(account, limit, each.calls, now, probe=probe)
        if probe:
            shut.add(each.account)
    return grants, {name: paid[name] for name in {each.account for each in grants}}


def _fits(account: Account, limit: Limit, pending: int, calls: int) -> bool:
    """Tell whether it can go; what costs more than the bucket holds goes when that is full, into debt."""
    if calls <= 0:
        return True
    if account.tokens < limit.needs(calls) - _NEARLY:
        return False
    return pending <= 0 or pending + calls <= limit.holds


def next_window(window: int, left: int, least: int, most: int, *, was_full: bool) -> int:
    """Return how many messages a lane may hold that nobody took, when `left` of the last are still there.

    Workers that had nearly run out of a full one get twice as many; what is not needed waits in the ledger, where the
    most urgent goes first.
    """
    if was_full and left * 4 < window:
        return min(most, window * 2)
    if not was_full or left * 2 > window:
        return max(least, window * 7 // 8)
    return window

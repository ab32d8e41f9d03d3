"""Budgets: how many calls a provider account may be granted now. The ledger keeps what is decided here.

A bucket per account holds a burst of calls and fills at the account's rate. A throttling halves the account's share of
that rate, which is then given back by and by; failures in a row open its breaker, and a probe now and then finds out
whether it answers again.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import Enum, auto

LOOKED_AT_S = 0.1
"""The dispatcher looks that often at least. What fits by then goes a moment early, lest a full bucket loses calls."""
PAUSE_S = 1.0
"""How long an account is left alone that was throttled and named no time."""
LONGEST_PAUSE_S = 3600.0
CUT_EVERY_S = 1.0
"""The share is halved no more often than that: what was sent before the cut is throttled too."""
LEAST_SHARE = 1 / 64
GIVEN_BACK = 1 / 10
"""Of the whole rate, a second."""
FORGOTTEN_AT = 2.0
"""An account without a budget was throttled at some rate; at twice that without another throttling it is free again."""
COUNTED_S = 5.0
"""Over how long the rate is told at which an account was granted calls lately."""
FAILURES = 8
"""So many failures without a success between open the breaker."""
FIRST_PROBE_S = 1.0
LONGEST_PROBE_S = 60.0


@dataclass(frozen=True, slots=True)
class Limit:
    """What an account allows: calls a second, and at most so many at once after a rest."""

    calls_per_second: float
    burst: int = 1

    def __str__(self) -> str:
        return f"{self.calls_per_second:g} calls a second, {self.burst} at once"

    @property
    def holds(self) -> float:
        """Return how many calls the bucket holds."""
        return max(float(self.burst), 2 * LOOKED_AT_S * self.calls_per_second)

    def needs(self, calls: int) -> float:
        """Return how full the bucket must be for so many calls; what it never holds goes into debt."""
        return min(float(calls), self.holds - LOOKED_AT_S * self.calls_per_second)


def strictest(limits: Iterable[Limit]) -> Limit | None:
    """Return the limit that keeps all of these: the least rate, and the least burst; None where there are none."""
    found = list(limits)
    if not found:
        return None
    return Limit(min(each.calls_per_second for each in found), min(each.burst for each in found))


@dataclass(frozen=True, slots=True)
class Account:
    """A bucket, and what was met at its account. Times are epoch seconds by the clock of the dispatcher `filled_by`.

    `share` is the part of the rate that is given; `learned` is the rate at which an account without a budget was
    throttled. `counted` calls were granted since `counted_at`. `throttled`, `pause_s` and `failures` are what workers
    noted: throttlings not heeded yet, the longest time that was asked for, failures without a success between.
    """

    name: str
    tokens: float
    filled_at: float
    filled_by: str = ""
    share: float = 1.0
    learned: float | None = None
    counted: float = 0.0
    counted_at: float = 0.0
    cut_at: float | None = None
    pause_until: float | None = None
    throttled: int = 0
    pause_s: float | None = None
    failures: int = 0
    probes: int = 0
    probe_at: float | None = None

    def is_paused(self, now: float) -> bool:
        """Tell whether it asked to be left alone."""
        return self.pause_until is not None and now < self.pause_until


def fresh(name: str, limit: Limit | None, now: float, by: str) -> Account:
    """Return the account as it is before its first call: its bucket is full."""
    return Account(name, limit.holds if limit else 0.0, now, by, counted_at=now)


def limit_of(account: Account, configured: Limit | None) -> Limit | None:
    """Return the limit that holds now; None where nothing limits the account."""
    if configured is not None or account.learned is None:
        return configured
    return Limit(account.learned, max(1, int(account.learned)))


def brought_up(account: Account, configured: Limit | None, now: float, by: str) -> Account:
    """Return the account as it stands now: filled, its share given back, and what workers noted heeded.

    Who fills it for the first time gives nothing for the time before: another's clock told it.
    """
    if account.filled_by != by:
        account = _taken_over(account, now, by)
    return _watched(_heeded(_filled(account, configured, now), configured, now), now)


def _taken_over(account: Account, now: float, by: str) -> Account:
    pause, probe = account.pause_until, account.probe_at
    return replace(
        account,
        filled_by=by,
        filled_at=now,
        counted=account.counted / max(1.0, account.filled_at - account.counted_at),
        counted_at=now - 1.0,
        cut_at=None,
        pause_until=None if pause is None else min(pause, now + LONGEST_PAUSE_S),
        probe_at=None if probe is None else min(probe, now + LONGEST_PROBE_S),
    )


def _filled(account: Account, configured: Limit | None, now: float) -> Account:
    limit = limit_of(account, configured)
    if limit is None:
        return replace(account, filled_at=now)
    passed = max(0.0, now - max(account.filled_at, account.pause_until or 0.0))
    whole = 1.0 if configured is not None else FORGOTTEN_AT
    share = min(whole, account.share + passed * GIVEN_BACK)
    rising_s = min(passed, max(0.0, share - account.share) / GIVEN_BACK)
    calls = limit.calls_per_second * (rising_s * (account.share + share) / 2 + (passed - rising_s) * share)
    filled = replace(
        account,
        tokens=min(limit.holds, account.tokens + calls),
        filled_at=max(now, account.filled_at),
        share=share,
    )
    if configured is None and share >= FORGOTTEN_AT:
        return replace(filled, learned=None, share=1.0, tokens=0.0)
    return filled


def _heeded(account: Account, configured: Limit | None, now: float) -> Account:
    """Pause, and cut the share, as workers were told; what was answered during a pause was asked before it."""
    if not account.throttled and account.pause_s is None:
        return account
    asked = PAUSE_S if account.pause_s is None else min(max(account.pause_s, 0.0), LONGEST_PAUSE_S)
    heeded = replace(account, throttled=0, pause_s=None, pause_until=max(account.pause_until or 0.0, now + asked))
    lately = account.cut_at is not None and 0 <= now - account.cut_at < CUT_EVERY_S
    if not account.throttled or account.is_paused(now) or lately:
        return heeded
    learned = account.learned
    if configured is None and learned is None:
        learned = max(1.0, account.counted / max(1.0, now - account.counted_at))
    return replace(
        heeded,
        share=max(LEAST_SHARE, account.share / 2),
        tokens=min(0.0, account.tokens),
        learned=learned,
        cut_at=now,
    )


def _watched(account: Account, now: float) -> Account:
    """Open the breaker after failures in a row, close it after a success."""
    if account.failures >= FAILURES and account.probe_at is None:
        return replace(account, probes=0, probe_at=now + FIRST_PROBE_S)
    if account.failures < FAILURES and account.probe_at is not None:
        return replace(account, probes=0, probe_at=None)
    return account


class Admission(Enum):
    """What may be sent to an account now."""

    NOTHING = auto()
    PROBE = auto()
    ANY = auto()


def admits(account: Account, now: float) -> Admission:
    """Say what may be sent, whatever its bucket holds. The account is brought up to `now`."""
    if account.is_paused(now):
        return Admission.NOTHING
    if account.probe_at is None:
        return Admission.ANY
    return Admission.PROBE if now >= account.probe_at else Admission.NOTHING


def charge(account: Account, limit: Limit | None, calls: int, now: float, *, probe: bool = False) -> Account:
    """Return the account after so many calls were granted."""
    counted, since = account.counted, account.counted_at
    if now - since > COUNTED_S:
        counted, since = counted / (now - since) * COUNTED_S / 2, now - COUNTED_S / 2
    charged = replace(account, counted=counted + calls, counted_at=since)
    if limit is not None:
        charged = replace(charged, tokens=account.tokens - calls)
    if probe:
        wait = min(LONGEST_PROBE_S, FIRST_PROBE_S * 2.0 ** (account.probes + 1))
        charged = replace(charged, probes=account.probes + 1, probe_at=now + wait)
    return charged


def clipped(account: Account, configured: Limit | None, outstanding: int, dearest: int) -> Account:
    """Return the account without the calls that its provider's own bucket has lost meanwhile.

    Calls that are granted and not made yet still lie there, and what comes in above a full bucket is lost: to grant it
    here would be too many later. What comes between two looks, and what the `dearest` that waits needs, is left.
    """
    limit = limit_of(account, configured)
    if limit is None:
        return account
    least = max(2 * LOOKED_AT_S * limit.calls_per_second, limit.needs(dearest))
    most = max(least, limit.holds - outstanding)
    return account if account.tokens <= most else replace(account, tokens=most)


def given_back(account: Account, configured: Limit | None, calls: int) -> Account:
    """Return the account after calls that were granted, and that nobody will make, are given back."""
    limit = limit_of(account, configured)
    return account if limit is None else replace(account, tokens=min(limit.holds, account.tokens + calls))

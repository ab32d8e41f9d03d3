"""The shortest times a workload could take, from the workload alone: nothing here knows how the rotator works.

An account with a full bucket of `burst` calls, which fills with `rate` a second, takes its jobs in the order of weight
over calls (Smith's rule). The n-th call can be made no earlier than (n - burst) / rate; a job's own calls follow each
other, and its waits come on top. (A schedule that fills one job's waits with another's calls can beat this a little:
`calls_after_waits` are then not queued for, and nothing can beat that.)
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Job:
    """One credential: its account, what a second of its exposure weighs, and the calls until it is proven dead."""

    account: str
    weight: float
    calls: int


@dataclass(frozen=True, slots=True)
class Account:
    """How every account answers: calls a second, how many at once, seconds of a call, and seconds of waits in a job."""

    rate: float
    burst: int
    latency_s: float
    waits_s: float


@dataclass(frozen=True, slots=True)
class Bound:
    """Seconds: the mean time to proven dead, weighted, and the last one's."""

    weighted_mean_s: float
    makespan_s: float


def bound(jobs: Iterable[Job], account: Account, *, calls_after_waits: int = 0) -> Bound:
    """Return the bound; with `calls_after_waits` of each job not queued for, one that nothing can beat."""
    weighted = weights = last = 0.0
    made: dict[str, int] = {}
    for job in sorted(jobs, key=lambda each: -each.weight / each.calls):
        made[job.account] = made.get(job.account, 0) + job.calls - calls_after_waits
        queued_s = max(0, made[job.account] - account.burst) / account.rate
        done = queued_s + job.calls * account.latency_s + account.waits_s
        weighted += job.weight * done
        weights += job.weight
        last = max(last, done)
    return Bound(weighted / weights, last)

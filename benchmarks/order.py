"""How close the order and the pace of an incident come to what its accounts' limits allow.

Keys of very different weight lie on accounts that take so many calls a second each. The mean time until a key's death
is proven, weighted by its risk and reach, and the time until the last one's, stand over their bounds.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from benchmarks.bound import Account, Bound, Job, bound
from benchmarks.cloud import Limits
from benchmarks.cloud_keys import Estate, OnWorld, embedded, estate, proven, stolen, wait_until_idle
from rotator.bootstrap import Rotator

KEYS = 5_000
LIMITS = Limits(credentials=KEYS, rate=40.0, burst=40, propagation_s=2.0)
SETTLE_S = 3.0
THREADS = 64
"""Ten accounts at 40 calls a second keep forty threads waiting for answers."""
CALLS = 6
"""The issuer's view, the last use, the pairing knock, the stop; after waits the first refusal and the last."""
AFTER_WAITS = 2
TARGET = 1.10
PATIENCE_S = 600.0


def measure(limits: Limits = LIMITS, settle_s: float = SETTLE_S) -> list[dict[str, object]]:
    """Return weighted mean and makespan over their bounds."""
    with tempfile.TemporaryDirectory() as name, estate(Path(name), limits, settle_s) as cloud:
        parts = OnWorld(cloud.settings(Path(name) / "rotator", THREADS), cloud.world())
        incident, prepared = stolen(parts, cloud.keys)
        with embedded(parts):
            parts.enrolment.approve(incident, prepared.plan.digest, by="benchmark")
            wait_until_idle(parts, PATIENCE_S)
        took = _took(parts, cloud, incident)
        calls, over = cloud.told()
        parts.database.close()
    account = Account(limits.rate, limits.burst, limits.latency_s, limits.propagation_s + settle_s)
    jobs = [Job(each.account, each.weight, CALLS) for each in cloud.keys]
    least, floor = bound(jobs, account), bound(jobs, account, calls_after_waits=AFTER_WAITS)
    print(f"  {len(jobs):,} keys, {sum(calls.values()):,} calls, {sum(over.values()):,} of them over the limit")
    for what, each in (("took", took), ("bound", least), ("bound without the knocks after waits", floor)):
        print(f"    {what}: weighted mean {each.weighted_mean_s:.2f} s, last {each.makespan_s:.2f} s", flush=True)
    what = f"{len(jobs):,} keys on {limits.accounts} accounts"
    values = {
        f"weighted time to proven dead, {what} / bound": took.weighted_mean_s / least.weighted_mean_s,
        f"last proven dead, {what} / bound": took.makespan_s / least.makespan_s,
    }
    return [
        {"name": name, "value": round(value, 3), "unit": "ratio", "target": TARGET} for name, value in values.items()
    ]


def _took(parts: Rotator, cloud: Estate, incident: str) -> Bound:
    approved = parts.reading.incident(incident).approved_at
    dead = {key: at - approved for key, at in proven(parts, incident).items()}
    weights = sum(each.weight for each in cloud.keys)
    return Bound(sum(each.weight * dead[each.id] for each in cloud.keys) / weights, max(dead.values()))

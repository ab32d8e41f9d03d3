"""How long a plan of many credentials takes, and how large a process it needs, that reach others over many edges."""

from __future__ import annotations

import json
import random
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks import scoping
from benchmarks.cloud_keys import OnWorld, prepare, settings
from benchmarks.instant import InstantWorld
from benchmarks.population import RISK, Planted, accounts

CREDENTIALS = 100_000
EDGES = 3
"""Accounts that each may read."""
ACCOUNTS = 1_000
TARGET_S = 15.0
TARGET_GB = 1.0


def measure(credentials: int = CREDENTIALS) -> list[dict[str, object]]:
    """Return the plan's seconds, and the greatest size of the process that made it."""
    command = [sys.executable, "-m", "benchmarks.planning", str(credentials)]
    run = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    took = json.loads(run.stdout)
    what = f"plan of {credentials:,} credentials with {EDGES * credentials:,} edges"
    print(f"  {what}: {took['seconds']:.2f} s, {took['gigabytes']:.3f} GB", flush=True)
    return [
        {"name": what, "value": round(took["seconds"], 4), "unit": "s", "target": TARGET_S},
        {"name": f"{what}, process", "value": round(took["gigabytes"], 6), "unit": "GB", "target": TARGET_GB},
        *scoping.measure(min(credentials, scoping.CREDENTIALS)),
    ]


def plan(credentials: int) -> dict[str, float]:
    """Make the plan here; return what it took."""
    chance, names, risks = random.Random(1), accounts(ACCOUNTS), tuple(RISK)
    planted = [
        Planted(
            account=names[number % ACCOUNTS],
            id=f"key-{number:06}",
            secret=f"{chance.getrandbits(128):032x}",
            criticality=risks[number % len(risks)],
            reads=tuple(sorted(chance.sample(names, EDGES))),
        )
        for number in range(credentials)
    ]
    with tempfile.TemporaryDirectory() as name:
        parts = OnWorld(settings(Path(name), names, 1), InstantWorld())
        start = time.perf_counter()
        made = prepare(parts, planted).plan
        seconds = time.perf_counter() - start
    assert len(made.runs) == credentials
    return {"seconds": seconds, "gigabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6}


if __name__ == "__main__":
    print(json.dumps(plan(int(sys.argv[1]))))

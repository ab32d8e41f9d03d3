"""How long `rotator --help` takes: what everyone waits for who types a command."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time

TIMES = 15
TARGET_S = 0.5


def measure(times: int = TIMES) -> list[dict[str, object]]:
    """Return the median wall time, after one that fills the disk's cache."""
    took = [_seconds() for _ in range(times + 1)][1:]
    print(f"  {times} times: {min(took):.3f} to {max(took):.3f} s")
    return [{"name": "rotator --help", "value": round(statistics.median(took), 3), "unit": "s", "target": TARGET_S}]


def _seconds() -> float:
    start = time.perf_counter()
    subprocess.run([sys.executable, "-m", "rotator", "--help"], check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - start

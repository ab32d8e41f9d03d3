"""What the next credential costs in a large incident, over what it costs in a small one: time and memory.

Each size runs in a process of its own, on SQLite, with a provider that answers at once: plan, declaration, execution
by the embedded runtime, report. What an incident costs whatever its size falls out by comparing three sizes: the middle
one less the small one, and the large one less the middle one, each by credential.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.cloud_keys import OnWorld, embedded, proven, settings, stolen, wait_until_idle
from benchmarks.instant import InstantWorld
from benchmarks.population import accounts, plant
from rotator.report import incident as incident_report

SIZES = (500, 5_000, 50_000)
ACCOUNTS = 10
THREADS = 32
TARGET = 1.2
WARM_UP = 100
"""An incident of so many, or of as many as the measured one, comes first: what is made once is made by then."""


@dataclass(frozen=True, slots=True)
class Cost:
    """Seconds, and kilobytes by which the process's greatest size grew."""

    seconds: float
    kilobytes: float


def measure(sizes: Sequence[int] = SIZES) -> list[dict[str, object]]:
    """Return what the next credential costs at the largest size over what it costs at the middle one."""
    costs = [_in_a_process(size) for size in sizes]
    for size, cost in zip(sizes, costs, strict=True):
        each = f"{cost.seconds / size * 1e3:.2f} ms and {cost.kilobytes / size:.1f} kB each"
        print(f"  {size:,}: {cost.seconds:.2f} s, {cost.kilobytes / 1e3:.1f} MB more; {each}", flush=True)
    (small, middle, large), (few, some, many) = costs, sizes
    first, later = _next(small, middle, some - few), _next(middle, large, many - some)
    grew = {"time": later.seconds / first.seconds, "memory": later.kilobytes / first.kilobytes}
    return [
        {
            "name": f"{what} of the next credential of {many:,} / of {some:,}",
            "value": round(ratio, 3),
            "unit": "ratio",
            "target": TARGET,
        }
        for what, ratio in grew.items()
    ]


def _next(less: Cost, more: Cost, credentials: int) -> Cost:
    """Return what each further credential cost: at least something, since a few take no new page of memory."""
    seconds, kilobytes = more.seconds - less.seconds, more.kilobytes - less.kilobytes
    return Cost(max(seconds, 0.001) / credentials, max(kilobytes, 1) / credentials)


def _in_a_process(size: int) -> Cost:
    command = [sys.executable, "-m", "benchmarks.growth", str(size)]
    run = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return Cost(**json.loads(run.stdout))


def incident_of(size: int) -> dict[str, float]:
    """Run one incident here, after a small one; return its cost."""
    with tempfile.TemporaryDirectory() as name:
        parts = OnWorld(settings(Path(name), accounts(ACCOUNTS), THREADS), InstantWorld())
        with embedded(parts):
            _answer(parts, min(WARM_UP, size), seed=2)
            before, start = _greatest_kilobytes(), time.perf_counter()
            _answer(parts, size, seed=1)
            seconds, kilobytes = time.perf_counter() - start, _greatest_kilobytes() - before
        parts.database.close()
    return {"seconds": seconds, "kilobytes": kilobytes}


def _answer(parts: OnWorld, size: int, seed: int) -> None:
    incident, prepared = stolen(parts, plant(size, ACCOUNTS, seed))
    parts.enrolment.approve(incident, prepared.plan.digest, by="benchmark")
    wait_until_idle(parts)
    proven(parts, incident)
    incident_report.build(parts.reading.incident(incident))


def _greatest_kilobytes() -> int:
    """Return the greatest size of this program: what getrusage tells is inherited from whoever started it."""
    told = Path("/proc/self/status").read_text()
    return int(told.split("VmHWM:", 1)[1].split(maxsplit=1)[0])


if __name__ == "__main__":
    print(json.dumps(incident_of(int(sys.argv[1]))))

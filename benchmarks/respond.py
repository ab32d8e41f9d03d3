"""How long many stolen AWS keys take to be proven dead, against a bare loop that makes the same calls.

Ours is measured from the approval to the moment at which the watch that `respond` shows finds all keys dead and nothing
left to do but what is scheduled for later; the embedded runtime (SQLite, in-memory broker, its threads) is up already,
as the bare loop's clients are. Both have the settle wait in them. Triage, plan and declaration come before it and the
report after it: they are told beside it.
"""

from __future__ import annotations

import contextlib
import statistics
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks import aws_keys, bare
from benchmarks.aws_keys import CONNECTION, KIND, Planted
from benchmarks.cloud_keys import embedded
from rotator import attribution, response
from rotator.bootstrap import Rotator
from rotator.cli.here import POLL_S
from rotator.flow.incident import Severity
from rotator.flow.playbook_words import Strategy
from rotator.flow.run import StepState
from rotator.intake.reading import read
from rotator.report import incident as incident_report

KEYS = 500
REPETITIONS = 4
TARGET_RATIO = 2.0


@dataclass
class Took:
    """Seconds of one measurement, those that this process computed in them, and the requests it sent."""

    seconds: float
    computed: float
    requests: int
    steps: int = 0
    around: dict[str, float] = field(default_factory=dict)


def measure(keys: int = KEYS, repetitions: int = REPETITIONS, settle_s: float | None = None) -> list[dict[str, object]]:
    """Return the ratio of both over fresh keys, in alternating order."""
    pairs: list[tuple[Took, Took]] = []
    with tempfile.TemporaryDirectory() as name, aws_keys.emulator(Path(name)) as aws:
        for number in range(repetitions):
            planted = aws_keys.plant(aws, 2 * keys)
            parts = aws_keys.rotator(Path(name) / f"rotator-{number}", aws, settle_s)
            settle = parts.outside.provider_of(KIND, CONNECTION).settle_s
            if number % 2:
                loop, ours = _bare(parts, planted[keys:]), by_rotator(parts, planted[:keys])
            else:
                ours, loop = by_rotator(parts, planted[:keys]), _bare(parts, planted[keys:])
            pairs.append((ours, loop))
            _tell(keys, number, ours, loop, settle)
            aws_keys.destroy(aws, planted)
            parts.database.close()
    ratio = statistics.median(ours.seconds / loop.seconds for ours, loop in pairs)
    what = f"{keys} AWS keys contained and proven / bare loop"
    return [{"name": what, "value": round(ratio, 3), "unit": "ratio", "target": TARGET_RATIO}]


def _bare(parts: Rotator, keys: Sequence[Planted]) -> Took:
    provider = parts.outside.provider_of(KIND, CONNECTION)
    # The rotator's triage asked whose each key is; that opened the connections, so both begin with them open.
    bare.identify(provider, keys)
    with aws_keys.requests() as sent:
        computed, start = time.process_time(), time.perf_counter()
        bare.contain_and_prove(provider, keys)
        return Took(time.perf_counter() - start, time.process_time() - computed, len(sent))


def by_rotator(parts: Rotator, keys: Sequence[Planted]) -> Took:
    """Respond to a report of these keys; return what it took."""
    around: dict[str, float] = {}
    with _timed(around, "intake and triage"):
        found = attribution.suspects(parts, read("report", aws_keys.report(keys)))
        prepared = response.prepare(parts, found, Strategy.REVOKE_ONLY)
    with _timed(around, "declare"):
        incident = response.declare(
            parts, prepared, title="measured", severity=Severity.HIGH, detected_at=time.time()
        ).id
    with embedded(parts), aws_keys.requests() as sent:
        computed, start = time.process_time(), time.perf_counter()
        parts.enrolment.approve(incident, prepared.plan.digest, by="benchmark")
        while (progress := parts.reading.progress(incident, time.time())).busy:
            time.sleep(POLL_S)
        seconds, computed = time.perf_counter() - start, time.process_time() - computed
    if progress.dead != len(keys):
        raise RuntimeError(f"not all were proven dead: {progress}")
    with _timed(around, "report"):
        report = incident_report.build(parts.reading.incident(incident))
    done = Counter(step["state"] for each in report["credentials"] for step in each["steps"])
    return Took(seconds, computed, len(sent), done[StepState.DONE.value], around)


@contextlib.contextmanager
def _timed(into: dict[str, float], name: str) -> Iterator[None]:
    start = time.perf_counter()
    yield
    into[name] = time.perf_counter() - start


def _tell(keys: int, number: int, ours: Took, loop: Took, settle: float) -> None:
    first = "bare loop first" if number % 2 else "rotator first"
    print(f"  {keys} keys, settle time {settle:g} s, {first}")
    for name, took in (("rotator", ours), ("bare loop", loop)):
        rate = f"{keys / took.seconds:6.1f} proven/s"
        steps = f", {took.steps / took.seconds:6.1f} steps/s" if took.steps else ""
        print(
            f"    {name:9} {took.seconds:6.2f} s ({took.computed:5.2f} s CPU), {took.requests:,} calls, {rate}{steps}"
        )
    less = (ours.seconds - settle) / max(loop.seconds - settle, 0.001)
    print(f"    ratio {ours.seconds / loop.seconds:.3f}; less the settle time {less:.3f}")
    print(f"    around it: {', '.join(f'{name} {seconds:.2f} s' for name, seconds in ours.around.items())}", flush=True)

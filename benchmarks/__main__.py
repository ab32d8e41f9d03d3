"""Run every benchmark, or those that are named; print what came out, and write it to build/bench.json.

A missed target is no failure.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from benchmarks import (
    against_ansible,
    against_script,
    board,
    commands,
    compliance,
    growth,
    intake,
    order,
    overhead,
    packages,
    planning,
    respond,
    segmentation,
)
from benchmarks.cloud import Limits

RESULTS = Path("build/bench.json")
Figures = list[dict[str, object]]


@dataclass(frozen=True, slots=True)
class Benchmark:
    """One benchmark, and its short form where it has one."""

    whole: Callable[[], Figures]
    short: Callable[[], Figures] | None


BENCHMARKS = {
    "commands": Benchmark(commands.measure, lambda: commands.measure(times=1)),
    "intake": Benchmark(intake.measure, lambda: intake.measure(findings=1_000, credentials=200)),
    "packages": Benchmark(packages.measure, lambda: packages.measure(1_000)),
    "respond": Benchmark(respond.measure, lambda: respond.measure(keys=3, repetitions=2, settle_s=0.2)),
    "overhead": Benchmark(overhead.measure, lambda: overhead.measure(keys=8)),
    "order": Benchmark(
        order.measure,
        lambda: order.measure(Limits(credentials=12, accounts=3, rate=100.0, burst=10, propagation_s=0.2), 0.2),
    ),
    "growth": Benchmark(growth.measure, lambda: growth.measure((2, 5, 10))),
    "planning": Benchmark(planning.measure, lambda: planning.measure(200)),
    "segmentation": Benchmark(segmentation.measure, lambda: segmentation.measure(20, 200)),
    "compliance": Benchmark(compliance.measure, lambda: compliance.measure(200)),
    "board": Benchmark(board.measure, lambda: board.measure(20, 2, 2, production=False)),
    "script": Benchmark(against_script.measure, lambda: against_script.measure(3, 0.2, (0.01,))),
    "ansible": Benchmark(against_ansible.measure, None),
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("name", nargs="*", choices=[[], *BENCHMARKS], help=f"only these: {', '.join(BENCHMARKS)}")
    parser.add_argument(
        "--short", action="store_true", help="only see that everything measures: the figures say little"
    )
    parser.add_argument("--results", type=Path, default=RESULTS, help="where to write them (%(default)s)")
    given = parser.parse_args()
    results: Figures = []
    for name in given.name or BENCHMARKS:
        measure = BENCHMARKS[name].short if given.short else BENCHMARKS[name].whole
        if measure is not None:
            print(f"{name} …", flush=True)
            results += ({"better": "lower", **each} for each in measure())
    _table(results)
    given.results.parent.mkdir(parents=True, exist_ok=True)
    given.results.write_text(json.dumps(results, indent=1) + "\n")
    print(f"written to {given.results}")


def _table(results: Figures) -> None:
    width = max(len(str(each["name"])) for each in results)
    print(f"\n{'':{width}}  {'value':>8}  {'target':>13}  unit")
    for each in results:
        lower = each["better"] == "lower"
        missed = each["value"] > each["target"] if lower else each["value"] < each["target"]
        target = f"{'at most' if lower else 'at least'} {each['target']}"
        print(f"{each['name']:{width}}  {each['value']:8}  {target:>13}  {each['unit']}{'  missed' if missed else ''}")
    print()


if __name__ == "__main__":
    main()

"""Run every benchmark, print what came out, and write it to build/bench.json. A missed target is no failure."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from pathlib import Path

from benchmarks import help as help_time
from benchmarks import intake, respond

RESULTS = Path("build/bench.json")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "--short", action="store_true", help="only see that everything measures: the figures say little"
    )
    parser.add_argument("--results", type=Path, default=RESULTS, help="where to write them (%(default)s)")
    given = parser.parse_args()
    whole: list[tuple[str, Callable[[], list[dict[str, object]]]]] = [
        ("the command line", help_time.measure),
        ("intake", intake.measure),
        ("response", respond.measure),
    ]
    short: list[tuple[str, Callable[[], list[dict[str, object]]]]] = [
        ("the command line", lambda: help_time.measure(times=1)),
        ("intake", lambda: intake.measure(findings=1_000, credentials=200)),
        ("response", lambda: respond.measure(keys=40, repetitions=2, settle_s=0.2)),
    ]
    results: list[dict[str, object]] = []
    for name, measure in short if given.short else whole:
        print(f"{name} …", flush=True)
        results += measure()
    _table(results)
    given.results.parent.mkdir(parents=True, exist_ok=True)
    given.results.write_text(json.dumps(results, indent=1) + "\n")
    print(f"written to {given.results}")


def _table(results: list[dict[str, object]]) -> None:
    width = max(len(str(each["name"])) for each in results)
    print(f"\n{'':{width}}  {'value':>8}  {'target':>8}  unit")
    for each in results:
        missed = "" if each["value"] <= each["target"] else "  missed"
        print(f"{each['name']:{width}}  {each['value']:8}  {each['target']:8}  {each['unit']}{missed}")
    print()


if __name__ == "__main__":
    main()

"""Kill workers at every boundary of every case on the fakes, and print what came of it: `make crash`.

What is wrong is printed with the words that do the same trial again; SEED says where second kills and restarts fall.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import fields
from pathlib import Path

from tests.crash.case import PLAYED, Case, every_case
from tests.crash.everywhere import Count, Everywhere, Trial
from tests.crash.killing import Killing
from tests.fakes.company import KINDS

MEMORY = Path("/dev/shm")


def main() -> int:
    """Return 1 when anything did not end as it should."""
    asked = arguments()
    cases = [
        each for each in every_case() if each.kind in (asked.kind or kinds(asked)) and asked.only in {None, each.name}
    ]
    cases = [each for each in cases if each.short or not asked.shapes]
    folder = Path(tempfile.mkdtemp(prefix="rotator-crash-", dir=MEMORY if MEMORY.is_dir() else None))
    began = time.monotonic()
    try:
        if asked.at:
            (folder / "one").mkdir()
            ended = Killing(cases[0], folder / "one").tried(asked.at, asked.restart, asked.spoil)
            say(*(ended.wrong or ["all is well"]))
            return int(bool(ended.wrong))
        if asked.shares > 1:
            count = shared(folder, asked.shares)
        else:
            count = walked(cases[asked.share :: asked.of], Everywhere(folder, asked.seed, asked.shapes, asked.part))
    finally:
        shutil.rmtree(folder)
    if asked.count_in:
        asked.count_in.write_text(told(count))
    else:
        pace = count.kills / (time.monotonic() - began) * 60
        say(f"seed {asked.seed}: {count}; {pace:.0f} kills a minute")
    return int(count.wrong > 0 or not count.kills)


def shared(folder: Path, shares: int) -> Count:
    """Let several processes walk, each through its share of the cases."""
    files = [folder / f"share-{number}.json" for number in range(shares)]
    words = [sys.executable, "-m", "tests.crash", *sys.argv[1:], "--shares", "1", "--of", str(shares)]
    started = [
        subprocess.Popen([*words, "--share", str(number), "--count-in", str(file)]) for number, file in enumerate(files)
    ]
    for each in started:
        each.wait()
    return sum((heard(file.read_text()) for file in files), Count())


def told(count: Count) -> str:
    """Return a count as text; `asdict` would make a Counter of a Counter's pairs."""
    return json.dumps({each.name: getattr(count, each.name) for each in fields(count)})


def heard(text: str) -> Count:
    """Return what `told` wrote."""
    found = json.loads(text)
    return Count(**{**found, "trials": Counter(found["trials"])})


def walked(cases: list[Case], everywhere: Everywhere) -> Count:
    """Try all cases, and say what came of each."""
    for case in cases:
        tried = list(everywhere.trials(case))
        for trial in tried:
            tell(trial)
        say(f"{case.name}: {len(tried)} trials, {sum(bool(each.ended.wrong) for each in tried)} wrong")
    return everywhere.count


def tell(trial: Trial) -> None:
    if trial.ended.wrong:
        say(f"WRONG: {trial}", *(f"    {each}" for each in trial.ended.wrong[:6]))


def say(*lines: str) -> None:
    print("\n".join(lines), flush=True)  # noqa: T201 - it is a command


def kinds(asked: argparse.Namespace) -> tuple[str, ...]:
    return tuple(PLAYED) if asked.played else (*KINDS, *PLAYED)


def arguments() -> argparse.Namespace:
    asked = argparse.ArgumentParser(prog="python -m tests.crash", description=__doc__)
    asked.add_argument("--seed", default=os.environ.get("SEED", "1"))
    asked.add_argument("--shapes", action="store_true", help="only once for each distinct shape of a step")
    asked.add_argument("--part", type=float, default=1.0, help="how many of these shapes, as SEED says: 0.5 is half")
    asked.add_argument("--kind", nargs="+", help="these kinds alone")
    asked.add_argument("--played", action="store_true", help="the kinds that stand for further shapes alone")
    asked.add_argument("--only", help="one case, by its whole name")
    asked.add_argument("--at", type=int, nargs="+", default=[], help="one trial: at these boundaries")
    asked.add_argument("--spoil", default="kill", choices=["kill", "lose", "refuse"])
    asked.add_argument("--restart", type=float, default=0.0, help="seconds until the next worker")
    asked.add_argument("--shares", type=int, default=1, help="processes that walk at once")
    asked.add_argument("--share", type=int, default=0, help=argparse.SUPPRESS)
    asked.add_argument("--of", type=int, default=1, help=argparse.SUPPRESS)
    asked.add_argument("--count-in", type=Path, help=argparse.SUPPRESS)
    return asked.parse_args()


if __name__ == "__main__":
    sys.exit(main())

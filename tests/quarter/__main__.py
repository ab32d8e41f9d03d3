"""Run as: python -m tests.quarter. SEED, CREDENTIALS and DATABASE_URL (PostgreSQL, empty) come from the environment."""

from __future__ import annotations

import os
import sys
import tempfile
import time
from functools import partial
from pathlib import Path

from tests.quarter.checks import Looked
from tests.quarter.ending import given, recomputed, refused
from tests.quarter.play import Quarter, going_by, heard
from tests.quarter.story import Story

say = partial(print, flush=True)
SEED, CREDENTIALS = "20260701", 20_000


def main(folder: Path) -> int:
    """Return 0 when nothing is wrong."""
    seed, size = os.environ.get("SEED") or SEED, int(os.environ.get("CREDENTIALS") or CREDENTIALS)
    quarter = Quarter(folder, seed, size, url=os.environ.get("DATABASE_URL", ""))
    with going_by(quarter.world.now), heard() as logged:
        story = Story(quarter)
        quarter.play()
        found = given(quarter)
        wrong = refused(quarter, found.pack)
    looked = Looked(quarter, story)
    wrong += [*logged, *looked.wrong(), *recomputed(found)]
    for line in wrong:
        say(line, file=sys.stderr)
    say(f"seed: {seed}", *looked.summary(), *told(found.told), sep="\n")
    say(f"evidence: {found.pack.stat().st_size / 2**20:.1f} MiB, verified twice; CPU: {time.process_time():.0f} s")
    say(f"wrong: {len(wrong)}")
    return 1 if wrong else 0


def told(report: dict) -> list[str]:
    """Return the report's main figures as lines."""
    states = ", ".join(f"{many} {name}" for name, many in report["states"].items() if many)
    dead = report["clocks"]["proven_dead"]
    times = ", ".join(f"{name} {dead[name]}" for name in ("n", "open", "p50_s", "p95_s", "mean_s", "max_s"))
    return [f"report: {states}", f"time to proven dead: {times}"]


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as name:
        sys.exit(main(Path(name)))

"""How long it takes to ask: what everyone waits for who types a command, and at two in the morning types many."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

TIMES = 15
TARGET_S = 0.5
CREDENTIALS = 20
ASKED = (["--help"], ["incident", "list"], ["report", "last"])
STILL_OPEN = 3
"""What a report ends with while something in it is left to a person."""


def measure(times: int = TIMES) -> list[dict[str, object]]:
    """Return the median wall time of each: that of a cold disk is not it."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "rotator.toml").write_text('data_dir = "data"\n')
        # Nobody is connected, so all of it is left to people, and nothing else runs.
        rows = (f"aws_iam_access_key,AKIAIOSFODNN7{number:07}\n" for number in range(CREDENTIALS))
        (folder / "ids.csv").write_text("provider,id\n" + "".join(rows))
        _seconds(folder, ["incident", "declare", "ids.csv", "--title", "Stolen laptop"])
        return [_figure(folder, words, times) for words in ASKED]


def _figure(folder: Path, words: list[str], times: int) -> dict[str, object]:
    took = [_seconds(folder, words) for _ in range(times)]
    asked = " ".join(["rotator", *words])
    print(f"  {asked}, {times} times: {min(took):.3f} to {max(took):.3f} s")
    return {"name": asked, "value": round(statistics.median(took), 3), "unit": "s", "target": TARGET_S}


def _seconds(folder: Path, words: list[str]) -> float:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("ROTATOR_")}
    start = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", "rotator", *words], cwd=folder, env=environment, capture_output=True, check=False
    )
    took = time.perf_counter() - start
    if done.returncode not in {0, STILL_OPEN}:
        raise RuntimeError(done.stderr.decode())
    return took

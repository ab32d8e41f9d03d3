"""Whatever is lost at whatever moment, the world ends as it should: workers killed, answers lost, servers down.

Here a fifth of the distinct shapes of the four kinds' steps are met once, on the fakes, and all that only others have;
the seed says which fifth. `make crash` tries every moment of every case.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.fakes.company import KINDS

ROOT = Path(__file__).parents[2]
SEED = "20261122"
WALKS = {"of the four kinds": (["--part", "0.2", "--kind", *KINDS], 30), "of all others": (["--played"], 10)}
"""What each walk is asked, and how many processes it kills at least."""
WITHIN_S = 600


@pytest.fixture(scope="module")
def walks():
    """Walk both at once; each process forks its own workers, and must have no threads."""
    started = {
        name: subprocess.Popen(
            [sys.executable, "-m", "tests.crash", "--shapes", "--seed", SEED, *words],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for name, (words, _) in WALKS.items()
    }
    yield started
    for each in started.values():
        each.kill()
        each.wait()
        each.stdout.close()


@pytest.mark.parametrize("walk", WALKS)
def test_a_process_killed_or_a_call_lost_at_any_shape_of_a_step_leaves_the_world_as_it_should_be(walks, walk):
    said = walks[walk].communicate(timeout=WITHIN_S)[0]
    assert walks[walk].returncode == 0, said
    *_, summary = said.splitlines()
    killed = int(summary.partition(" processes killed")[0].rpartition(" ")[2])
    assert killed >= WALKS[walk][1]
    assert "; 0 trials wrong" in summary

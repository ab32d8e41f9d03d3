"""Whatever is lost at whatever moment, the world ends as it should: workers killed, answers lost, servers down.

Here each distinct shape of a step is met once, on the fakes; `make crash` tries every moment of every case.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.fakes.company import KINDS

ROOT = Path(__file__).parents[2]
SEED = "20261122"
TWO_KEYS = "aws_iam_access_key, contain_first, one place, two of one owner"
WORDS = [sys.executable, "-m", "tests.crash", "--shapes", "--seed", SEED]
FURTHER = "further shapes"
WITHIN_S = 600


@pytest.fixture(scope="module")
def walks():
    """Walk all kinds at once; each process forks its own workers, and must have no threads."""
    asked = {**{kind: ["--kind", kind, "--without", TWO_KEYS] for kind in KINDS}, FURTHER: ["--played"]}
    started = {
        kind: subprocess.Popen(
            [*WORDS, *words],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for kind, words in asked.items()
    }
    yield started
    for each in started.values():
        each.kill()
        each.wait()
        each.stdout.close()


@pytest.mark.parametrize("kind", KINDS)
def test_a_process_killed_or_a_call_lost_at_any_shape_of_a_step_leaves_the_world_as_it_should_be(walks, kind):
    said = walks[kind].communicate(timeout=WITHIN_S)[0]
    assert walks[kind].returncode == 0, said
    *_, summary = said.splitlines()
    killed = int(summary.partition(" processes killed")[0].rpartition(" ")[2])
    assert killed >= 30
    assert "; 0 trials wrong" in summary


def test_what_only_other_kinds_ask_of_the_engine_ends_well_too(walks):
    said = walks[FURTHER].communicate(timeout=WITHIN_S)[0]
    assert walks[FURTHER].returncode == 0, said
    assert "; 0 trials wrong" in said.splitlines()[-1]


def test_two_keys_of_one_owner_are_replaced_whatever_is_lost():
    done = subprocess.run([*WORDS, "--only", TWO_KEYS], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout

"""A worker is killed by SIGKILL around a call that it makes for many; the next one loses and doubles nothing."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from rotator.flow.proof import Evidence
from tests.crash.killing import forked
from tests.fakes.batch_issuer import CALL, Mint, minted
from tests.fakes.deployment import broken_chains, sqlite
from tests.fakes.world import FileWorld

TOKENS = 5
BATCH = 3
BOUNDARIES = [
    (phase, what)
    for what in ("ledger.claim_alike", "ledger.commit_all", CALL, "ledger.release_all", "ledger.release")
    for phase in ("before", "after")
]


def work(folder: str, phase: str, what: str, number: int) -> None:
    """Work in this process until it is killed."""
    mine = FileWorld(Path(folder) / "world.json")
    mine.meet = dies_at((phase, what), number)
    Mint(mine, sqlite(Path(folder) / "ledger.db"), batch_size=BATCH, settle_s=2.0).deployment.rest()


@pytest.fixture(scope="module")
def forker():
    """Start a process that has imported everything, and has no threads: each worker is forked from it."""
    words = [sys.executable, "-m", "tests.crash.test_batch_kills"]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield process
        process.stdin.close()


def killed(forker, folder, boundary, number) -> int:
    """Let a process of its own do it; return the signal that ended it, 0 for none."""
    print(json.dumps([str(folder), *boundary, number]), file=forker.stdin, flush=True)
    return os.WTERMSIG(int(forker.stdout.readline()))


def dies_at(boundary, number):
    """Return a `meet` that kills this process when it comes to the boundary for that time."""
    left = [number]

    def meet(phase, what, _changes):
        if (phase, what) == boundary:
            left[0] -= 1
            if left[0] == 0:
                os.kill(os.getpid(), signal.SIGKILL)

    return meet


@pytest.fixture(scope="module")
def beginning(tmp_path_factory):
    """Return what was stolen, and the folder of a deployment that is about to revoke it."""
    folder = tmp_path_factory.mktemp("beginning")
    mint = minted(folder, FileWorld(folder / "world.json"), batch_size=BATCH, settle_s=2.0)
    stolen = mint.stolen(TOKENS)
    mint.deployment.start(stolen)
    mint.deployment.rest()
    mint.isolated()
    mint.deployment.database.close()
    return stolen, folder


@pytest.mark.parametrize("number", [1, 2])
@pytest.mark.parametrize("boundary", BOUNDARIES, ids=" ".join)
def test_whatever_a_killed_worker_leaves_the_next_one_ends(tmp_path, beginning, forker, boundary, number):
    stolen, folder = beginning
    shutil.copytree(folder, tmp_path, dirs_exist_ok=True)

    assert killed(forker, tmp_path, boundary, number) == signal.SIGKILL
    found = minted(tmp_path, FileWorld(tmp_path / "world.json"), batch_size=BATCH, settle_s=2.0)
    found.deployment.rest(found.deployment.recover())
    assert not any(found.opens(each) for each in stolen)
    runs = found.deployment.record().runs
    assert {each.run.evidence for each in runs} == {Evidence.PROVEN}
    assert {step.state.value for each in runs for step in each.steps} == {"done"}
    assert broken_chains(found.deployment) == []
    assert found.deployment.due.claims() == []
    found.deployment.database.close()


if __name__ == "__main__":
    for line in sys.stdin:
        asked = json.loads(line)
        print(forked(lambda asked=asked: work(*asked)), flush=True)  # noqa: T201 - it is asked so

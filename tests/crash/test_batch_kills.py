"""A worker is killed by SIGKILL around a call that it makes for many; the next one loses and doubles nothing."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from rotator.flow.proof import Evidence
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


def work(folder: str, phase: str, what: str, number: str) -> None:
    """Work in this process until it is killed."""
    mine = FileWorld(Path(folder) / "world.json")
    mine.meet = dies_at((phase, what), int(number))
    Mint(mine, sqlite(Path(folder) / "ledger.db"), batch_size=BATCH, settle_s=2.0).deployment.rest()


def killed(folder, boundary, number) -> int:
    """Let a process of its own do it; return the signal that ended it, 0 for none."""
    # A fresh one: this one may have threads by now, and must not be forked.
    words = [sys.executable, "-m", "tests.crash.test_batch_kills", str(folder), *boundary, str(number)]
    return -subprocess.run(words, check=False, stdout=subprocess.DEVNULL).returncode


def dies_at(boundary, number):
    """Return a `meet` that kills this process when it comes to the boundary for that time."""
    left = [number]

    def meet(phase, what, _changes):
        if (phase, what) == boundary:
            left[0] -= 1
            if left[0] == 0:
                os.kill(os.getpid(), signal.SIGKILL)

    return meet


@pytest.mark.parametrize("number", [1, 2])
@pytest.mark.parametrize("boundary", BOUNDARIES, ids=" ".join)
def test_whatever_a_killed_worker_leaves_the_next_one_ends(tmp_path, boundary, number):
    world = FileWorld(tmp_path / "world.json")
    mint = minted(tmp_path, world, batch_size=BATCH, settle_s=2.0)
    stolen = mint.stolen(TOKENS)
    mint.deployment.start(stolen)
    mint.deployment.rest()
    mint.isolated()
    mint.deployment.database.close()

    assert killed(tmp_path, boundary, number) == signal.SIGKILL
    found = minted(tmp_path, world, batch_size=BATCH, settle_s=2.0)
    found.deployment.rest(found.deployment.recover())
    assert not any(found.opens(each) for each in stolen)
    runs = found.deployment.record().runs
    assert {each.run.evidence for each in runs} == {Evidence.PROVEN}
    assert {step.state.value for each in runs for step in each.steps} == {"done"}
    assert broken_chains(found.deployment) == []
    assert found.deployment.due.claims() == []
    found.deployment.database.close()


if __name__ == "__main__":
    work(*sys.argv[1:])

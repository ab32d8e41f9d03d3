"""A worker process on a company that is a file. It kills itself, as SIGKILL does, after the n-th change of anything.

Run as: python -m tests.fakes.killed_worker FOLDER NUMBER (0: live to the end).
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

from rotator.flow.playbook import Strategy
from tests.fakes.company import Company, founded
from tests.fakes.deployment import Deployment, sqlite
from tests.fakes.world import FileWorld


def reopened(folder: Path) -> tuple[Company, Deployment]:
    """Open the world and the ledger of a folder, as each process finds them."""
    return founded(folder, world=FileWorld(folder / "world.json"), database=sqlite(folder / "ledger.db"))


def work(folder: Path, number: int) -> int:
    """Work until all is at rest, or until the n-th change; return how many there were."""
    company, deployment = reopened(folder)
    changed = 0

    def die(phase: str, _what: str, changes: bool) -> None:
        nonlocal changed
        if phase == "after" and changes:
            changed += 1
            if changed == number:
                os.kill(os.getpid(), signal.SIGKILL)

    company.world.meet = die
    deployment.rest(deployment.recover())
    deployment.database.close()
    return changed


def begin(folder: Path, kind: str, strategy: Strategy) -> None:
    """Declare and approve one stolen credential; leave its name behind for those who check."""
    company, deployment = reopened(folder)
    stolen, secret = company.stolen(kind, places=("kv", "kv-2"))
    (folder / "stolen").write_text(f"{stolen.ref.owner}\n{stolen.ref.id}\n{secret.reveal()}")
    deployment.start([stolen], wanted=strategy)
    deployment.database.close()


if __name__ == "__main__":
    where = Path(sys.argv[1])
    print(work(where, int(sys.argv[2])))  # noqa: T201 - told to the test that started it

"""What a board's benchmark runs in processes of their own: who serves it, and who writes what workers would."""

from __future__ import annotations

import sys
import time
from itertools import cycle
from pathlib import Path

from sqlalchemy import select, update

from benchmarks.cloud_keys import OnWorld
from benchmarks.instant import InstantWorld
from rotator.api.app import listen, run
from rotator.ledger import statements, tables
from rotator.ledger.evidence import chained
from rotator.settings.configuration import Settings

STEPS_A_SECOND = 1_000
AT_ONCE = 100


def parts_of(given: Path) -> OnWorld:
    """Return a rotator of the settings that another process told of."""
    settings = Settings(folder=given.parent, **Settings.model_validate_json(given.read_text()).model_dump())
    return OnWorld(settings, InstantWorld())


def land(parts: OnWorld, incident: str) -> None:
    """Let steps land until ended: each is done, with its evidence, by a hundred branches in a transaction."""
    step, branch = tables.step, tables.branch
    query = select(step.c.id, step.c.branch).join(branch, branch.c.id == step.c.branch)
    with parts.database.read() as connection:
        every = connection.execute(query.where(branch.c.incident == incident).order_by(step.c.id)).all()
    heads: dict[str, tuple[int, str]] = {}
    begun, landed, waiting = time.monotonic(), 0, cycle(every)
    while True:
        time.sleep(max(0.0, begun + landed / STEPS_A_SECOND - time.monotonic()))
        evidence = []
        with parts.database.write() as connection:
            for name, of_branch in (next(waiting) for _ in range(AT_ONCE)):
                record = {"at": time.time(), "step": name, "state": "done"}
                length, head = heads.get(of_branch, (0, ""))
                found, length, head = chained(of_branch, length, head, [record])
                heads[of_branch] = length, head
                evidence += found
                connection.execute(update(step).where(step.c.id == name).values(state="done", settled_at=time.time()))
            connection.execute(statements.ADD_EVIDENCE, evidence)
        if not landed:
            print("landing", flush=True)
        landed += AT_ONCE


if __name__ == "__main__":
    what, given, more = sys.argv[1:]
    if what == "serve":
        run(parts_of(Path(given)), listen("127.0.0.1", int(more)))
    land(parts_of(Path(given)), more)

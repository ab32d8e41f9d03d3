"""How long a board waits for an incident of 50,000 credentials: at first, and while 1,000 steps a second land.

The ledger is a file of its own, filled by declaring and approving a plan. What lands is written as workers write it: a
step that is done, and its evidence, by a hundred branches in a transaction.
"""

from __future__ import annotations

import math
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import cycle
from pathlib import Path

from sqlalchemy import select, update

from benchmarks.cloud_keys import OnWorld, settings, stolen
from benchmarks.instant import InstantWorld
from benchmarks.population import accounts, plant
from rotator.ledger import statements, tables
from rotator.ledger.evidence import chained
from rotator.shown.live import Live
from rotator.shown.moments import curve, milestones
from rotator.shown.picture import Picture

CREDENTIALS = 50_000
SMALL = 199
"""How many small incidents the list has beside the large one."""
STEPS_A_SECOND = 1_000
AT_ONCE = 100
ANSWERS = 60
EVERY_S = 0.25
TARGET_S = 0.2
ACCOUNTS = 10


def measure(credentials: int = CREDENTIALS, answers: int = ANSWERS, small: int = SMALL) -> list[dict[str, object]]:
    """Return the seconds that the slowest of twenty answers took, by what was asked."""
    with tempfile.TemporaryDirectory() as name:
        parts = OnWorld(settings(Path(name), accounts(ACCOUNTS), 1), InstantWorld())
        incident, prepared = stolen(parts, plant(credentials, ACCOUNTS))
        parts.enrolment.approve(incident, prepared.plan.digest, by="benchmark")
        for number in range(small):
            stolen(parts, plant(1, ACCOUNTS, seed=number + 2))
        live = Live(parts)
        took = {"first answer after start": [_timed(lambda: live.of(incident))[0]]}
        begun = time.perf_counter()
        live.of(incident, None)
        print(f"  {credentials:,} credentials: whole after {time.perf_counter() - begun:.2f} s", flush=True)
        with _landing(parts, incident):
            for _ in range(answers):
                _ask(took, live, incident)
                took.setdefault("list of incidents", []).append(_timed(parts.reading.incidents)[0])
                time.sleep(EVERY_S)
        lag = time.time() - live.of(incident).at
        print(f"  the last picture was {lag:.2f} s old", flush=True)
        live.close()
        parts.database.close()
    return [
        {
            "name": f"board of {credentials:,} credentials: {what}, p95",
            "value": max(round(_p95(seconds), 4), 0.0001),
            "unit": "s",
            "target": TARGET_S,
        }
        for what, seconds in took.items()
    ]


def _ask(took: dict[str, list[float]], live: Live, incident: str) -> None:
    """Ask for each part of a page as a page does, one after the other."""
    seconds, picture = _timed(lambda: live.of(incident))
    parts: dict[str, Callable[[Picture], object]] = {
        "counts": lambda found: (found.totals, found.by_provider),
        "rows": lambda found: found.page(state="pending", text="key", limit=100),
        "queue": lambda found: found.queue(limit=50),
        "curve and milestones": lambda found: (curve(found, found.at), milestones(found)),
    }
    took.setdefault("picture", []).append(seconds)
    for what, part in parts.items():
        took.setdefault(what, []).append(_timed(lambda part=part: part(picture))[0])  # type: ignore[misc]
    took.setdefault("all of it", []).append(seconds + sum(took[what][-1] for what in parts))


def _timed(work: Callable[[], object]) -> tuple[float, object]:
    begun = time.perf_counter()
    answer = work()
    return time.perf_counter() - begun, answer


def _p95(seconds: list[float]) -> float:
    return sorted(seconds)[math.ceil(0.95 * len(seconds)) - 1]


@contextmanager
def _landing(parts: OnWorld, incident: str) -> Iterator[None]:
    """Let steps land until the block ends, in a thread."""
    over = threading.Event()
    thread = threading.Thread(target=_land, args=(parts, incident, over))
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _land(parts: OnWorld, incident: str, over: threading.Event) -> None:
    step, branch = tables.step, tables.branch
    query = select(step.c.id, step.c.branch).join(branch, branch.c.id == step.c.branch)
    with parts.database.read() as connection:
        every = connection.execute(query.where(branch.c.incident == incident).order_by(step.c.id)).all()
    heads: dict[str, tuple[int, str]] = {}
    begun, landed, waiting = time.monotonic(), 0, cycle(every)
    while not over.wait(max(0.0, begun + landed / STEPS_A_SECOND - time.monotonic())):
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
        landed += AT_ONCE

"""Kill a worker process at any boundary, start the next on what it left, and have the end judged.

A boundary is the moment before or after one call to the outside or one use of the ledger. Each worker is forked from a
process that has imported everything and holds nothing open, and works on a copy of a prepared folder; it dies by
SIGKILL, so nothing of it is flushed, closed or rolled back by anybody but the operating system.
"""

from __future__ import annotations

import gc
import json
import os
import shutil
import signal
import threading
from collections.abc import Callable
from dataclasses import astuple, dataclass, field
from pathlib import Path
from typing import Any

import structlog

from rotator.errors import Unavailable, Uncertain
from tests.crash import verdict
from tests.crash.case import Case, Scene, opened, prepare
from tests.crash.person import carry_on
from tests.crash.witness import Witness
from tests.fakes.deployment import sqlite


@dataclass(frozen=True)
class Boundary:
    """One moment: `doing` is the step that the ledger calls running.

    `fresh`: some byte on the disk is not as it was at the boundary before. Where none is, a worker that dies leaves
    exactly the same behind, so that the two are one moment to whoever comes next.
    """

    phase: str
    what: str
    changes: bool
    doing: str
    fresh: bool

    @property
    def shape(self) -> str:
        return f"{self.phase} {self.what} in {self.doing or 'no step'}"


@dataclass
class Ended:
    """What became of a trial: what is wrong, and the boundaries that the last worker met."""

    wrong: list[str]
    boundaries: list[Boundary] = field(default_factory=list)
    faults: int = 0


class Killing:
    """One case, tried as often as one likes. `workshop` is a folder for the prepared beginning and the copies."""

    def __init__(self, case: Case, workshop: Path) -> None:
        assert threading.active_count() == 1, "a process with threads must not be forked"
        self.case, self._workshop = case, workshop
        self._prepared, self._trial = workshop / "prepared", workshop / "trial"
        self._prepared.mkdir()
        ledger = workshop.parent / "migrated.db"
        if not ledger.exists():
            sqlite(ledger).close()
        shutil.copy(ledger, self._prepared / "ledger.db")
        prepare(self._prepared, case)
        self._warm()
        gc.freeze()

    def _warm(self) -> None:
        """Do once what would be done in each worker again: lazy imports, and the wording of statements."""
        shutil.copytree(self._prepared, self._trial)
        scene = opened(self._trial, self.case)
        scene.company.world.meet = Meeting(scene, Witness(scene, self._trial / "witnessed"), 0, "", None)
        carry_on(scene, scene.deployment.recover())
        verdict.wrong(scene, 0)
        scene.deployment.database.close()

    def untouched(self) -> Ended:
        """Let one worker do it all; what it meets numbers the boundaries."""
        return self.tried([], 0.0)

    def tried(self, numbers: list[int], restart_s: float, spoil: str = "kill") -> Ended:
        """Kill a worker at each of these boundaries in turn, counted from its own start, and let the last one live."""
        shutil.rmtree(self._trial, ignore_errors=True)
        shutil.copytree(self._prepared, self._trial)
        if spoil != "kill":
            _ended_well(forked(lambda: self._work(numbers[0], None, spoil, 1)))
            return self._ended(1)
        died = 0
        for number in numbers:
            wait_s = restart_s if died else None
            status = forked(lambda number=number, wait_s=wait_s, died=died: self._work(number, wait_s, "kill", died))
            if os.WIFSIGNALED(status):
                assert os.WTERMSIG(status) == signal.SIGKILL
                died += 1
            else:
                _ended_well(status)
                return self._ended(died)
        _ended_well(forked(lambda: self._work(0, restart_s if died else None, "kill", died)))
        return self._ended(died)

    def clear(self) -> None:
        """Leave nothing of it."""
        shutil.rmtree(self._workshop)

    def _ended(self, faults: int) -> Ended:
        said = json.loads((self._trial / "ended.json").read_text())
        return Ended(said["wrong"], [Boundary(*each) for each in said["boundaries"]], faults)

    def _work(self, number: int, restart_s: float | None, spoil: str, faults: int) -> None:
        """Be a worker: until the boundary of that number, or to the end, and then the judge of it."""
        log = self._trial / "log"
        structlog.configure(processors=[_to(log)])
        scene = opened(self._trial, self.case)
        calm = not (number or faults)
        met = Meeting(scene, Witness(scene, self._trial / "witnessed"), number, spoil, self._trial if calm else None)
        world = scene.company.world
        if restart_s is not None:
            world.wait_until(world.now() + restart_s)
        worker = scene.deployment.recover() if restart_s is not None else scene.deployment.engine()
        world.meet = met
        broke = ""
        try:
            carry_on(scene, worker)
        except AssertionError as error:
            broke = str(error)
        world.meet = lambda *_: None
        found = [broke] if broke else verdict.wrong(scene, faults)
        found += _lines(self._trial / "witnessed") + _lines(log)
        boundaries = [list(astuple(each)) for each in met.boundaries]
        (self._trial / "ended.json").write_text(json.dumps({"wrong": found, "boundaries": boundaries}))
        scene.deployment.database.close()


class Meeting:
    """What a worker meets: it counts the boundaries, and is where one of them goes wrong."""

    def __init__(self, scene: Scene, witness: Witness, number: int, spoil: str, folder: Path | None) -> None:
        self.boundaries: list[Boundary] = []
        self._scene, self._witness, self._number, self._spoil, self._folder = scene, witness, number, spoil, folder
        self._left: list[bytes] = []

    def __call__(self, phase: str, what: str, changes: bool) -> None:
        self._witness.look(phase, what, changes)
        doing = self._doing() if self._folder else ""
        self.boundaries.append(Boundary(phase, what, changes, doing, self._is_fresh()))
        if len(self.boundaries) == self._number:
            if self._spoil == "kill":
                os.kill(os.getpid(), signal.SIGKILL)
            elif self._spoil == "lose":
                raise (Uncertain if changes else Unavailable)("lost")
            raise Unavailable("down")
        if phase == "before" and not what.startswith("ledger"):
            self._scene.meet_downtime(self._scene.company.world.about)

    def _is_fresh(self) -> bool:
        """Tell whether the disk is not as it was; only who numbers the boundaries asks."""
        if self._folder is None:
            return True
        files = [self._folder / name for name in ("world.json", "ledger.db", "ledger.db-wal")]
        left = [each.read_bytes() for each in files if each.exists()]
        known, self._left = self._left, left
        return left != known

    def _doing(self) -> str:
        rows = self._scene.deployment.rows("step")
        return ", ".join(sorted(row["name"] for row in rows if row["state"] == "running"))


def forked(act: Callable[[], object]) -> int:
    """Do it in a process of its own, and return how that ended, as the operating system says it."""
    child = os.fork()
    if child == 0:
        gc.disable()  # it would write into every page that is shared with the parent
        code = 1
        try:
            act()
            code = 0
        except BaseException:  # noqa: BLE001 - nothing may come back into the parent's code
            import traceback  # noqa: PLC0415

            traceback.print_exc()
        finally:
            os._exit(code)
    return os.waitpid(child, 0)[1]


def _ended_well(status: int) -> None:
    assert status == 0, f"a worker ended with {status}; its traceback is above"


def _to(log: Path) -> Callable[[Any, str, dict[str, Any]], dict[str, Any]]:
    """Keep what a worker logs as an error: a defect of ours, wherever it was."""

    def keep(_logger: Any, method: str, event: dict[str, Any]) -> dict[str, Any]:
        if method == "error":
            with log.open("a") as file:
                file.write(json.dumps(event, default=str) + "\n")
        raise structlog.DropEvent

    return keep


def _lines(file: Path) -> list[str]:
    return file.read_text().splitlines() if file.exists() else []

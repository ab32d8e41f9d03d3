"""Hold the drills that are scheduled, and end those that were left, while this process's dispatcher leads."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import partial

from rotator import clock, drill_lock, drilling
from rotator.bootstrap import Rotator
from rotator.errors import BadInput, RotatorError, Unavailable
from rotator.flow.exercise import Exercise, opened
from rotator.leading import Leading
from rotator.ledger import drills
from rotator.ledger.database import LedgerFailed

log = logging.getLogger("rotator")

LOOK_S = 20.0
"""Seconds between two looks: in each a drill comes one step on, and the last look of it takes its canaries away."""


class Practising:
    """The thread that holds drills. `leads` says whether this process is the one to do it."""

    def __init__(self, parts: Rotator, leads: Callable[[], bool], every_s: float = LOOK_S) -> None:
        self._parts = parts
        self._thread = Leading("practising", self.look, leads, every_s)

    def start(self) -> None:
        """Begin; also where nothing is scheduled, a drill may have been left."""
        self._thread.start()

    def stop(self) -> None:
        """End; what is under way is carried on by whoever leads next."""
        self._thread.stop()

    def look(self) -> None:
        """Carry on what was begun, and begin what is due; what goes wrong is logged, and looked at again."""
        parts = self._parts
        try:
            with drill_lock.held(parts.settings.data_dir):
                for row in drilling.left(parts, *([0.0] if parts.settings.embedded else [])):
                    self._tried(row.name, partial(drilling.settle, parts, row.incident))
                for each in parts.settings.drills.exercises:
                    self._tried(each.name, partial(self._due, each.exercise()))
        except BadInput:
            return  # a drill is held by hand: it ends what was left by itself
        except LedgerFailed as error:
            log.warning("drill_waits: the ledger failed (%s)", type(error).__name__)

    def _due(self, exercise: Exercise) -> None:
        """Begin an exercise whose window is open and had none."""
        if exercise.schedule is None:
            return
        with self._parts.database.read() as connection:
            last = drills.last_slot(connection, exercise.name)
        slot = opened(exercise.schedule, last, clock.now())
        if slot is not None:
            row = drilling.begin(self._parts, exercise, f"schedule of {exercise.name}", self._wait, slot)
            log.info("drill_begun: %s: %s", row.incident, exercise.name)

    def _wait(self, seconds: float) -> None:
        """Let seconds pass, unless there is no time any more: then what was minted is taken away again."""
        if self._thread.wait(seconds):
            raise Unavailable("ending", "this process ends")

    def _tried(self, name: str, act: Callable[[], object]) -> None:
        try:
            act()
        except RotatorError as error:
            log.warning("drill_not_held: %s: %s", name, error)
        except LedgerFailed:
            raise
        except Exception as error:  # noqa: BLE001 - a defect of ours must not keep the others; its words may hold material
            log.error("drill_failed: %s: %s", name, type(error).__name__)  # noqa: TRY400 - likewise

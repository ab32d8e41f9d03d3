"""Make incidents of the alarms that are kept: asked and planned as any report is, and left for a person to approve.

One that is told again is added to its incident, as a person adds a report. For one that carries an advisory vendors are
triaged instead.

A few threads of the serving process do it, and do first what a process before them left undone. One alarm may take
minutes, with many credentials or an issuer that is down: so each thread but one takes none beyond a length. What an
alarm only points to is fetched first (see `fetching`); what it lacks then is a task for a person.
"""

from __future__ import annotations

import logging
import threading

from rotator import attribution, clock, growth, response, standing_orders
from rotator.alarm import arriving
from rotator.api.fetching import POINTING, completed
from rotator.attribution import Kinds
from rotator.bootstrap import Rotator
from rotator.credential import Leaked
from rotator.errors import RotatorError
from rotator.flow.exposure import Exposure, Suspect
from rotator.flow.scope import Unresolved
from rotator.ledger.database import LedgerFailed
from rotator.ledger.triggers import Taken
from rotator.triggers.message import Missing, Trigger
from rotator.triggers.senders import kinds_of

log = logging.getLogger("rotator")

LOOK_AGAIN_S = 30.0
"""Seconds after which the ledger is looked at in any case: another machine may have kept an alarm."""
LANES: tuple[int | None, ...] = (None, 1 << 18, 1 << 16, 1 << 13)
"""How long an alarm each thread takes at most, sealed, in bytes: forty credentials are some 8,000.

The one that takes any length takes none that points elsewhere: these wait for services that may hang.
"""


class Declaring:
    """The threads that declare."""

    def __init__(self, parts: Rotator) -> None:
        self._parts = parts
        self._ended, self._taking = threading.Event(), threading.Lock()
        self._at_work: set[str] = set()
        self._is_first = True
        # Each has an event of its own: who goes to sleep must not take the others' call with him.
        self._woken = [threading.Event() for _ in LANES]

    def start(self) -> None:
        """Begin, with what was left undone."""
        for woken, lane in zip(self._woken, LANES, strict=True):
            threading.Thread(target=self._work, args=(woken, lane), name="declaring", daemon=True).start()

    def wake(self) -> None:
        """Say that an alarm was kept."""
        for each in self._woken:
            each.set()

    def stop(self) -> None:
        """End them after what they are at; what is undone stays due."""
        self._ended.set()
        self.wake()

    def _work(self, woken: threading.Event, lane: int | None) -> None:
        while not self._ended.is_set():
            woken.clear()
            wait_s = LOOK_AGAIN_S
            try:
                while not self._ended.is_set() and (taken := self._take(lane)) is not None:
                    try:
                        declare(self._parts, taken)
                    finally:
                        with self._taking:
                            self._at_work.discard(taken.id)
                with self._taking:
                    due_at = self._parts.triggers.next_due_at(lane, self._at_work, _left_alone(lane))
                if due_at is not None:
                    wait_s = min(max(due_at - clock.now(), 0.0), LOOK_AGAIN_S)
            except (LedgerFailed, RotatorError) as error:
                log.warning("declaring_waits: the ledger failed (%s)", type(error).__name__)
            woken.wait(wait_s)

    def _take(self, lane: int | None) -> Taken | None:
        """Take an alarm, one thread at a time, and none that another is at: it may be due again before he is done."""
        with self._taking:
            if self._is_first:
                self._parts.triggers.everything_is_due()
                self._is_first = False
            taken = self._parts.triggers.take(lane, self._at_work, _left_alone(lane))
            if taken is not None:
                self._at_work.add(taken.id)
            return taken


def _left_alone(lane: int | None) -> frozenset[str]:
    return POINTING if lane is None else frozenset()


def declare(parts: Rotator, taken: Taken) -> None:
    """Make an alarm its incident, or put it off with the reason. Raises LedgerFailed."""
    try:
        if records := parts.triggers.advisories(taken):
            found = arriving.take(parts, records, f"{taken.sender} webhook", taken.detected_at)
            parts.triggers.triaged(taken.id, arriving.said(found))
            return
        if taken.again:
            _add(parts, taken)
        elif not parts.triggers.is_declared(taken.incident):
            _declare(parts, taken)
    except RotatorError as error:
        parts.triggers.put_off(taken.id, str(error))
    except LedgerFailed:
        raise
    except Exception as error:  # noqa: BLE001 - a defect of ours must not lose the others; its words may hold material
        log.error("trigger_failed: %s: %s", taken.id, type(error).__name__)  # noqa: TRY400 - likewise
        parts.triggers.put_off(taken.id, f"internal error ({type(error).__name__})")
    else:
        if taken.again:
            parts.triggers.added(taken.id)
        else:
            parts.triggers.declared(taken.id, taken.incident)


def _add(parts: Rotator, taken: Taken) -> None:
    """Add to its incident what is told of it again: what was dead is looked at next, what is planned already is not."""
    found, lacking, kinds = _read(parts, taken, completed(parts, taken))
    present = parts.enrolment.present(taken.incident)
    prepared = growth.prepare(
        parts, found, unresolved=lacking, present=present, kinds=kinds, exposed_at=taken.exposed_at
    )
    shown, by = growth.shown(parts, present, prepared, {}), f"{taken.sender} webhook"
    growth.add(parts, present, prepared, detected_at=taken.detected_at, by=by, why="told again", shown=shown)


def _declare(parts: Rotator, taken: Taken) -> None:
    whole = completed(parts, taken)
    if whole.title != taken.title:
        parts.triggers.retitled(taken.id, whole.title)
    found, lacking, kinds = _read(parts, taken, whole)
    prepared = response.prepare(
        parts, found, unresolved=lacking, kinds=kinds, exposed_at=taken.exposed_at, severity=taken.severity
    )
    try:
        standing_orders.declare(
            parts,
            prepared,
            taken.sender,
            title=whole.title,
            severity=taken.severity,
            detected_at=taken.detected_at,
            exposed_at=taken.exposed_at,
            by=f"{taken.sender} webhook",
            incident_id=taken.incident,
        )
    except LedgerFailed:
        # Two machines may have had it after a long wait: then the other has written this very incident.
        if not parts.triggers.is_declared(taken.incident):
            raise


def _read(parts: Rotator, taken: Taken, whole: Trigger) -> tuple[list[Suspect], list[Unresolved], Kinds]:
    """Return what an alarm names, and what it lacks, as the inventory and the sender's own words have it now."""
    kinds = _kinds(parts, taken.sender)
    lacking = [_unresolved(each, kinds.get((each.source, each.rule))) for each in whole.missing]
    parts.look_again()
    return attribution.suspects(parts, whole.exposures, kinds), lacking, kinds


def _kinds(parts: Rotator, sender: str) -> dict[tuple[str, str], str]:
    """Return which of our kinds answers which type of the sender, as far as there are playbooks."""
    name = sender.partition("/")[0]
    more = next((each.kinds for each in parts.settings.triggers if each.title == sender), {})
    return {type_: kind for type_, kind in kinds_of(name, more).items() if kind in parts.playbooks}


def _unresolved(missing: Missing, kind: str | None) -> Unresolved:
    seen = Exposure(missing.source, missing.rule, Leaked(id=missing.key), missing.where)
    return Unresolved(kind, missing.key, (seen,), missing.reason, missing.mend)

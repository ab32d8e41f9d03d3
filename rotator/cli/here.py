"""The ledger here as the command line's back."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from rotator import clock
from rotator.actor import actor
from rotator.operations.operation import Answer, Given, Operation
from rotator.uncollected import uncollected

if TYPE_CHECKING:
    from rotator.bootstrap import Rotator
    from rotator.cli.options import Context
    from rotator.ledger.records import Progress
    from rotator.operations.view import FileOf, ListOf, Of, OfIncident

POLL_S = 0.25
ASK_AFTER_WORKERS_S = 3.0
NOBODY_WORKS_S = 30.0


class Here:
    """Implements `operations.service.Service` in the name of the operating system's login."""

    def __init__(self, given: Context, parts: Rotator) -> None:
        self._given, self._parts = given, parts

    def does(self, operation: Operation[Given], *args: Given.args, **named: Given.kwargs) -> Answer:
        """Do it here."""
        return operation(self._parts, actor(), *args, **named)

    def shows(self, view: OfIncident, incident: str = "") -> dict[str, Any]:
        """Make it here."""
        with uncollected():
            return view.make(self._parts, incident, self._given.called)

    def lists(self, view: ListOf, incident: str = "") -> list[dict[str, Any]]:
        """Make it here."""
        with uncollected():
            return view.make(self._parts, incident)

    def file(self, view: FileOf[Of], form: Of, asked: Mapping[str, str]) -> Iterable[bytes]:
        """Make it here."""
        return view.make(self._parts, actor(), form, asked)

    def incident(self, name: str) -> str:
        """Ask the ledger."""
        return self._parts.reading.named(name)

    def run(self, name: str) -> str:
        """Ask the ledger."""
        return self._parts.reading.run_named(name)

    def work(self, answer: Answer) -> None:  # noqa: ARG002 - one far away says there who works
        """Start workers where none run."""
        from rotator.cli import watching  # noqa: PLC0415 - only who leaves work pays for it

        watching.start_workers(self._given, self._parts)

    def changes(self, incident: str) -> Iterator[Progress]:
        """Yield the progress. A runtime that died is started again; idle workers are asked after."""
        shown: Progress | None = None
        changed_at = asked_at = time.monotonic()
        while shown is None or shown.busy:
            progress = self._parts.reading.progress(incident, clock.now())
            now = time.monotonic()
            if progress != shown:
                shown, changed_at = progress, now
                yield progress
            if now - asked_at >= ASK_AFTER_WORKERS_S:
                asked_at = now
                self.work({})
                if not self._parts.settings.embedded and now - changed_at >= NOBODY_WORKS_S:
                    changed_at = now
                    print("nothing moves: are `rotator worker` and `rotator beat` running?", file=sys.stderr)  # noqa: T201
            if shown.busy:
                time.sleep(POLL_S)

"""A service far away as the command line's back: its acts, its documents, its lists, and what happens there live."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from rotator.errors import BadInput, Rejected, RotatorError
from rotator.far.asking import V1, Asking
from rotator.far.progress import streamed, told
from rotator.flow.incident import Purpose
from rotator.ledger.names import LAST
from rotator.ledger.records import Progress
from rotator.operations.operation import Answer, Given, Operation, segment
from rotator.operations.view import FileOf, ListOf, Of, OfIncident
from rotator.operations.views.incident_list import INCIDENTS
from rotator.operations.views.incidents import REPORT

_MOST = 500
POLL_S = 2.0
"""How often is asked how it stands, where the stream does not come through."""
LOST_AFTER_S = 60.0
"""How long nobody need answer before a watch gives up."""
_COMMANDS = frozenset({"command", "approve", "again", "then", "reopen"})
"""The keys of a document that hold a command."""


class Far:
    """Implements `operations.service.Service`. `called` is how this reader calls the program."""

    def __init__(self, asking: Asking, called: str, *, quiet: bool) -> None:
        self._asking, self._called, self._quiet = asking, called, quiet

    def does(self, operation: Operation[Given], *args: Given.args, **named: Given.kwargs) -> Answer:
        """Do it in the name of the token's person."""
        path, body = operation.asked(*args, **named)
        answer: Answer = self._asking.act(V1 + path, body)
        return answer

    def declares(self, path: str, report: bytes, query: Mapping[str, Any]) -> Answer:
        """Send a report to be declared or added; issuers are asked meanwhile."""
        answer: Answer = self._asking.send(V1 + path, report, query)
        return answer

    def shows(self, view: OfIncident, incident: str = "") -> dict[str, Any]:
        """Return a document."""
        found: dict[str, Any] = self._asking.get(V1 + view.path.format(incident=_name(incident))).content
        return found if self._called == "rotator" else _as_called(found, self._called)

    def lists(self, view: ListOf, incident: str = "") -> list[dict[str, Any]]:
        """Return a whole list, page by page."""
        return list(self._rows(view, incident))

    def _rows(self, view: ListOf, incident: str = "", most: int = _MOST) -> Iterator[dict[str, Any]]:
        path, after = view.path if view.by else view.path.format(incident=_name(incident)), None
        asked = {"limit": most, **({view.by: incident} if view.by and incident else {})}
        while True:
            page = self._asking.get(V1 + path, {**asked, **({"after": after} if after else {})}).content
            if not (isinstance(page["items"], list) and all(isinstance(each, dict) for each in page["items"])):
                raise Rejected("no_rotator", "the service answers no list: is that its address, and its version ours?")
            yield from page["items"]
            before, after = after, page["next"]
            if after == before is not None:
                raise Rejected("no_rotator", "the service's list comes back to the same place: compare the versions")
            if after is None:
                return

    def file(self, view: FileOf[Of], form: Of, asked: Mapping[str, str]) -> Iterable[bytes]:
        """Return it as it was made there."""
        within = {name: segment(value) for name, value in asked.items() if f"{{{name}}}" in view.path}
        given = {name: value for name, value in asked.items() if value and name not in within}
        return [self._asking.file(V1 + view.path.format(form=form, **within), given, view.types[form])]

    def incident(self, name: str) -> str:
        """Return the id that a person meant. Any name but `last` is the service's to know."""
        if name != LAST:
            return name
        meant, into, apart = "", dict[str, str](), set[str]()
        # The newest first. It may be merged into an older one, and that into one that is newer again.
        for row in self._rows(INCIDENTS, Purpose.RESPONSE, most=20):
            meant = meant or str(row["id"])
            if row["merged_into"]:
                into[row["id"]] = str(row["merged_into"])
            else:
                apart.add(row["id"])
            while meant in into:
                meant = into.pop(meant)
            if meant in apart:
                return meant
        if meant:
            return meant
        raise BadInput("there is no incident yet", LAST, "rotator respond FILE declares one")

    def run(self, name: str) -> str:
        """Return it as it is: the service knows its runs."""
        return name

    def work(self, answer: Answer) -> None:
        """Say where nobody works: from here no worker is started."""
        if (start := answer.get("start")) and not self._quiet:
            print(f"nobody works there: it goes on once `{start}` runs where the ledger is", file=sys.stderr)  # noqa: T201

    def changes(self, incident: str) -> Iterator[Progress]:
        """Yield the progress whenever it changes."""
        shown: Progress | None = None
        for progress in self._heard(incident):
            if progress != shown:
                shown = progress
                yield progress
            if not progress.busy:
                return

    def _heard(self, incident: str) -> Iterator[Progress]:
        """Yield what the stream tells, and where that breaks off, what is answered to who asks meanwhile.

        Raises BadInput, or RotatorError where nobody has answered for a minute.
        """
        heard, told_so = time.monotonic(), False
        while True:
            for tell in (self._streamed, self._asked):
                try:
                    for progress in tell(incident):
                        heard = time.monotonic()
                        yield progress
                except BadInput:
                    raise
                except RotatorError as lost:
                    if time.monotonic() - heard > LOST_AFTER_S:
                        raise
                    if not told_so:
                        self._note(f"not live ({lost.reason}): asked each {POLL_S:g} s how it stands")
                    told_so = True
            time.sleep(POLL_S)

    def _streamed(self, incident: str) -> Iterator[Progress]:
        return streamed(self._asking, incident)

    def _asked(self, incident: str) -> Iterator[Progress]:
        yield told(self._asking.get(V1 + REPORT.path.format(incident=_name(incident))).content.get("progress"))

    def _note(self, line: str) -> None:
        if not self._quiet:
            print(line, file=sys.stderr, flush=True)  # noqa: T201


def _name(incident: str) -> str:
    return segment(incident) if incident else ""


def _as_called(value: Any, called: str, key: str = "") -> Any:
    """Return a document with every command in it beginning as this reader calls the program."""
    if isinstance(value, dict):
        return type(value)((name, _as_called(each, called, name)) for name, each in value.items())
    if isinstance(value, list):
        return [_as_called(each, called, key) for each in value]
    if key in _COMMANDS and isinstance(value, str) and value.startswith("rotator "):
        return called + value.removeprefix("rotator")
    return value

"""Where a command is carried out: on the ledger here, or by a service far away. A command sees no difference."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Protocol

from rotator.ledger.records import Progress
from rotator.operations.operation import Answer, Given, Operation
from rotator.operations.view import FileOf, ListOf, Of, OfIncident


class Service(Protocol):
    """Acts, and what is looked at. Each method raises BadInput, NotAllowed or AsksFirst as the act itself does.

    One far away raises RotatorError besides, where it cannot be reached or fails.
    """

    def does(self, operation: Operation[Given], *args: Given.args, **named: Given.kwargs) -> Answer:
        """Do it in the caller's name; return what it answers."""

    def shows(self, view: OfIncident, incident: str = "") -> dict[str, Any]:
        """Return a document, with every command in it as this reader gives it."""

    def lists(self, view: ListOf, incident: str = "") -> list[dict[str, Any]]:
        """Return a whole list."""

    def file(self, view: FileOf[Of], form: Of, asked: Mapping[str, str]) -> Iterable[bytes]:
        """Return a file in a form."""

    def incident(self, name: str) -> str:
        """Return the id that a person meant: itself, or the newest for `last`."""

    def run(self, name: str) -> str:
        """Return the run that a person named."""

    def work(self, answer: Answer) -> None:
        """Have somebody do what is due now; `answer` is what the act answered."""

    def changes(self, incident: str) -> Iterator[Progress]:
        """Yield the progress whenever it changes, until nothing moves by itself."""

"""One thing that is done: here by a function of the parts, far away under the path that the API has for it.

Both answer with the same data. So what a command does is apart from what it prints, and from where it is done.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Concatenate, Generic, ParamSpec
from urllib.parse import quote

from rotator.errors import BadInput

if TYPE_CHECKING:
    from rotator.bootstrap import Rotator

LONGEST_REASON = 2000
"""Letters of what is said of an act: more is a document, and each page and message that shows it would show that."""
Given = ParamSpec("Given")
Answer = dict[str, Any]
Path = str | Callable[[Mapping[str, Any]], str]


class AsksFirst(BadInput):
    """An act that nothing was done of yet: it asks for more, by a stable `word`; `more` is what to know before."""

    def __init__(self, word: str, what: str, where: str, mend: str, more: Mapping[str, Any] | None = None) -> None:
        super().__init__(what, where, mend)
        self.word, self.more = word, dict(more or {})


@dataclass(frozen=True, slots=True)
class Operation(Generic[Given]):
    """One act. Called, it is done here: with the parts, and in whose name; `asked` is how the API is asked for it."""

    path: Path
    work: Callable[Concatenate[Rotator, str, Given], Answer]

    def __call__(self, parts: Rotator, by: str, *args: Given.args, **named: Given.kwargs) -> Answer:
        return self.work(parts, by, *args, **named)

    def asked(self, *args: Given.args, **named: Given.kwargs) -> tuple[str, Answer]:
        """Return the path, with what it names in its place, and the body: whatever else was given."""
        bound = inspect.signature(self.work).bind(None, "", *args, **named)
        _parts, _by, *names = bound.arguments
        given = {name: bound.arguments[name] for name in names}
        if callable(self.path):
            return self.path(given), {"reason": given["reason"]}
        within = [name for name in given if f"{{{name}}}" in self.path]
        path = self.path.format(**{name: segment(given[name], of_vendor=name == "name") for name in within})
        rest = {name.rstrip("_"): value for name, value in given.items() if f"{{{name}}}" not in self.path}
        return path, {name: value for name, value in rest.items() if value is not None}


def segment(name: object, *, of_vendor: bool = False) -> str:
    """Return a name as a part of a path; only what a vendor calls a credential may hold a slash.

    Raises BadInput for what would lead to another act: `..` of an incident's stop is the stop of everything.
    """
    text = str(name)
    if not text or not {".", ".."}.isdisjoint(text.split("/")) or ("/" in text and not of_vendor):
        raise BadInput("nothing there is called so", text or "an empty name", "look at how it is written")
    return quote(text, safe="")


def at(path: Path) -> Callable[[Callable[Concatenate[Rotator, str, Given], Answer]], Operation[Given]]:
    """Make an operation of a function, at this path of the API."""
    return lambda work: Operation(path, work)

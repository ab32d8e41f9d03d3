"""Read YAML 1.2 as plain data, with the place of every part, and nothing that surprises: no tags, anchors or merges."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NoReturn

from ruamel.yaml import YAML
from ruamel.yaml.constructor import DuplicateKeyError
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    CollectionEndEvent,
    CollectionStartEvent,
    DocumentStartEvent,
    Event,
    NodeEvent,
    ScalarEvent,
)
from ruamel.yaml.nodes import MappingNode, Node, SequenceNode

MAX_BYTES = 256 * 1024
_MAX_DEPTH = 20
_PLAIN = "use plain text, numbers, lists and mappings"
_STRING = "tag:yaml.org,2002:str"

Position = tuple[str | int, ...]
"""A part of the document: the keys and the numbers on the way to it."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake in a file: its line and column from 1, what is wrong and how to mend it."""

    line: int
    column: int
    what: str
    mend: str = ""


class NotPlain(Exception):  # noqa: N818 - what is wrong with the text
    """The text is not what this module reads; `problem` says where and why."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.what)
        self.problem = problem


class Places:
    """Where each part of a document stands in its file."""

    def __init__(self, root: Node) -> None:
        self._places: dict[Position, tuple[int, int]] = {}
        self._walk(root, (), root)

    def of(self, position: Position) -> tuple[int, int]:
        """Return (line, column) of this part, or of the nearest one that it would stand in."""
        while position not in self._places:
            position = position[:-1]
        return self._places[position]

    def _walk(self, node: Node, position: Position, at: Node) -> None:
        self._places[position] = (at.start_mark.line + 1, at.start_mark.column + 1)
        if isinstance(node, MappingNode):
            for key, value in node.value:
                self._walk(value, (*position, key.value), key)
        elif isinstance(node, SequenceNode):
            for number, value in enumerate(node.value):
                self._walk(value, (*position, number), value)


def read(raw: bytes, most: int = MAX_BYTES) -> tuple[dict[str, Any], Places]:
    """Return the mapping that the text holds, and where its parts stand. Raises NotPlain with the first mistake.

    More than `most` bytes are refused: a megabyte takes some ten seconds to read.
    """
    text = _text(raw, most)
    try:
        node = _composed(_inspected(text))
        _only_words_as_keys(node)
        document = _yaml().constructor.construct_document(node)
    except (YAMLError, ValueError) as error:
        raise NotPlain(_said(error)) from None
    if not isinstance(document, dict):
        _refuse(node, "a list or a word where a mapping belongs", "start with `KEY: VALUE`")
    return document, Places(node)


def _text(raw: bytes, most: int) -> str:
    if len(raw) > most:
        raise NotPlain(Problem(1, 1, f"more than {most // 1024} KB", "is this the file you mean?"))
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise NotPlain(Problem(line, 1, "not UTF-8 text", "save it as UTF-8")) from None
    for number, line_text in enumerate(text.splitlines(), 1):
        indent = line_text[: len(line_text) - len(line_text.lstrip())]
        if "\t" in indent:
            raise NotPlain(Problem(number, indent.index("\t") + 1, "a tab in the indent", "indent with spaces"))
    return text


def _yaml() -> YAML:
    return YAML(typ="safe", pure=True)


class _Replayed:
    """A parser's place in a composer, for events that were looked at: reading the text once takes long enough."""

    def __init__(self, events: list[Event]) -> None:
        self._events = iter(events)
        self._next = next(self._events, None)

    def check_event(self, *kinds: type[Event]) -> bool:
        return self._next is not None and (not kinds or isinstance(self._next, kinds))

    def peek_event(self) -> Event | None:
        return self._next

    def get_event(self) -> Event | None:
        event, self._next = self._next, next(self._events, None)
        return event


def _composed(events: list[Event]) -> Node:
    yaml = _yaml()
    # The library composes from text alone, so its parser is put in by hand.
    yaml._parser = _Replayed(events)  # type: ignore[attr-defined] # noqa: SLF001
    node: Node = yaml.composer.get_single_node()
    return node


def _inspected(text: str) -> list[Event]:
    """Return the events, looked at before anything is built from them: a bomb of aliases, or of depth, ends here."""
    depth = documents = nodes = 0
    events: list[Event] = []
    for event in _yaml().parse(text):
        events.append(event)
        _plain(event)
        nodes += isinstance(event, ScalarEvent | CollectionStartEvent)
        documents += isinstance(event, DocumentStartEvent)
        depth += isinstance(event, CollectionStartEvent)
        depth -= isinstance(event, CollectionEndEvent)
        if documents > 1:
            _refuse(event, "a second document", "drop the `---` line")
        if depth > _MAX_DEPTH:
            _refuse(event, "nested too deeply", _PLAIN)
    if not nodes:
        raise NotPlain(Problem(1, 1, "nothing in it", "is this the file you mean?"))
    return events


def _plain(event: Event) -> None:
    if isinstance(event, AliasEvent) or (isinstance(event, NodeEvent) and event.anchor is not None):
        _refuse(event, "anchors and aliases are not read", "write it out")
    if isinstance(event, ScalarEvent | CollectionStartEvent) and event.tag is not None:
        _refuse(event, f"the tag `{event.tag}` is not read", _PLAIN)
    if isinstance(event, DocumentStartEvent) and event.version is not None:
        _refuse(event, "this is read as YAML 1.2", "drop the `%YAML` line")


def _only_words_as_keys(node: Node) -> None:
    for key, value in _children(node):
        if key is not None and key.tag != _STRING:
            _refuse(key, "a key that is no plain word", "quote it, or use a word")
        _only_words_as_keys(value)


def _children(node: Node) -> Iterator[tuple[Node | None, Node]]:
    if isinstance(node, MappingNode):
        yield from node.value
    elif isinstance(node, SequenceNode):
        yield from ((None, each) for each in node.value)


def _refuse(at: Event | Node, what: str, mend: str) -> NoReturn:
    raise NotPlain(Problem(at.start_mark.line + 1, at.start_mark.column + 1, what, mend))


def _said(error: Exception) -> Problem:
    # What was never closed is noticed lines later: the place where it began says more.
    unclosed = "end of stream" in str(getattr(error, "problem", "")) or "flow" in str(getattr(error, "context", ""))
    marks = (getattr(error, name, None) for name in ("context_mark", "problem_mark")[:: 1 if unclosed else -1])
    mark = next((each for each in marks if each is not None), None)
    line, column = (mark.line + 1, mark.column + 1) if mark is not None else (1, 1)
    if isinstance(error, DuplicateKeyError):
        return Problem(line, column, "the same key twice in one mapping", "drop one of them")
    if isinstance(error, MarkedYAMLError):
        what = f"not YAML: {error.problem or 'it cannot be read'}"
        return Problem(line, column, what, "look at the quotes, colons and indent here")
    return Problem(
        line, column, f"not YAML: {str(error).splitlines()[0] if str(error) else 'it cannot be read'}", _PLAIN
    )

"""The rows of an inventory file, each with its line: a YAML or JSON list of entries, JSON lines, or a CSV table."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

from rotator import strict_yaml
from rotator.errors import BadInput
from rotator.flow.inventory import NAMES
from rotator.settings.credentials import CredentialSettings

MAX_BYTES = 64 << 20
MAX_YAML_BYTES = 2 << 20
LIST = "credentials"
"""Under what the entries stand, where they do not stand alone: the name that they have in rotator.toml."""
_KEYS = tuple(name for name in CredentialSettings.model_fields if name != "match")
_LISTS = frozenset({"reads", "administers", "deliver", "consumers", "reachable_from", "datasets"})
_NULL = "null"
_SPACE = " \t\r\n"


@dataclass(frozen=True, slots=True)
class Row:
    """One entry as it was written, and where: `FILE, line 3`."""

    value: Any
    where: str


def rows(name: str, raw: bytes) -> Iterator[Row]:
    """Yield each entry of a file, in its order. Raises BadInput where the file is not what it seems to be."""
    if len(raw) > MAX_BYTES:
        raise BadInput(f"more than {MAX_BYTES >> 20} MB", name, "import it in parts")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise BadInput("not UTF-8 text", f"{name}, line {line}", "save it as UTF-8") from None
    opens = text.lstrip(_SPACE)[:1]
    if not opens:
        raise BadInput("nothing in it", name, "is this the file you mean?")
    if opens in "[{":
        yield from _json(name, text)
    elif _is_table(text):
        yield from _table(name, text)
    else:
        yield from _yaml(name, raw)


def _is_table(text: str) -> bool:
    first = next(line for line in text.splitlines() if line.strip())
    return bool({each.strip(' "').lower() for each in first.split(",")} & {*NAMES, *_KEYS})


def _yaml(name: str, raw: bytes) -> Iterator[Row]:
    try:
        document, places = strict_yaml.read(raw, MAX_YAML_BYTES)
    except strict_yaml.NotPlain as error:
        problem = error.problem
        raise BadInput(problem.what, f"{name}, line {problem.line}", problem.mend) from None
    for number, entry in enumerate(_entries(name, document)):
        yield Row(entry, f"{name}, line {places.of((LIST, number))[0]}")


def _entries(name: str, document: Mapping[str, Any]) -> list[Any]:
    found = document.get(LIST)
    if len(document) != 1 or not isinstance(found, list):
        raise BadInput(f"the entries stand under `{LIST}`, as a list", name, f"write `{LIST}:` and nothing beside it")
    return found


def _json(name: str, text: str) -> Iterator[Row]:
    """Yield the entries of one list, of one object that has it, or of lines, each with the line where it begins."""
    read = _Json(name, text)
    if read.next() == "[":
        yield from read.elements()
    else:
        first, line = read.value(), read.line
        if isinstance(first, dict) and LIST in first:
            # Read once more, for the lines: they are known while the list is read.
            _entries(name, first)
            yield from _Json(name, text).inside(LIST)
            read.end()
            return
        yield Row(first, f"{name}, line {line}")
        while read.next():
            value = read.value()
            yield Row(value, f"{name}, line {read.line}")
    read.end()


class _Json:
    """A place in a JSON text that knows its line. What is wrong is told by its line and never quoted."""

    def __init__(self, name: str, text: str) -> None:
        self._name, self._text = name, text
        self._at, self._counted, self._line = 0, 0, 1
        self._decode = json.JSONDecoder(object_pairs_hook=_once).raw_decode
        self.line = 1

    def next(self) -> str:
        text = self._text
        while self._at < len(text) and text[self._at] in _SPACE:
            self._at += 1
        return text[self._at : self._at + 1]

    def value(self) -> Any:
        self.next()
        self.line = self._here()
        try:
            value, self._at = self._decode(self._text, self._at)
        except (ValueError, RecursionError) as error:
            twice = isinstance(error, _TwiceError)
            self._at = error.pos if isinstance(error, json.JSONDecodeError) else self._at
            self._refuse("the same key twice in one entry" if twice else "this is not JSON, or it is cut off")
        return value

    def elements(self) -> Iterator[Row]:
        self._take("[")
        while self.next() != "]":
            value = self.value()
            yield Row(value, f"{self._name}, line {self.line}")
            if self.next() != "]":
                self._take(",")
        self._take("]")

    def inside(self, wanted: str) -> Iterator[Row]:
        """Yield the elements of the list under the one key of the object that the text is."""
        self._take("{")
        if self.value() == wanted:
            self._take(":")
            yield from self.elements()

    def end(self) -> None:
        if self.next():
            self._refuse("something follows the entries' end")

    def _take(self, wanted: str) -> None:
        if self.next() != wanted:
            self._refuse("this is not JSON, or it is cut off")
        self._at += 1

    def _here(self) -> int:
        at = min(self._at, len(self._text))
        self._line += self._text.count("\n", self._counted, at)
        self._counted = at
        return self._line

    def _refuse(self, what: str) -> NoReturn:
        where = f"{self._name}, line {self._text.count(chr(10), 0, self._at) + 1}"
        raise BadInput(what, where, "look at its quotes, commas and brackets") from None


class _TwiceError(ValueError):
    """One key stands twice in one object."""


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _TwiceError
    return found


def _table(name: str, text: str) -> Iterator[Row]:
    lines = csv.reader(text.splitlines(keepends=True), strict=True)
    numbered = numbered_rows(name, lines)
    _, header = next(numbered)
    columns = [each.strip().lower() for each in header]
    for column, times in ((each, columns.count(each)) for each in columns):
        if times > 1:
            raise BadInput(f"the column {column} stands there twice", f"{name}, line 1", "join the two")
    for line, cells in numbered:
        where = f"{name}, line {line}"
        if len(cells) != len(columns):
            raise BadInput(f"{len(cells)} columns where the header has {len(columns)}", where, "check its commas")
        yield Row(_entry(dict(zip(columns, cells, strict=True)), where), where)


def numbered_rows(name: str, lines: Any) -> Iterator[tuple[int, list[str]]]:
    """Yield the rows that are not blank, each with the line where it begins. Raises BadInput for what is no CSV."""
    while True:
        line = lines.line_num + 1
        try:
            cells = next(lines)
        except StopIteration:
            return
        except csv.Error:
            raise BadInput("this is not CSV", f"{name}, line {line}", "check its quotes and commas") from None
        if any(cell.strip() for cell in cells):
            yield line, cells


def _entry(cells: Mapping[str, str], where: str) -> dict[str, Any]:
    """Return a row as an entry: an empty cell says nothing."""
    said = {column: cell.strip() for column, cell in cells.items() if cell.strip()}
    match = {column: said.pop(column) for column in NAMES if column in said}
    return {"match": match, **{column: _value(column, cell, where) for column, cell in said.items()}}


def _value(column: str, cell: str, where: str) -> Any:
    if cell == _NULL:
        return None
    if column not in _LISTS:
        return cell
    if cell.startswith("["):
        try:
            return json.loads(cell)
        except (ValueError, RecursionError):
            raise BadInput(f"`{column}` is not JSON", where, "write `one; other`, or a list as JSON has it") from None
    parts = [each.strip() for each in cell.split(";") if each.strip()]
    ways: Mapping[str, Callable[[str], object]] = {"deliver": _place, "consumers": lambda each: {"webhook": each}}
    return [ways.get(column, str)(each) for each in parts]


def _place(text: str) -> dict[str, str]:
    return dict(zip(("store", "connection", "name"), text.split(":", 2), strict=False))

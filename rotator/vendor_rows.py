"""The rows of a registry's file, each with its line: YAML or JSON with `vendors` and `datasets`, or a CSV table of one.

A CSV table is of vendors, of datasets or of attestations, as its columns tell. What begins with a quote in a cell is
text as JSON writes it: so text is told from what a spreadsheet would compute, and from `null`, which takes back.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping
from typing import Any

from rotator import strict_yaml
from rotator.errors import BadInput
from rotator.flow.registry import Sort
from rotator.inventory_rows import Row, numbered_rows

MAX_BYTES = 2 << 20
"""Of a file. A megabyte of YAML takes some ten seconds to read."""
TOPS: Mapping[str, Sort] = {"vendors": Sort.VENDOR, "datasets": Sort.DATASET}
"""Under what the rows stand."""
TEXTS = frozenset({"contacts", "accounts", "systems", "datasets", "sub_processors"})
"""Keys of a vendor that are lists of words: in a cell, `one; other`."""
JUDGED = frozenset({"user_impact", "cost_of_change"})
"""Keys of a vendor that are a level and why: in a cell, `high: WHY`."""
ATTESTATION = ("kind", "issuer", "scope", "valid_from", "valid_to", "sha256")
_OF_VENDORS, _OF_DATASETS, _OF_ATTESTATIONS = {"name"}, {"name", "sensitivity"}, {"vendor", "kind"}
_NULL = "null"


def rows(name: str, raw: bytes) -> Iterator[tuple[Sort, Row]]:
    """Yield each row of a file, in its order. Raises BadInput where the file is not what it seems to be."""
    if len(raw) > MAX_BYTES:
        raise BadInput(f"more than {MAX_BYTES >> 20} MB", name, "import it in parts")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise BadInput("not UTF-8 text", f"{name}, line {line}", "save it as UTF-8") from None
    first = next((line for line in text.splitlines() if line.strip()), "")
    columns = {each.strip(' "').lower() for each in first.split(",")}
    if columns >= _OF_VENDORS or columns >= _OF_ATTESTATIONS:
        yield from _table(name, text)
    else:
        yield from _document(name, raw)


def _document(name: str, raw: bytes) -> Iterator[tuple[Sort, Row]]:
    try:
        document, places = strict_yaml.read(raw, MAX_BYTES)
    except strict_yaml.NotPlain as error:
        problem = error.problem
        raise BadInput(problem.what, f"{name}, line {problem.line}", problem.mend) from None
    for top, found in document.items():
        where = f"{name}, line {places.of((top,))[0]}"
        if top not in TOPS:
            raise BadInput("something beside the lists of the registry", where, f"there are {' and '.join(TOPS)}")
        if not isinstance(found, list):
            raise BadInput(f"`{top}` is a list", where, "begin each of its rows with `- name:`")
        for number, value in enumerate(found):
            yield TOPS[top], Row(value, f"{name}, line {places.of((top, number))[0]}")


def _table(name: str, text: str) -> Iterator[tuple[Sort, Row]]:
    lines = csv.reader(text.splitlines(keepends=True), strict=True)
    numbered = numbered_rows(name, lines)
    first, header = next(numbered)
    columns = [each.strip().lower() for each in header]
    for column in columns:
        if columns.count(column) > 1:
            raise BadInput(f"the column {column} stands there twice", f"{name}, line {first}", "join the two")
    found = []
    for line, cells in numbered:
        where = f"{name}, line {line}"
        if len(cells) != len(columns):
            raise BadInput(f"{len(cells)} columns where the header has {len(columns)}", where, "check its commas")
        said = {column: cell.strip() for column, cell in zip(columns, cells, strict=True) if cell.strip()}
        found.append(Row({column: _value(column, cell, where) for column, cell in said.items()}, where))
    if set(columns) >= _OF_ATTESTATIONS:
        found = _attested(found)
    sort = Sort.DATASET if set(columns) >= _OF_DATASETS else Sort.VENDOR
    yield from ((sort, row) for row in found)


def _attested(found: list[Row]) -> list[Row]:
    """Return a row for each vendor with all attestations that the table has of it, where the first stands."""
    by_vendor: dict[str, tuple[list[dict[str, Any]], str]] = {}
    for row in found:
        said = dict(row.value)
        vendor = said.pop("vendor", "")
        if not vendor:
            raise BadInput("it does not say of which vendor", row.where, "fill in the column vendor")
        by_vendor.setdefault(vendor, ([], row.where))[0].append(said)
    return [Row({"name": vendor, "attestations": some}, where) for vendor, (some, where) in by_vendor.items()]


def _value(column: str, cell: str, where: str) -> Any:
    if cell == _NULL:
        return None
    if cell[0] in '"[{':
        try:
            return json.loads(cell)
        except (ValueError, RecursionError):
            raise BadInput(f"`{column}` is not JSON", where, "write it without the quote or bracket") from None
    if column in TEXTS:
        return [each.strip() for each in cell.split(";") if each.strip()]
    if column in JUDGED:
        level, _, why = cell.partition(":")
        return {"level": level.strip(), "why": why.strip()}
    return cell

"""Write the registry of vendors so that it reads as what it is: YAML, JSON, or CSV tables.

Words are of others: in YAML and JSON each stands in quotes, in a table whatever does not begin as a plain word.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from typing import Any

from rotator.flow.registry import There
from rotator.vendor_rows import ATTESTATION, JUDGED, TEXTS, TOPS

_NULL = "null"
_DATASET = ("name", "sensitivity", "manifest", "why")
_WORDS = ("name", "title", "criticality", "owner", "contacts", "accounts", "systems", "datasets", "sub_processors")
_VENDOR = (*_WORDS, "user_impact", "cost_of_change", "holds", "breaches")
_ORDER = (*_WORDS, "user_impact", "cost_of_change", "holds", "attestations", "breaches", *_DATASET[1:])


class Table(StrEnum):
    """Which of its tables is written as CSV: a table is of one sort."""

    VENDORS = "vendors"
    DATASETS = "datasets"
    ATTESTATIONS = "attestations"


_COLUMNS: Mapping[Table, tuple[str, ...]] = {
    Table.VENDORS: _VENDOR,
    Table.DATASETS: _DATASET,
    Table.ATTESTATIONS: ("vendor", *ATTESTATION),
}


def document(told: There) -> dict[str, list[dict[str, Any]]]:
    """Return the registry as data: each list under its name, where there is something in it."""
    found = {
        top: [{"name": name, **_in_order(keys)} for (of, name), keys in sorted(told.items()) if of is sort]
        for top, sort in TOPS.items()
    }
    return {top: rows for top, rows in found.items() if rows}


def as_json(told: There) -> str:
    """Return it as JSON."""
    return json.dumps(document(told), indent=2, ensure_ascii=False) + "\n"


def as_yaml(told: There) -> str:
    """Return it as YAML: a key on each line, its value as JSON has it."""
    return "".join(_lines(document(told)))


def _lines(lists: Mapping[str, Sequence[Mapping[str, Any]]]) -> Iterator[str]:
    for top, rows in lists.items():
        yield f"{top}:\n"
        for row in rows:
            for number, (key, value) in enumerate(row.items()):
                begins = "    " if number else "  - "
                if isinstance(value, list) and value and isinstance(value[0], dict):
                    yield f"{begins}{key}:\n"
                    yield from (f"      - {_json(each)}\n" for each in value)
                else:
                    yield f"{begins}{key}: {_json(value)}\n"


def as_csv(told: There, table: Table) -> str:
    """Return one table of it."""
    columns, lists = _COLUMNS[table], document(told)
    rows = lists.get(table.value, [])
    if table is Table.ATTESTATIONS:
        vendors = lists.get("vendors", ())
        rows = [{"vendor": row["name"], **each} for row in vendors for each in row.get("attestations", ())]
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([_cell(column, row[column]) if column in row else "" for column in columns] for row in rows)
    return text.getvalue()


def _cell(column: str, value: Any) -> str:
    if column in JUDGED:
        return f"{value['level']}: {value['why']}"
    if column in TEXTS and value and all(_is_plain(each) and ";" not in each for each in value):
        return "; ".join(value)
    return value if isinstance(value, str) and _is_plain(value) else _json(value)


def _is_plain(text: str) -> bool:
    """Tell whether a cell may hold it as it is: a spreadsheet computes what begins with a sign."""
    return text[:1].isalnum() and text != _NULL


def _in_order(keys: Mapping[str, Any]) -> dict[str, Any]:
    return {key: keys[key] for key in _ORDER if key in keys}


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)

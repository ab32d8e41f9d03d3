"""The entries of the inventory, as people and programs read them: said, imported, and kept of what issuers list."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rotator.cli.options import Context, Output, console, emit

if TYPE_CHECKING:
    from rotator.bootstrap import Rotator


class Listing(StrEnum):
    """How entries are printed. `csv` is what `inventory import` reads."""

    TABLE = "table"
    JSON = "json"
    JSONL = "jsonl"
    CSV = "csv"


_OVERRULED = frozenset({"criticality", "environment", "deliver", "consumers", "vendor", "contact"})
"""Keys of which one entry is believed; of all others what everybody says is heard."""


def list_entries(
    context: typer.Context,
    output: Annotated[Listing, typer.Option("--output", "-o", help="How to print them.")] = Listing.TABLE,
) -> None:
    """List what is known of credentials: from the configuration, imported, and kept of what issuers list."""
    given: Context = context.obj
    parts = given.parts()
    if output is Listing.CSV:
        _write_csv(parts)
        return
    found = _entries(parts)
    if output is not Listing.TABLE:
        emit(found, Output(output))
        return
    from rotator.flow.inventory import named  # noqa: PLC0415
    from rotator.report.tables import plain_table, words  # noqa: PLC0415

    table = plain_table(f"{len(found):,} entries", "match", "criticality", "reachable from", "source", "from", "since")
    for each in found:
        overruled = f" (overruled: {', '.join(each['overruled'])})" if each["overruled"] else ""
        source = f"{each['source']}{overruled}"
        sites = each["said"].get("reachable_from") or ["not told"]
        told = each["said"].get("criticality") or "not told"
        since = each["at"][:10]
        table.add_row(words(named(each["match"])), told, words(*sites), source, words(each["file"]), since)
    console().print(table)


def _entries(parts: Rotator) -> list[dict[str, Any]]:
    """Return every entry as data. An imported one is overruled in the keys that the configuration has of its match."""
    from rotator.flow.inventory import CONFIGURATION, NAMES, key  # noqa: PLC0415
    from rotator.report.clocks import moment  # noqa: PLC0415

    stated = [(each.match.model_dump(exclude_none=True), each) for each in parts.settings.credentials]
    own = {key(match): _said(each).keys() & _OVERRULED for match, each in reversed(stated)}
    found = [_entry(match, "configuration", CONFIGURATION, said=_said(each)) for match, each in stated]
    found += [
        _entry(each.match, "import", each.file, said=each.said, by=each.by, at=moment(each.at), overruled=sorted(keys))
        for each in parts.inventory.stated()
        for keys in [each.said.keys() & own.get(key(each.match), set())]
    ]
    for one in parts.inventory.listed():
        facts = {**one.facts, **({"gone_at": moment(one.gone_at)} if one.gone_at is not None else {})}
        match = {name: value for name in NAMES if (value := getattr(one.ref, name))}
        found.append(_entry(match, "discover", one.ref.connection, facts=facts, at=moment(one.last_seen_at)))
    return found


def _entry(
    match: Mapping[str, str],
    source: str,
    file: str,
    *,
    said: Mapping[str, Any] | None = None,
    facts: Mapping[str, str] | None = None,
    by: str = "",
    at: str = "",
    overruled: Sequence[str] = (),
) -> dict[str, Any]:
    return {
        "match": dict(match),
        "said": dict(said or {}),
        "facts": dict(facts or {}),
        "source": source,
        "file": file,
        "by": by,
        "at": at,
        "overruled": list(overruled),
    }


def _said(entry: Any) -> dict[str, Any]:
    found: dict[str, Any] = entry.model_dump(mode="json", exclude_unset=True, exclude={"match"})
    return found


def _write_csv(parts: Rotator) -> None:
    """Print what people said, of the configuration too, in the form that an import reads."""
    from rotator.flow.inventory import NAMES  # noqa: PLC0415
    from rotator.settings.credentials import CredentialSettings  # noqa: PLC0415

    keys = [name for name in CredentialSettings.model_fields if name != "match"]
    table = csv.writer(sys.stdout, lineterminator="\n")
    table.writerow([*NAMES, *keys])
    for each in _entries(parts):
        if each["source"] != "discover":
            cells = [each["said"].get(name, "") if name not in each["overruled"] else "" for name in keys]
            told = [cell if isinstance(cell, str) else json.dumps(cell) for cell in cells]
            table.writerow([*(each["match"].get(name, "") for name in NAMES), *told])

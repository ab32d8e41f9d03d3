"""The entries of the inventory, as people and programs read them: said, imported, and kept of what issuers list."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Iterable
from typing import Any

import typer

from rotator.cli.options import Context, Output, console, emit
from rotator.cli.rows import Form, FormOption


def list_entries(context: typer.Context, output: FormOption = Form.TABLE) -> None:
    """List what is known of credentials.

    It is from the configuration, imported, or kept of what issuers list. As `csv` it is what `inventory import` reads.

    Example: rotator inventory list -o csv
    """
    from rotator.operations.views.inventory import INVENTORY  # noqa: PLC0415 - only this command pays for it

    given: Context = context.obj
    found = given.service().lists(INVENTORY)
    if output is Form.CSV:
        _write_csv(found)
        return
    if output is not Form.TABLE:
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


def _write_csv(entries: Iterable[dict[str, Any]]) -> None:
    """Print what people said, of the configuration too, in the form that an import reads."""
    from rotator.flow.inventory import NAMES  # noqa: PLC0415
    from rotator.settings.credentials import CredentialSettings  # noqa: PLC0415

    keys = [name for name in CredentialSettings.model_fields if name != "match"]
    table = csv.writer(sys.stdout, lineterminator="\n")
    table.writerow([*NAMES, *keys])
    for each in entries:
        if each["source"] != "discover":
            cells = [each["said"].get(name, "") if name not in each["overruled"] else "" for name in keys]
            told = [cell if isinstance(cell, str) else json.dumps(cell) for cell in cells]
            table.writerow([*(each["match"].get(name, "") for name in NAMES), *told])

"""How a command puts out rows: a table for people, JSON or CSV for programs."""

from __future__ import annotations

import csv
import sys
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rotator.cli.options import Output, console, emit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    Rows = Sequence[Mapping[str, Any]]


class Form(StrEnum):
    """How rows are printed."""

    TABLE = "table"
    JSON = "json"
    JSONL = "jsonl"
    CSV = "csv"


FormOption = Annotated[Form, typer.Option("--output", "-o", help="How to print them.")]


def put_out(
    rows: Rows,
    output: Output | Form,
    heads: Sequence[str],
    cells: Callable[[Mapping[str, Any]], Iterable[str]],
    *,
    none: str,
    as_csv: Callable[[Rows], None] | None = None,
) -> bool:
    """Print rows as they are asked for; return whether it was a table, below which people may be told more.

    `none` is told in place of a table without rows. `as_csv` prints them where `output` may be CSV.
    """
    if output is Form.CSV and as_csv is not None:
        as_csv(rows)
        return False
    if output.value != Output.TABLE.value:
        emit(rows, Output(output.value))
        return False
    if not rows:
        typer.echo(none)
        return False
    from rotator.report.tables import plain_table, words  # noqa: PLC0415 - Rich is not free

    table = plain_table(None, *heads)
    for row in rows:
        table.add_row(*map(words, cells(row)))
    console().print(table)
    return True


def write_csv(heads: Iterable[str], rows: Iterable[Iterable[Any]]) -> None:
    """Print cells that no spreadsheet computes; None is an empty one."""
    from rotator.report.csv_form import safe  # noqa: PLC0415 - only who asks for it pays for it

    table = csv.writer(sys.stdout, lineterminator="\n")
    table.writerow(heads)
    table.writerows([safe(each) for each in row] for row in rows)

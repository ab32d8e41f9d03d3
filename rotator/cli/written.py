"""Print a report as a file of its own kind: a page to keep, or a table for spreadsheets."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Annotated, Any

import typer

from rotator import clock


class ReportForm(StrEnum):
    """How a report is printed."""

    TABLE = "table"
    JSON = "json"
    JSONL = "jsonl"
    HTML = "html"
    CSV = "csv"


ReportOption = Annotated[ReportForm, typer.Option("--output", "-o", help="How to print the report.")]


def written(report: Mapping[str, Any], form: ReportForm) -> None:
    """Write the report to standard output."""
    if form is ReportForm.HTML:
        from rotator.report import html_form  # noqa: PLC0415 - templates are not free

        lines = iter([html_form.text(report, clock.now())])
    else:
        from rotator.report import csv_form  # noqa: PLC0415 - only who wants a table pays for it

        lines = csv_form.text(report)
    printed(lines)


def printed(lines: Iterable[str]) -> None:
    """Write a file's lines to standard output, as UTF-8 whatever the terminal's own encoding is."""
    sys.stdout.flush()
    for line in lines:
        sys.stdout.buffer.write(line.encode())
    sys.stdout.buffer.flush()

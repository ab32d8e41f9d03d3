"""Print a report as a file of its own kind: a page to keep, also as PDF, or a table for spreadsheets."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Annotated, Any

import typer

from rotator import clock
from rotator.errors import BadInput


class ReportForm(StrEnum):
    """How a report is printed."""

    TABLE = "table"
    JSON = "json"
    JSONL = "jsonl"
    HTML = "html"
    CSV = "csv"
    PDF = "pdf"


ReportOption = Annotated[ReportForm, typer.Option("--output", "-o", help="How to print the report.")]


def written(report: Mapping[str, Any], form: ReportForm) -> None:
    """Write an incident's report to standard output. Raises BadInput where PDF cannot be made here."""
    from rotator.report import files  # noqa: PLC0415 - templates are not free

    printed(files.of_incident(report, files.Form(form), clock.now()))


def refuse_terminal(form: ReportForm) -> None:
    """Raise BadInput where PDF would come on a screen."""
    if form is ReportForm.PDF and sys.stdout.isatty():
        raise BadInput("a PDF is no text for a terminal", "-o pdf", "send it to a file: -o pdf > report.pdf")


def printed(file: Iterable[bytes]) -> None:
    """Write a file to standard output, as its bytes are."""
    sys.stdout.flush()
    for part in file:
        sys.stdout.buffer.write(part)
    sys.stdout.buffer.flush()

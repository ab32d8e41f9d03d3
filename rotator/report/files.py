"""A report as a file, the same wherever it is asked for: data, a table for spreadsheets, a page, and that as PDF."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from enum import StrEnum
from typing import Any

from rotator.ledger.responses import Found
from rotator.report import compliance_csv, compliance_page, csv_form, html_form, pdf


class Form(StrEnum):
    """In which form."""

    JSON = "json"
    CSV = "csv"
    HTML = "html"
    PDF = "pdf"


MEDIA_TYPES: Mapping[Form, str] = {
    Form.JSON: "application/json",
    Form.CSV: "text/csv; charset=utf-8",
    Form.HTML: "text/html; charset=utf-8",
    Form.PDF: "application/pdf",
}


def of_incident(report: Mapping[str, Any], form: Form, made_at: float) -> Iterator[bytes]:
    """Return an incident's report, made at a moment in epoch seconds. Raises BadInput where PDF cannot be made here."""
    if form is Form.PDF:
        return iter([pdf.made(html_form.text(report, made_at, pdf.LISTED, pdf.STEPPED))])
    if form is Form.HTML:
        return _encoded([html_form.text(report, made_at)])
    return _encoded(csv_form.text(report) if form is Form.CSV else _data(report))


def of_period(report: Mapping[str, Any], found: Found, form: Form, made_at: float) -> Iterator[bytes]:
    """Return the compliance report of what was found, as `of_incident` does."""
    if form in {Form.HTML, Form.PDF}:
        page = compliance_page.text(report, found, made_at)
        return iter([pdf.made(page)]) if form is Form.PDF else _encoded([page])
    return _encoded(compliance_csv.text(found, made_at) if form is Form.CSV else _data(report))


def _data(report: Mapping[str, Any]) -> Iterable[str]:
    return [json.dumps(report, indent=2), "\n"]


def _encoded(lines: Iterable[str]) -> Iterator[bytes]:
    return (line.encode() for line in lines)

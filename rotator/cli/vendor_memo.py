"""The decision memo of a vendor, at the command line."""

from __future__ import annotations

import sys
from enum import StrEnum
from typing import Annotated

import typer

from rotator.actor import actor
from rotator.cli.options import Context
from rotator.cli.vendor_triage import Advisories, Breached, Notice, read, sorted_out, text_of
from rotator.errors import BadInput


class MemoForm(StrEnum):
    """How a memo is printed."""

    MARKDOWN = "md"
    HTML = "html"
    PDF = "pdf"
    JSON = "json"


def register(group: typer.Typer) -> None:
    """Add this file's command to the group of vendors."""
    group.command("memo")(memo)


def memo(  # noqa: PLR0917 - options, which callers name
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help="The vendor.")],
    advisory: Advisories = None,
    breached: Breached = None,
    notice: Notice = "",
    output: Annotated[
        MemoForm, typer.Option("--output", "-o", help="As which file it is printed.")
    ] = MemoForm.MARKDOWN,
) -> None:
    """Print the memo by which a vendor is paused or not.

    It is one page for who was not there and has to decide.
    It says what happened, what is known and what is not, what the vendor holds and reaches, what may be done with what
    consequences, and what is recommended and why. Changes nothing.

    Example: rotator vendor memo acme PYSEC-2026-2 -o html
    """
    from rotator.cli.written import printed  # noqa: PLC0415 - only this command pays for it
    from rotator.operations import vendor_memo  # noqa: PLC0415
    from rotator.report.vendor_memo_forms import MemoForm as Form  # noqa: PLC0415

    given: Context = context.obj
    if output is MemoForm.PDF and sys.stdout.isatty():
        raise BadInput("a PDF is no text for a terminal", "-o pdf", f"send it to a file: -o pdf > {name}.pdf")
    ids, files = sorted_out(advisory or ())
    text = text_of(notice)
    if files and given.far() is not None:
        raise BadInput("a record's file is read where the ledger is", files[0], "name the advisory by its id")
    if files:
        from rotator.alarm.vendor_notice import Given  # noqa: PLC0415
        from rotator.report.vendor_memo_forms import written  # noqa: PLC0415

        of = Given(ids, {each: read(each) for each in files}, list(breached or ()), text)
        printed(written(vendor_memo.made_of(given.parts(), actor(), name, of), Form(output)))
        return
    asked = {"name": name, "advisories": ",".join(ids), "breached": ",".join(breached or ()), "notice": text}
    printed(given.service().file(vendor_memo.MEMO, Form(output), asked))

"""The decision memo of a vendor, at the command line."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from rotator.actor import actor
from rotator.cli.options import Context
from rotator.cli.vendor_triage import Advisories, Breached, read, sorted_out, text_of
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
    name: Annotated[str, typer.Argument(metavar="[NAME]", help="The vendor; without one, all that are touched.")] = "",
    advisory: Advisories = None,
    breached: Breached = None,
    notice: Annotated[
        str, typer.Option("--notice", metavar="ID|FILE|TEXT", help="An advisory, or the text of the news; or -.")
    ] = "",
    output: Annotated[
        MemoForm, typer.Option("--output", "-o", help="As which file it is printed.")
    ] = MemoForm.MARKDOWN,
) -> None:
    """Print the memo by which a vendor is paused or not.

    It is one page for who was not there and has to decide.
    It says what happened, what is known and what is not, what the vendor holds and reaches, what may be done with what
    consequences, and what is recommended and why. Without a name it tells of all vendors that the notice touches, the
    gravest first, what is recommended for each, and what that takes together. Changes nothing.

    Example: rotator vendor memo acme PYSEC-2026-2 -o html
    """
    from rotator.cli.written import printed  # noqa: PLC0415 - only this command pays for it
    from rotator.operations import vendor_memo  # noqa: PLC0415
    from rotator.report.vendor_memo_forms import MemoForm as Form  # noqa: PLC0415

    given: Context = context.obj
    if output is MemoForm.PDF and sys.stdout.isatty():
        raise BadInput("a PDF is no text for a terminal", "-o pdf", f"send it to a file: -o pdf > {name or 'memo'}.pdf")
    # An advisory may be named by the option too: without a vendor's name no word else could be one.
    is_news = not notice or (not sorted_out([notice])[0] and not _is_record(notice))
    ids, files = sorted_out([*(advisory or ()), *([] if is_news else [notice])])
    text = text_of(notice) if is_news else ""
    if files and given.far() is not None:
        raise BadInput("a record's file is read where the ledger is", files[0], "name the advisory by its id")
    if files:
        from rotator.alarm.vendor_notice import Given  # noqa: PLC0415
        from rotator.report.vendor_memo_forms import written  # noqa: PLC0415
        from rotator.report.vendors_memo_forms import written as written_of_all  # noqa: PLC0415

        of = Given(ids, {each: read(each) for each in files}, list(breached or ()), text)
        if name:
            printed(written(vendor_memo.made_of(given.parts(), actor(), name, of), Form(output)))
        else:
            printed(written_of_all(vendor_memo.made_of_all(given.parts(), actor(), of), Form(output)))
        return
    asked = {"advisories": ",".join(ids), "breached": ",".join(breached or ()), "notice": text}
    if name:
        printed(given.service().file(vendor_memo.MEMO, Form(output), {"name": name, **asked}))
    else:
        printed(given.service().file(vendor_memo.OF_ALL, Form(output), asked))


def _is_record(path: str) -> bool:
    """Tell whether this is a file that begins as JSON does, which no news do."""
    return path != "-" and Path(path).is_file() and read(path).lstrip()[:1] in {"{", "["}

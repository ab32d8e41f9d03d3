"""Triage of vendors: which a notice touches and how badly, and what people judge of that."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from rotator.cli.options import Context, Output, OutputOption, console, emit
from rotator.cli.rows import Form, write_csv
from rotator.errors import BadInput
from rotator.report.plain import plain

_LONGEST_PATH = 1000
_TERM_COLUMNS = ("term", "value", "unit", "source", "why", "by", "at", "instead_of", "ask")


Advisories = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[ADVISORY|FILE]...",
        help="An advisory's id, looked up where `[advisories] url` is configured, or its OSV record.",
    ),
]
Breached = Annotated[
    list[str] | None,
    typer.Option("--breached", metavar="NAME", help="A vendor that was breached, or a sub-processor of vendors."),
]
Notice = Annotated[
    str, typer.Option("--notice", metavar="FILE|TEXT", help="The text of the news, or its file, or -; names count.")
]


def register(group: typer.Typer) -> None:
    """Add this file's commands to the group of vendors."""
    group.command("triage")(triage)
    group.command("assess")(assess)
    group.command("escalate")(escalate)


def triage(
    context: typer.Context,
    advisory: Advisories = None,
    breached: Breached = None,
    notice: Notice = "",
    output: Annotated[Form, typer.Option("--output", "-o", help="How to print it.")] = Form.TABLE,
) -> None:
    """Say which vendors a notice touches, and how badly.

    The gravest come first: how likely each is touched times how sensitive what it reaches is, beside what a pause
    takes and costs. Each term says where it comes from, and what nobody knows how to find out. Changes nothing.

    Example: rotator vendor triage PYSEC-2026-2
    """
    from rotator.operations import vendor_triage  # noqa: PLC0415 - only this command pays for it

    given: Context = context.obj
    ids, records = sorted_out(advisory or ())
    asked = (ids, {name: read(name) for name in records}, list(breached or ()), text_of(notice))
    found = given.service().does(vendor_triage.triage, *asked)
    if output is Form.CSV:
        _write_csv(found["vendors"])
    elif output is not Form.TABLE:
        emit(found if output is Form.JSON else found["vendors"], Output(output))
    else:
        _print(found)


def assess(  # noqa: PLR0917 - options, which callers name
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help="The vendor.")],
    term: Annotated[
        str,
        typer.Argument(metavar="TERM", help="likelihood, sensitivity, effort_h, user_impact or cost_of_change."),
    ],
    reason: Annotated[str, typer.Option("--reason", help="Why; it becomes evidence.")],
    value: Annotated[
        str, typer.Argument(metavar="[VALUE]", help="A number, or of the last two low, medium, high, critical.")
    ] = "",
    notice: Annotated[
        str, typer.Option("--notice", metavar="ID", help="For this notice alone, as triage names it.")
    ] = "",
    clear: Annotated[bool, typer.Option("--clear", help="Take back what was set.")] = False,
    output: OutputOption = Output.TABLE,
) -> None:
    """Set a term of a vendor's triage, or take it back.

    What you say stands in its triage and in its memos with your name and the reason, in place of what follows from the
    registry, and is kept in the vendor's chain of evidence.

    Example: rotator vendor assess acme likelihood 0.1 --notice PYSEC-2026-2 --reason "they showed us their builds"
    """
    from rotator.operations import vendor_triage  # noqa: PLC0415 - only this command pays for it

    given: Context = context.obj
    if clear == bool(value):
        raise BadInput("a value is needed, or --clear and none", "VALUE", "write one of the two")
    told = given.service().does(vendor_triage.assess, name, term, value or None, notice, reason)
    if output is not Output.TABLE:
        emit(told, output)
        return
    before = "" if told["before"] is None else f", {told['before']:g} before"
    stands = "follows from the registry again" if told["value"] is None else f"is {_worded(told)}"
    of = notice or "every notice"
    typer.echo(plain(f"{term} of {name} {stands} for {of}{before}"))


def escalate(
    context: typer.Context,
    advisory: Annotated[str, typer.Argument(metavar="ADVISORY", help="Its id, by any of its names.")],
    reason: Annotated[str, typer.Option("--reason", help="Why; it becomes evidence.")],
    output: OutputOption = Output.TABLE,
) -> None:
    """Take an ordinary vulnerability for a compromise.

    By its record's own fields it touches no vendor. Since you say so vendors are triaged for it, and people are told
    whom it touches; nobody is paused. That you said it, and why, stays with it.

    Example: rotator vendor escalate GHSA-aaaa-bbbb-cccc --reason "it is exploited, and keys were read by it"
    """
    from rotator.operations import vendor_triage  # noqa: PLC0415 - only this command pays for it

    given: Context = context.obj
    told = given.service().does(vendor_triage.escalate, advisory, reason)
    if output is not Output.TABLE:
        emit(told, output)
        return
    typer.echo(plain(f"{told['advisory']}: {told['what']}; its record: {told['record']}"))
    for each in told["touched"]:
        typer.echo(plain(f"{each['vendor']} {each['priority']:g} {each['advice']}"))
    if not told["touched"]:
        typer.echo("it touches no registered vendor, as far as is known")
    if told["unknown"]:
        others = "other" if told["unknown"] == 1 else "others"
        typer.echo(f"of {told['unknown']:,} {others} it is not known")


def text_of(notice: str) -> str:
    """Return the text of a notice that was given as a file, as itself, or as -. Raises BadInput for no such file."""
    if notice == "-":
        return sys.stdin.read()
    is_path = len(notice) <= _LONGEST_PATH and "\n" not in notice and Path(notice).is_file()
    if notice and not is_path and not any(map(str.isspace, notice)):
        raise BadInput("there is no such file, and one word is no news", notice, "give its file, or its text")
    return read(notice) if is_path and notice else notice


def sorted_out(given: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return ids of advisories, and files of their records."""
    from rotator.alarm.looking_up import is_id  # noqa: PLC0415

    ids = [each for each in given if is_id(each) and not Path(each).exists()]
    return ids, [each for each in given if each not in ids]


def read(name: str) -> str:
    try:
        return Path(name).read_text("utf-8")
    except OSError as error:
        raise BadInput(f"cannot be read ({error.strerror})", name, "give an advisory's id, or its file") from None
    except UnicodeDecodeError:
        raise BadInput("this is no text in UTF-8", name, "save it as UTF-8") from None


def _worded(term: Mapping[str, Any]) -> str:
    return str(term["level"]) if term["level"] else f"{term['value']:g}"


def _print(found: Mapping[str, Any]) -> None:
    from rotator.report.tables import plain_table, words  # noqa: PLC0415

    notice, rows = found["notice"], found["vendors"]
    typer.echo(plain(f"{notice['title']} (notice {notice['id']})"))
    for each in notice["notes"]:
        typer.echo(plain(f"note: {each}"))
    if not rows:
        typer.echo("it touches no registered vendor, as far as is known")
        return
    columns = ("", "vendor", "advice", "priority", "likelihood", "sensitivity", "effort h", "user impact", "change")
    table = plain_table(None, *columns)
    names = ("likelihood", "sensitivity", "effort_h", "user_impact", "cost_of_change")
    for row in rows:
        terms = {each["name"]: each for each in row["terms"]}
        cells = [_cell(terms[name]) for name in names]
        table.add_row(*map(words, (str(row["rank"]), row["vendor"], _advice(row), f"{row['priority']:g}", *cells)))
    console().print(table)
    for row in rows:
        _explain(row)


def _advice(row: Mapping[str, Any]) -> str:
    return f"{row['advice']}; PAUSED by {row['paused']}" if row["paused"] else str(row["advice"])


def _cell(term: Mapping[str, Any]) -> str:
    value = "unknown" if term["value"] is None else _worded(term)
    return f"{value} (by {term['by']})" if term["by"] else value


def _explain(row: Mapping[str, Any]) -> None:
    typer.echo(plain(f"{row['vendor']}: {_advice(row)}: {row['because']}"))
    for each in row["terms"]:
        if each["by"]:
            before = "unknown" if each["instead_of"] is None else f"{each['instead_of']:g}"
            told = (
                f"  {each['name']} {_worded(each)}: {each['why']}, says {each['by']} ({each['source']}; {before} else)"
            )
            typer.echo(plain(told))
        elif each["name"] in {"likelihood", "worst"}:
            typer.echo(plain(f"  {each['name']} {each['value']:g}: {each['why']}"))
        if each["ask"]:
            typer.echo(plain(f"  {each['name']}, to know more: {each['ask']}"))


def _write_csv(rows: Iterable[Mapping[str, Any]]) -> None:
    """Print a row for each term."""
    of_row = ("rank", "vendor", "priority", "advice")
    told = (
        [*(row[name] for name in of_row), each["name"], *(each[name] for name in _TERM_COLUMNS[1:])]
        for row in rows
        for each in row["terms"]
    )
    write_csv((*of_row, *_TERM_COLUMNS), told)

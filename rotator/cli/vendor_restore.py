"""Let a paused vendor in again: its gates, what people give for them, and the restore."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from rotator.cli import approval
from rotator.cli.hands import unless_stopped
from rotator.cli.options import Context, Output, OutputOption, Reason, emit, say
from rotator.cli.vendor_registry import Name
from rotator.errors import BadInput, NotAllowed
from rotator.report.plain import plain

GateName = Annotated[str, typer.Argument(metavar="GATE", help="As `rotator vendor gates` names it.")]
_MOST_TEXT = 1 << 15
_SHOWN = 20
"""How many reasons of one gate are told one by one: it may be shut by each of ten thousand credentials."""


def register(group: typer.Typer) -> None:
    """Add this file's commands to the group of vendors."""
    group.command("gates")(gates)
    group.command("meet")(meet)
    group.command("override")(override)
    group.command("restore")(restore)


def gates(context: typer.Context, name: Name, output: OutputOption = Output.TABLE) -> None:
    """Show what still keeps a paused vendor out.

    Each gate of the checklist as it was when the vendor was paused: open or shut by what is so now, why, what to do
    next, and on what evidence. Changes nothing. Exit codes: 0 all are open; 3 one is shut.

    Example: rotator vendor gates acme
    """
    from rotator.operations.vendor_restore import GATES  # noqa: PLC0415 - only who asks pays for it

    found = context.obj.service().shows(GATES, name)
    if output is not Output.TABLE:
        emit(found, output)
    else:
        say("", f"{name} is paused by {found['paused_by']} since {found['paused_at']}, in {found['incident']}")
        for each in found["gates"]:
            _say(context.obj, each)
        for each in found["grants"]:
            say("grant that it could get back: ", f"{each['grant']} (--resume {each['run']})")
    raise typer.Exit(0 if found["is_open"] else 3)


def meet(  # noqa: PLR0917 - options, which callers name
    context: typer.Context,
    name: Name,
    gate: GateName,
    reason: Reason,
    document: Annotated[
        Path | None,
        typer.Option("--document", help="A report, which is hashed and stays here; or an advisory's record."),
    ] = None,
    sender: Annotated[str, typer.Option("--from", metavar="WHO", help="From whom the document is.")] = "",
    dated: Annotated[str, typer.Option("--dated", metavar="DAY", help="The day that it bears: 2026-11-23.")] = "",
    output: OutputOption = Output.TABLE,
) -> None:
    """Give what a gate asks a person for.

    A report with from whom it is, its day, and in --reason what it says; why attestations are believed; an advisory, or
    why no package was the cause; a yes. It is kept for good under your name, and nothing of it is taken back. Whether
    the gate is open then follows from what is so. Exit codes: 0 the gate is open; 3 it is shut still; 4 not yours to
    give.

    Example: rotator vendor meet acme forensics --document report.pdf --from "Forensics Ltd" --dated 2026-11-23 --reason "they are out"
    """  # noqa: E501 - a command
    from rotator.operations.vendor_restore import GATES  # noqa: PLC0415 - only who acts pays for them
    from rotator.operations.vendor_restore import meet as operation  # noqa: PLC0415

    service = context.obj.service()
    asks = {each["gate"]: each["asks"] for each in service.shows(GATES, name)["gates"]}
    paper = _hashed(document, is_read=asks.get(gate) == "software") if document is not None else None
    told = service.does(operation, name, gate, reason, paper, sender, dated)
    if output is not Output.TABLE:
        emit(told, output)
    else:
        _say(context.obj, told)
    raise typer.Exit(0 if told["is_open"] else 3)


def override(  # noqa: PLR0917 - options, which callers name
    context: typer.Context,
    name: Name,
    gate: GateName,
    reason: Reason,
    confirm: approval.Confirm = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """Open a gate against what keeps it shut.

    It is for what keeps it shut now, and for nothing that is found later. Your name, the reason and what it was against
    stand in every report of the vendor and of its incident, for good. Exit code 4: not confirmed, or you may not.

    Example: rotator vendor override acme datasets --reason "the new file is our own export"
    """
    from rotator.operations.operation import AsksFirst  # noqa: PLC0415 - only who acts pays for them
    from rotator.operations.vendor_restore import override as operation  # noqa: PLC0415

    service = context.obj.service()
    try:
        told = service.does(operation, name, gate, reason, confirm or "")
    except AsksFirst as first:
        for each in _some(first.more.get("against", ())):
            say("against: ", each, error=True)
        approval.confirmed(first.mend, confirm)
        told = service.does(operation, name, gate, reason, first.mend)
    if output is not Output.TABLE:
        emit(told, output)
    else:
        _say(context.obj, told)


def restore(  # noqa: PLR0917 - options, which callers name
    context: typer.Context,
    name: Name,
    reason: Reason,
    resume: Annotated[
        list[str] | None, typer.Option("--resume", metavar="GRANT", help="A grant to give back: its id, or its run.")
    ] = None,
    resume_grants: Annotated[
        bool, typer.Option("--resume-grants", help="Give back every grant that was only suspended.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Let it in without asking.")] = False,
    output: OutputOption = Output.TABLE,
) -> None:
    """Let a paused vendor in again.

    Refused while a gate is shut, with each that is. Then new credentials may be made for it; what it held stays dead,
    but for the grants that you name. Exit code 4: a gate is shut, it was not confirmed, or you may not.

    Example: rotator vendor restore acme --reason "clean by the report of 2026-11-23" --resume-grants
    """
    from rotator.operations.operation import AsksFirst  # noqa: PLC0415 - only who acts pays for them
    from rotator.operations.vendor_restore import restore as operation  # noqa: PLC0415

    given: Context = context.obj
    service, names = given.service(), list(resume or ())
    try:
        told = service.does(operation, name, reason, names, resume_grants, yes)
    except NotAllowed as refused:
        if not refused.each or not _say_shut(given, name):
            raise
        raise typer.Exit(4) from None
    except AsksFirst as first:
        if overridden := first.more.get("overridden"):
            say("", f"open by an override alone: {', '.join(overridden)}", error=True)
        if not approval.typed(first.more["words"]):
            how = "" if sys.stdin.isatty() else " (nobody is there to ask: give --yes)"
            print(f"rotator: not confirmed; nothing was changed{how}", file=sys.stderr)  # noqa: T201
            raise typer.Exit(4) from None
        told = service.does(operation, name, reason, names, resume_grants, True)
    service.work(told)
    if output is not Output.TABLE:
        emit(told, output)
        return
    back = ", ".join(each["grant"] for each in told["resumed"])
    kept = f"it gets back {back}; all else that it held stays dead" if back else "all that it held stays dead"
    stopped = unless_stopped(given, told, "nothing of it goes on yet")
    typer.echo(plain(f"{name} is let in again: {kept}; {told['incident']} tells it") + stopped)


def _say_shut(given: Context, name: str) -> bool:
    """Say that a vendor stays out, and of each gate that is shut why, and what to type; tell whether one is.

    The nearest comes first.
    """
    from rotator.operations.vendor_restore import GATES  # noqa: PLC0415 - only who was refused pays for it

    rows = [each for each in given.service().shows(GATES, name)["gates"] if not each["is_open"]]
    if not rows:
        return False
    count = "1 gate is shut" if len(rows) == 1 else f"{len(rows):,} gates are shut"
    say("rotator: ", f"{name} stays paused: {count}", error=True)
    for each in sorted(rows, key=lambda row: len(row["shut_by"])):
        more = f" (and {len(each['shut_by']) - 1:,} more)" if len(each["shut_by"]) > 1 else ""
        say(f"  {each['gate']}: ", f"{each['shut_by'][0]}{more}: {_todo(given, each)}", error=True)
    return True


def _todo(given: Context, gate: Mapping[str, Any]) -> str:
    todo = str(gate["todo"])
    return given.as_called(todo) if todo.startswith("rotator ") else todo


def _some(lines: Sequence[str]) -> list[str]:
    more = [f"… and {len(lines) - _SHOWN:,} more: -o json has them all"] if len(lines) > _SHOWN else []
    return [*lines[:_SHOWN], *more]


def _say(given: Context, gate: Mapping[str, Any]) -> None:
    stands = "OVERRIDDEN" if gate["is_overridden"] else "open" if gate["is_open"] else "SHUT"
    say("", f"{gate['gate']}: {stands}")
    for each in _some(gate["shut_by"]):
        say("  shut: ", each)
    if gate["todo"]:
        say("  next: ", _todo(given, gate))
    for each in _some(gate["evidence"]):
        say("  found: ", each)
    for each in gate["overrides"]:
        say(
            "  overridden: ",
            f"{each['at']} by {each['by']}: {each['reason']} (against: {'; '.join(_some(each['against']))})",
        )


def _hashed(path: Path, *, is_read: bool) -> dict[str, Any]:
    """Return what is told of a document; what stands in it only where that `is_read`, as an advisory is."""
    digest, size, text = hashlib.sha256(), 0, b""
    try:
        with path.open("rb") as file:
            while block := file.read(1 << 20):
                digest.update(block)
                size += len(block)
                text = text or block
    except OSError as error:
        raise BadInput(f"it cannot be read ({error.strerror})", str(path), "is it there?") from None
    told = {"name": path.name, "sha256": digest.hexdigest(), "size": size}
    if not is_read:
        return told
    if size > _MOST_TEXT:
        what = f"an advisory's record is {_MOST_TEXT:,} bytes long at most, and this is {size:,}"
        raise BadInput(what, str(path), "take out what names no package and no version")
    return {**told, "text": text.decode(errors="replace")}

"""Say yes to a plan, or look at what went through without: `rotator approve` and `rotator review`."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Annotated, Any

import typer

from rotator.cli import completion
from rotator.cli.options import Context, short
from rotator.errors import BadInput, NotAllowed
from rotator.report.plain import plain

Id = Annotated[
    str, typer.Argument(metavar="INCIDENT", help="The incident's id, or `last`.", autocompletion=completion.incidents)
]
Confirm = Annotated[
    str | None,
    typer.Option(metavar="WORDS", help="What would have to be typed at a terminal, such as `revoke 12 production`."),
]


def register(app: typer.Typer) -> None:
    """Add this file's commands."""
    app.command("approve")(approve)
    app.command("review")(review)


def approve(  # noqa: PLR0917 - options, which callers name
    context: typer.Context,
    incident: Id,
    digest: Annotated[str, typer.Option(help="The plan's digest, as `rotator plan` shows it.")],
    scope: Annotated[
        str | None,
        typer.Option(
            help="containment, destruction or all. Without it: all, or containment alone where [approval] has "
            "destruction apart."
        ),
    ] = None,
    break_glass: Annotated[
        bool, typer.Option("--break-glass", help="Begin without the approval that is needed; it is reviewed later.")
    ] = False,
    reason: Annotated[
        str | None, typer.Option(help="Why the glass is broken; it becomes evidence.", callback=short)
    ] = None,
    confirm: Confirm = None,
) -> None:
    """Approve a plan by its digest.

    The work, which changes credentials at their issuers, starts once enough people have said so.

    Exit codes: 0 approved; 3 more people are wanted; 4 you may not, or it was not confirmed.

    Example: rotator approve last --digest 0123456789abcdef
    """
    from rotator.operations.deciding import approve as operation  # noqa: PLC0415 - only who approves pays for them
    from rotator.operations.operation import AsksFirst  # noqa: PLC0415

    if break_glass and not (reason or "").strip():
        raise BadInput("broken glass needs a reason: it becomes evidence", "--break-glass", "add --reason TEXT")
    if reason is not None and not break_glass:
        raise BadInput("a reason without --break-glass", "--reason", "an approval needs none")
    given: Context = context.obj
    service = given.service()
    name, why = service.incident(incident), (reason or "").strip()
    try:
        found = service.does(operation, name, digest, scope, break_glass, why, confirm or "")
    except AsksFirst as first:
        confirmed(first.mend, confirm)
        found = service.does(operation, name, digest, scope, break_glass, why, first.mend)
    service.work(found)
    begin = f"{given.called} approve {name} --digest {digest}"
    watch = f"watch it with: {given.called} incident watch {name}"
    for line in (_became(found), *(f"{each['who']}: {begin}{each['option']}" for each in found["asks"]), watch):
        typer.echo(plain(line))
    if any(each["is_meant"] for each in found["asks"]):
        raise typer.Exit(3)


def review(
    context: typer.Context,
    incident: Id,
    note: Annotated[str, typer.Option(help="What you found; it becomes evidence.", callback=short)],
) -> None:
    """Say that you looked at what began without an approval.

    That is what broken glass or a standing order let through, and what you found. Starts and stops nothing.

    Example: rotator review last --note "right, and in time"
    """
    from rotator.operations.deciding import review as operation  # noqa: PLC0415 - only who acts pays for it

    given: Context = context.obj
    service = given.service()
    name = service.incident(incident)
    what = ", ".join(dict.fromkeys(service.does(operation, name, note)["reviewed"]))
    typer.echo(plain(f"{name}: reviewed: {what}"))


def confirmed(words: str, given: str | None) -> None:
    """Have the words typed, or compare those that were given. Raises NotAllowed for others, with nothing changed."""
    if not words or (given or "").strip() == words:
        return
    if given is not None:
        raise NotAllowed(f"`{given}` is not `{words}`", "--confirm", "look at the plan again; nothing was changed")
    if not sys.stdin.isatty():
        mend = f'nobody is there to type it: give --confirm "{words}"; --yes is not enough for this'
        raise NotAllowed(f"it touches what is to be confirmed by typing `{words}`", "", mend)
    if not typed(words):
        raise NotAllowed("not confirmed; nothing was changed", "", f"type `{words}`")


def typed(words: str) -> bool:
    """Ask for the words at the terminal; tell whether they were typed. Where no terminal is, nobody has typed them."""
    if not sys.stdin.isatty():
        return False
    try:
        answer = typer.prompt(f"Type `{words}` to go ahead", default="no", show_default=False, err=True)
    except typer.Abort:
        return False
    return str(answer).strip() == words


def _became(found: Mapping[str, Any]) -> str:
    """Say what a yes has come to."""
    if found["begins"]:
        return "approved"
    if not found["is_new"]:
        return "it was approved before; nothing is changed" if not found["wanted"] else "your yes was there before"
    return "your yes is kept" if found["wanted"] else "your yes is kept; the destruction is approved"

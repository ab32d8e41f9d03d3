"""Delete evidence that is older than the configuration keeps it: shown first, and done by a person alone."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rotator.actor import actor
from rotator.cli import approval
from rotator.cli.options import Context, Output, OutputOption, console, emit
from rotator.cli.signing_keys import signing_key
from rotator.errors import BadInput
from rotator.report.plain import plain

if TYPE_CHECKING:
    from rotator.ledger.expiring import Old


def expire(
    context: typer.Context,
    yes: Annotated[bool, typer.Option("--yes", help="Delete what is due, without asking.")] = False,
    confirm: approval.Confirm = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """Delete evidence that was kept long enough.

    It shows which incidents were closed longer ago than [evidence] delete_after, and which are as old and are kept, and
    why. Then it asks: the records of what is due are deleted for good, a checkpoint signs which, and nothing can be
    added to those incidents any more. Nothing else deletes evidence, and no process does it by itself.

    Exit codes: 0 deleted, or nothing is due; 4: not confirmed, or not allowed, and nothing was changed.

    Example: rotator evidence expire --yes
    """
    from rotator.confirmation import words_for  # noqa: PLC0415

    given: Context = context.obj
    parts = given.parts()
    after_s = parts.settings.evidence.delete_after
    if after_s is None:
        what = "evidence is kept for ever: nothing says after how long it is deleted"
        raise BadInput(
            what, "evidence.delete_after", 'set one, as delete_after = "2555d"; docs/evidence.md says what then'
        )
    found = parts.expiring.old(after_s)
    due = [each for each in found if not each.why]
    if output is Output.TABLE:
        _show(found)
    if not due:
        _tell({"deleted": False, "checkpoint": None}, found, output)
        return
    words = words_for(parts, parts.expiring.credentials(due), "delete")
    if words:
        approval.confirmed(words, confirm)
    elif not yes and not approval.typed(f"delete {len(due)}"):
        how = "" if sys.stdin.isatty() else " (nobody is there to ask: give --yes)"
        print(f"rotator: not confirmed; nothing was changed{how}", file=sys.stderr)  # noqa: T201
        _tell({"deleted": False, "checkpoint": None}, found, output)
        raise typer.Exit(4)
    made = parts.expiring.delete(signing_key(parts), due, after_s, actor())
    number = made.told["number"]
    _tell({"deleted": True, "checkpoint": number}, found, output)
    if output is Output.TABLE:
        records = sum(each.records for each in due)
        typer.echo(f"{records:,} records of {len(due)} incidents are deleted, under checkpoint {number}")


def _tell(done: dict[str, Any], found: list[Old], output: Output) -> None:
    if output is Output.TABLE:
        return
    due = [_told(each) for each in found if not each.why]
    kept = [_told(each) | {"why": each.why} for each in found if each.why]
    emit({**done, "due": due, "kept": kept}, output)


def _told(each: Old) -> dict[str, Any]:
    from rotator.report.clocks import moment  # noqa: PLC0415

    told = {"incident": each.incident, "with": list(each.family[1:]), "closed_at": moment(each.closed_at)}
    return {**told, "chains": len(each.chains), "records": each.records}


def _show(found: list[Old]) -> None:
    from rotator.report.clocks import moment  # noqa: PLC0415
    from rotator.report.tables import plain_table, words  # noqa: PLC0415

    due, kept = ([each for each in found if bool(each.why) is is_kept] for is_kept in (False, True))
    if due:
        table = plain_table(None, "due", "closed", "records", "with")
        for each in due:
            row = (each.incident, moment(each.closed_at), f"{each.records:,}", ", ".join(each.family[1:]))
            table.add_row(*map(words, row))
        console().print(table)
    else:
        typer.echo("nothing is due")
    for each in kept:
        typer.echo(plain(f"kept: {each.incident}: {each.why}"))

"""Who is told what happens: the channels, how each stands, and a message to try one."""

from __future__ import annotations

import secrets
from collections import Counter
from typing import TYPE_CHECKING, Annotated

import typer

from rotator.cli import completion
from rotator.cli.options import Context, Output, OutputOption, console, emit
from rotator.errors import BadInput, RotatorError, Uncertain

if TYPE_CHECKING:
    from rotator.bootstrap import Rotator
    from rotator.settings.notices import NoticeSettings

_NEEDS = "docs/notices.md says what it needs"


def register(app: typer.Typer) -> None:
    """Add this file's commands."""
    notices = typer.Typer(help="Who is told what happens to incidents.", no_args_is_help=True)
    notices.command("list")(list_channels)
    notices.command("test")(test_channel)
    app.add_typer(notices, name="notice")


def list_channels(context: typer.Context, output: OutputOption = Output.TABLE) -> None:
    """List the channels by which people are told.

    It tells what each hears of, what it was sent, and what it would not take.

    Example: rotator notice list -o jsonl
    """
    from rotator.ledger.told import GIVEN_UP, SENT  # noqa: PLC0415 - only this command pays for them
    from rotator.report.clocks import moment  # noqa: PLC0415
    from rotator.report.tables import plain_table, words  # noqa: PLC0415

    given: Context = context.obj
    parts = given.parts()
    told = parts.reading.told()
    found = []
    for entry in parts.settings.notices:
        mine = [each for each in told if each.channel == entry.name]
        states = Counter(each.state for each in mine)
        last = max((each.settled_at or 0.0 for each in mine if each.state == SENT), default=None)
        trouble = [each for each in mine if each.state != SENT and each.reason]
        found.append(
            {
                "name": entry.name,
                "kind": "slack" if entry.slack is not None else "mail",
                "events": "default" if entry.events is None else [each.value for each in entry.events],
                "severity": entry.severity.value,
                "sent": states[SENT],
                "last_sent_at": moment(last) or None,
                "waiting": len(mine) - states[SENT] - states[GIVEN_UP],
                "given_up": states[GIVEN_UP],
                "trouble": trouble[-1].reason if trouble else None,
            }
        )
    if output is not Output.TABLE:
        emit(found, output)
        return
    if not found:
        typer.echo("no channel is configured: add [[notices]] to rotator.toml, as docs/notices.md says", err=True)
        return
    table = plain_table(None, "channel", "kind", "from", "sent", "last sent", "waits", "given up", "trouble")
    for row in found:
        last_sent = str(row["last_sent_at"] or "-")[:19]
        cells = (row["name"], row["kind"], row["severity"], row["sent"], last_sent, row["waiting"], row["given_up"])
        table.add_row(*(words(str(each)) for each in (*cells, row["trouble"] or "")))
    console().print(table)


def test_channel(
    context: typer.Context,
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="The channel's name.", autocompletion=completion.channels)
    ],
) -> None:
    """Send a channel a message that says it is a test.

    It waits for the answer, and tries once.

    Exit code 1: it was not told.

    Example: rotator notice test oncall
    """
    from rotator import clock  # noqa: PLC0415 - only this command pays for them
    from rotator.examining.channels import MENDS  # noqa: PLC0415
    from rotator.notices.wording import Line, Worded  # noqa: PLC0415
    from rotator.notifying import channel_of  # noqa: PLC0415

    given: Context = context.obj
    parts = given.parts()
    entry = _named(parts, name)
    message = f"test-{secrets.token_hex(4)}"
    lines = (
        Line("head", "[TEST] rotator"),
        Line("event", "somebody tries whether this channel can be told. Nothing has happened."),
        Line("note", f"rotator, message {message}"),
    )
    worded = Worded(message, "test", "[TEST] nothing has happened", clock.now(), lines)
    try:
        answer = channel_of(entry, parts.settings.folder).send(worded)
    except BadInput:
        raise
    except RotatorError as error:
        lost = isinstance(error, Uncertain)
        mend = "it may have it all the same: look there" if lost else MENDS.get(error.reason, _NEEDS)
        typer.echo(f"rotator: {name} was not told: {error} ({mend})", err=True)
        raise typer.Exit(1) from None
    typer.echo(f"{name} took it ({answer}); look there for {message}")


def _named(parts: Rotator, name: str) -> NoticeSettings:
    for entry in parts.settings.notices:
        if entry.name == name:
            return entry
    from rotator.flow.playbook_words import meant  # noqa: PLC0415 - pydantic is not free

    known = [each.name for each in parts.settings.notices]
    mend = meant(name, known) if known else "there is none: docs/notices.md says how to add one"
    raise BadInput(f"no channel is called {name}", "[[notices]]", mend)

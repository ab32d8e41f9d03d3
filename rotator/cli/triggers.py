"""Alarms that came over HTTP: which there are, and what became of each."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING

import typer

from rotator.cli.options import Context, Output, OutputOption, console, emit
from rotator.errors import RotatorError

if TYPE_CHECKING:
    from rotator.bootstrap import Rotator
    from rotator.cli.reaching import Asked
    from rotator.ports import Connection


def register(app: typer.Typer) -> None:
    """Add this file's commands."""
    triggers = typer.Typer(help="Alarms that came over HTTP.", no_args_is_help=True)
    triggers.command("list")(list_triggers)
    app.add_typer(triggers, name="trigger")


def list_triggers(context: typer.Context, output: OutputOption = Output.TABLE) -> None:
    """List alarms that came over HTTP, the newest first.

    It tells when each came, its incident, and why one waits that has none.

    Example: rotator trigger list -o jsonl
    """
    from rotator.report.clocks import moment  # noqa: PLC0415 - only this command pays for them
    from rotator.report.tables import plain_table, words  # noqa: PLC0415

    given: Context = context.obj
    found = [
        {
            "id": each.id,
            "sender": each.sender,
            "title": each.title,
            "received_at": moment(each.received_at),
            "state": each.state,
            "same_as": each.same_as,
            "incident": each.incident,
            "reason": each.reason,
            "due_at": moment(each.due_at) or None,
        }
        for each in given.parts().triggers.listed()
    ]
    if output is not Output.TABLE:
        emit(found, output)
        return
    if not found:
        typer.echo("no alarm has come yet; docs/triggers.md says how one can", err=True)
        return
    table = plain_table(None, "id", "received", "sender", "state", "incident", "title", "reason")
    for row in found:
        names = ("id", "received_at", "sender", "state", "incident", "title", "reason")
        table.add_row(*(words(str(row[name] or "")) for name in names))
    console().print(table)


def looked_at(parts: Rotator) -> Iterator[tuple[bool, str, str]]:
    """Yield what `rotator doctor` finds of each sender: whether it is well, what it is, and how to mend it."""
    from rotator import secret_reference  # noqa: PLC0415 - only the doctor pays for them
    from rotator.flow.playbook_words import meant  # noqa: PLC0415
    from rotator.triggers import generic  # noqa: PLC0415
    from rotator.triggers.message import Refused  # noqa: PLC0415

    for entry in parts.settings.triggers:
        name, broken = f"trigger {entry.title}", False
        for reference in entry.references:
            try:
                secret = secret_reference.read(reference, parts.settings.folder)
                if entry.sender == "generic":
                    generic.key_of(secret)
            except (RotatorError, Refused) as error:
                broken = True
                yield False, f"{name}: {error}", "until then every message of it is sent away"
        for kind in entry.kinds.values():
            if kind not in parts.playbooks:
                broken = True
                yield False, f"{name}: no kind is called {kind}", meant(kind, list(parts.playbooks))
        if not broken:
            yield True, f"{name}: is let in", ""


def sources(parts: Rotator) -> Iterator[Asked]:
    """Yield what `rotator doctor` asks of the connections that look at what alarms point to: whether each answers."""
    from rotator.cli.reaching import Asked  # noqa: PLC0415 - only the doctor pays for it

    names = {name: each.sender for each in parts.settings.triggers for name in each.fetch or ()}
    for name, sender in names.items():
        yield Asked(f"alarms through {name}", partial(_reached, parts.settings.connection(name), sender))


def _reached(connection: Connection, sender: str) -> str:
    from rotator.families import gitguardian, github_alerts, pagerduty  # noqa: PLC0415 - only the doctor pays for them

    reach = {"github": github_alerts.reach, "gitguardian": gitguardian.reach, "pagerduty": pagerduty.reach}
    reach[sender](connection)
    return "answers (what it may see shows with the first alarm)"

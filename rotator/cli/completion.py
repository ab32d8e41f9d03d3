"""Completion for shells: the CLI library's script, and the names that it completes.

A name is completed where that is cheap and harmless: out of the configuration, or out of a ledger that is there. No
ledger is made for it, nothing is brought up to date, no reference to a secret is read, and no issuer is asked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from typer._completion_classes import completion_init  # the library offers its own two options, and no other way
from typer._completion_shared import get_completion_script

from rotator.cli.options import Context

if TYPE_CHECKING:
    from rotator.settings.configuration import Settings

VARIABLE = "_ROTATOR_COMPLETE"
"""The variable by which a shell's script asks for completions."""
_NEWEST = 50


class Shell(StrEnum):
    """The shells there is a script for."""

    BASH = "bash"
    ZSH = "zsh"
    FISH = "fish"


def register(app: typer.Typer) -> None:
    """Add this file's commands, and let shells ask."""
    completion_init()
    app.command("completion")(completion)


def completion(shell: Annotated[Shell, typer.Argument(metavar="SHELL", help="bash, zsh or fish.")]) -> None:
    """Print the script that lets a shell complete words.

    bash: rotator completion bash >> ~/.bashrc

    zsh, behind compinit: rotator completion zsh >> ~/.zshrc

    fish: rotator completion fish > ~/.config/fish/completions/rotator.fish

    Names of incidents, connections, kinds and playbooks are completed out of the configuration and the ledger. No
    issuer is asked, and no secret is read.

    Example: eval "$(rotator completion bash)"
    """
    typer.echo(get_completion_script(prog_name="rotator", complete_var=VARIABLE, shell=shell.value))


def incidents(context: typer.Context) -> list[str]:
    """Return the newest incidents' names, and `last`."""
    return _told(context, _of_the_ledger)


def connections(context: typer.Context) -> list[str]:
    """Return the names of the connections."""
    return _told(context, lambda settings: [each.name for each in settings.connections])


def stoppable(context: typer.Context) -> list[str]:
    """Return what can be stopped: connections, and incidents."""
    return [*connections(context), *incidents(context)]


def channels(context: typer.Context) -> list[str]:
    """Return the names of the channels of notices."""
    return _told(context, lambda settings: [each.name for each in settings.notices])


def siems(context: typer.Context) -> list[str]:
    """Return the names of the channels to a SIEM."""
    return _told(context, lambda settings: [each.name for each in settings.siem])


def kinds(context: typer.Context) -> list[str]:
    """Return the kinds of credentials, which are called as their playbooks are."""
    from rotator.playbook_file import files  # noqa: PLC0415

    return _told(context, lambda settings: sorted(each.stem for each in files(settings.playbooks)))


def _told(context: typer.Context, ask: Callable[[Settings], Iterable[str]]) -> list[str]:
    """Ask the configuration; return nothing where it has a mistake: a shell has no place for it."""
    from rotator.errors import RotatorError  # noqa: PLC0415 - only completion pays for them
    from rotator.ledger.database import LedgerFailed  # noqa: PLC0415
    from rotator.settings.file import load  # noqa: PLC0415

    given = Context(config=context.find_root().params.get("config"), quiet=True)
    try:
        return list(ask(load(given.config)))
    except (RotatorError, LedgerFailed):
        return []


def _of_the_ledger(settings: Settings) -> list[str]:
    from rotator.ledger import names  # noqa: PLC0415
    from rotator.ledger.database import Database  # noqa: PLC0415

    if settings.url:  # no service is asked for it
        return []
    is_file = settings.database_url.startswith("sqlite")
    if is_file and not Path(settings.database_url.partition(":///")[2]).is_file():
        return []
    database = Database(settings.database_url)
    try:
        with database.read() as connection:
            found = names.incidents(connection, _NEWEST)
    finally:
        database.close()
    return [names.LAST, *found] if found else []

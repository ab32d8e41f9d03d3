"""The configuration in force: every setting, and where it comes from."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rotator.cli.options import Context, Output, OutputOption, console, emit

if TYPE_CHECKING:
    from rotator.settings.origin import Setting


def register(app: typer.Typer) -> None:
    """Add this file's commands."""
    group = typer.Typer(help="Look at the configuration in force.", no_args_is_help=True)
    group.command("show")(show)
    app.add_typer(group, name="config")


def show(
    context: typer.Context,
    origin: Annotated[bool, typer.Option("--origin", help="Tell of each setting where it comes from.")] = False,
    output: OutputOption = Output.TABLE,
) -> None:
    """Show every setting in force. Changes nothing, and asks nobody.

    With --origin it tells of each whether it comes from a flag, from a variable of the environment, from which line of
    the file, or is the default; -o json and jsonl always tell. Secrets are shown as the references that they are
    (env:NAME, file:PATH, vault:PATH#KEY) and never read; an address is shown without its login and its query.

    Example: rotator config show --origin
    """
    from rotator.settings.file import chosen  # noqa: PLC0415 - pydantic is not free
    from rotator.shown.configuration import data, settings  # noqa: PLC0415

    given: Context = context.obj
    file = chosen(given.config)
    found = [_file(given, file), *settings(given.parts(), file)]
    if output is Output.TABLE:
        _print(found, origin=origin)
    else:
        emit([data(each) for each in found], output)


def _file(given: Context, file: Path | None) -> Setting:
    """Return which file is read, and why that one."""
    from rotator.settings.file import NAMED  # noqa: PLC0415
    from rotator.settings.origin import DEFAULT, Setting  # noqa: PLC0415

    origin = "--config" if given.config is not None else NAMED if NAMED in os.environ else DEFAULT
    return Setting(("config",), "config", None if file is None else str(file.absolute()), origin)


def _print(found: list[Setting], *, origin: bool) -> None:
    from rotator.report.tables import plain_table, words  # noqa: PLC0415 - Rich is not free

    table = plain_table(None, "setting", "value", *(["origin"] if origin else []))
    for each in found:
        value = each.value if isinstance(each.value, str) else json.dumps(each.value, ensure_ascii=False)
        cells = (each.name, "none" if each.value is None else value, *([each.origin] if origin else []))
        table.add_row(*(words(cell) for cell in cells))
    console().print(table)

"""One line for words that mean nothing to the command line: what, where, and which were meant."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import Any

from typer.exceptions import TyperException

from rotator.report.plain import plain

_NO_COMMAND = re.compile(r"(No such command '([^']*)').*")
_NO_CHOICE = re.compile(r"(?:Value error, )?('([^']*)' is not one of) (.+)")

Commands = Mapping[str, Any]
"""Commands and groups by name; those of a group are its `commands`."""


def path(given: list[str], commands: Commands) -> str:
    """Return the words of the command that was meant, as far as there is one."""
    found = "rotator"
    for word in given:
        if word in commands:
            found, commands = f"{found} {word}", getattr(commands[word], "commands", {})
    return found


def usage_line(error: TyperException, given: list[str], commands: Commands) -> str:
    """Return one line for words that mean nothing; a group without a command shows its help, which is many."""
    said, context = error.format_message(), getattr(error, "ctx", None)
    if said.startswith("Usage: "):
        return said
    of = context.command_path if context is not None else path(given, commands)
    where = of.removeprefix("rotator").strip()
    said, meant = _meant(error, " ".join(said.split()).removesuffix("."), where, commands)
    mend = f"did you mean `{meant}`? see `{of} --help`" if meant else f"see `{of} --help`"
    return plain(f"rotator: {where}{': ' if where else ''}{said[0].lower()}{said[1:]} ({mend})")


def _meant(error: TyperException, said: str, where: str, commands: Commands) -> tuple[str, str]:
    """Return what was said without the library's own guess, and the one word that was meant, "" where none is near."""
    if (options := getattr(error, "possibilities", None)) is not None:
        return said.partition(" (")[0], next(iter(options), "")
    if command := _NO_COMMAND.match(said):
        return command[1], _command(command[2], where, commands)
    if choice := _NO_CHOICE.search(said):
        close = get_close_matches(choice[2], re.findall(r"'([^']*)'", choice[3]), n=1)
        return f"{said[: choice.start()]}{choice[1]} {choice[3].replace(chr(39), '')}", next(iter(close), "")
    return said, ""


def _command(word: str, where: str, commands: Commands) -> str:
    """Return the command that is nearly called so there, or is called so elsewhere."""
    here = commands
    for each in where.split():
        here = getattr(here[each], "commands", {})
    if close := get_close_matches(word, here, n=1):
        return close[0]
    elsewhere = [each for each in _paths(commands, "rotator") if each.rpartition(" ")[2] == word]
    return elsewhere[0] if len(elsewhere) == 1 else ""


def _paths(commands: Commands, of: str) -> Iterator[str]:
    for name, each in commands.items():
        yield f"{of} {name}"
        yield from _paths(getattr(each, "commands", {}), f"{of} {name}")

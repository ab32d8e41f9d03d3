"""The command line. Each command's own work is in its group's file, imported when it is called: help is instant."""

from __future__ import annotations

import atexit
import copy
import errno
import gc
import os
import re
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.exceptions import TyperException

from rotator import __version__
from rotator.cli import (
    approval,
    completion,
    config,
    drill,
    evidence,
    exposure,
    gates,
    hands,
    hygiene,
    incident,
    inventory,
    known,
    ledger,
    manifest,
    notices,
    respond,
    scaffold,
    segmentation,
    service,
    session,
    siem,
    token,
    triggers,
    vendor,
    whoami,
)
from rotator.cli.mistyped import usage_line
from rotator.cli.options import Context
from rotator.errors import BadInput, NotAllowed, RotatorError
from rotator.report.plain import plain

_LOOK_AFTER = 200_000
"""How many new objects the collector of garbage lets be before it looks at them: what ends soon has few rings."""
_NOT_WRITTEN = frozenset({errno.EPIPE, errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EFBIG})
"""Why an answer that goes to a file does not get there."""

app = typer.Typer(
    name="rotator",
    no_args_is_help=True,
    add_completion=False,  # `rotator completion` prints the script: nobody's files are written to
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
respond.register(app)
incident.register(app)
approval.register(app)
exposure.register(app)
hands.register(app)
gates.register(app)
service.register(app)
known.register(app)
config.register(app)
completion.register(app)
scaffold.register(app)
inventory.register(app)
triggers.register(app)
hygiene.register(app)
drill.register(app)
token.register(app)
session.register(app)
whoami.register(app)
notices.register(app)
siem.register(app)
ledger.register(app)
evidence.register(app)
manifest.register(app)
segmentation.register(app)
vendor.register(app)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"rotator {__version__}")
        raise typer.Exit


@app.callback()
def options(
    context: typer.Context,
    config: Annotated[
        Path | None, typer.Option(help="Configuration file; default: ./rotator.toml, then the user's.")
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress; results and errors only.")] = False,
    no_color: Annotated[bool, typer.Option("--no-color", help="No colours (NO_COLOR does the same).")] = False,
    version: Annotated[  # noqa: ARG001 - handled by its callback
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Turn a leak report into revoked, proven-dead and replaced credentials.

    To answer a leak: rotator respond FILE. To see how it stands: rotator report last. To find what is wrong: rotator
    doctor. Results go to standard output, progress to standard error; -o json and jsonl are for programs.

    Exit codes: 0 all dead, proven, and replaced where the plan says so; 1 failed; 2 bad input or usage, told in one
    line; 3 something is open still: held, manual or unproven; 4 not allowed, or not approved; 130 interrupted.
    """
    if no_color:
        os.environ["NO_COLOR"] = "1"
    context.obj = Context(config=config, quiet=quiet)


def main() -> None:
    """Run the command; every foreseen error is one line and an exit code."""
    # Libraries make many objects that stay: to look them through after each 20,000 took a tenth of a short command.
    gc.set_threshold(_LOOK_AFTER)
    # What ends gives all back at once: to look through it first, thrice, took a third of a short command.
    atexit.register(gc.freeze)
    os.umask(0o077)  # whatever the rotator writes is its owner's only
    given = sys.argv[1:]
    try:
        words = _hoisted(_words(given))
        code = _narrowed(words)(words, prog_name="rotator", standalone_mode=False)
        sys.stdout.flush()
        sys.exit(code)
    except TyperException as error:
        print(usage_line(error, given, _commands()), file=sys.stderr)  # noqa: T201
        sys.exit(error.exit_code)
    except typer.Abort:
        print("\nrotator: interrupted", file=sys.stderr)  # noqa: T201
        sys.exit(130)
    except BadInput as error:
        print(plain(f"rotator: {_as_called(str(error), given)}"), file=sys.stderr)  # noqa: T201
        sys.exit(4 if isinstance(error, NotAllowed) else 2)
    except RotatorError as error:
        print(plain(f"rotator: {error}"), file=sys.stderr)  # noqa: T201
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
    except Exception as error:
        if isinstance(error, OSError) and error.filename is None and error.errno in _NOT_WRITTEN:
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # else what is left is tried once more at the end
            if error.errno != errno.EPIPE:  # who ends a pipe has read enough
                print(f"rotator: not all of the answer could be written ({error.strerror})", file=sys.stderr)  # noqa: T201
            sys.exit(1)
        if not _of_the_ledger(error):
            raise
        said = f"the ledger failed ({type(error).__name__}); `rotator doctor` says which it is, and looks at it"
        print(plain(f"rotator: {_as_called(said, given)}"), file=sys.stderr)  # noqa: T201
        sys.exit(1)


def _narrowed(words: list[str]) -> typer.Typer:
    """Return what has the command that is called and no other, since to make all of them takes a tenth of a second.

    Where none is called so, return all: help and mistakes name them.
    """
    waiting = iter(words)
    called = ""
    for word in waiting:
        if word == "--config":
            next(waiting, None)
        elif not word.startswith("-"):
            called = word
            break
    groups = [each for each in app.registered_groups if each.name == called]
    commands = [each for each in app.registered_commands if each.name == called]
    if not groups and not commands:
        return app
    found = copy.copy(app)
    found.registered_groups, found.registered_commands = groups, commands
    return found


def _as_called(said: str, given: list[str]) -> str:
    """Return the text with each command in it as its reader gives it: by its path, if need be, and configuration."""
    words = _hoisted(given)
    named = [word.removeprefix("--config=") for word in words if word.startswith("--config=")]
    if "--config" in words[:-1]:
        named.append(words[words.index("--config") + 1])
    called = Context(config=Path(named[0]) if named else None, quiet=False).called
    known = "|".join(map(re.escape, _commands()))
    return re.sub(rf"\brotator (?=(?:{known})\b)", lambda _: f"{called} ", said)


def _commands() -> dict[str, Any]:
    return dict(getattr(typer.main.get_command(app), "commands", {}))


def _of_the_ledger(error: Exception) -> bool:
    from rotator.ledger.database import LedgerFailed  # noqa: PLC0415 - only a command that failed pays for it

    return isinstance(error, LedgerFailed)


def _words(given: list[str]) -> list[str]:
    """Return them; raise BadInput for one that no ledger and no terminal could hold."""
    for word in given:
        try:
            word.encode()
        except UnicodeEncodeError:
            mend = "rename the file, or give it on standard input as -" if Path(word).exists() else "write it in UTF-8"
            raise BadInput("this word is not UTF-8", word, mend) from None
    return given


def _hoisted(words: list[str]) -> list[str]:
    """Move the options of all commands to the front, so that they may stand anywhere before `--`."""
    front: list[str] = []
    rest: list[str] = []
    waiting = iter(words)
    for word in waiting:
        if word == "--":
            rest += [word, *waiting]
        elif word in {"--quiet", "-q", "--no-color"} or word.startswith("--config="):
            front.append(word)
        elif word == "--config":
            front += [word, *([value] if (value := next(waiting, None)) is not None else [])]
        else:
            rest.append(word)
    return front + rest

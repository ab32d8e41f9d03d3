"""What every command shares: the configuration, where output goes, and the options' types."""

from __future__ import annotations

import json
import shlex
import shutil
import sys
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rotator.errors import BadInput

if TYPE_CHECKING:
    from rich.console import Console

    from rotator.bootstrap import Rotator
    from rotator.far.service import Far
    from rotator.operations.service import Service
    from rotator.settings.configuration import Settings


_PIPE_WIDTH = 140


class Output(StrEnum):
    """How results are printed."""

    TABLE = "table"
    JSON = "json"
    JSONL = "jsonl"


def short(told: str | None) -> str | None:
    """Return what was said of an act; raise BadInput for what is too long, here as over HTTP."""
    from rotator.operations.operation import LONGEST_REASON  # noqa: PLC0415 - only who says something pays for it

    if told is not None and len(told) > LONGEST_REASON:
        what = f"it is too long: {len(told):,} letters, and {LONGEST_REASON:,} at most are kept"
        raise BadInput(what, f"{told[:40]}…", "say why in a few words, and where the rest is")
    return told


Reason = Annotated[str, typer.Option(help="Why; it becomes evidence.", callback=short)]
OutputOption = Annotated[Output, typer.Option("--output", "-o", help="How to print results.")]


@dataclass(frozen=True, slots=True)
class Context:
    """What the options before the command say."""

    config: Path | None
    quiet: bool

    @property
    def called(self) -> str:
        """Return how this reader calls the program, as the commands that he is told begin."""
        return _program() if self.config is None else f"{_program()} --config {shlex.quote(str(self.config))}"

    def as_called(self, command: str) -> str:
        """Return a command of ours as this reader gives it."""
        return f"{self.called}{command.removeprefix('rotator')}"

    def as_called_in(self, line: str) -> str:
        """Return a line that ends with a command of ours as this reader gives it."""
        said, with_, command = line.rpartition(" with: rotator ")
        return f"{said} with: {self.called} {command}" if with_ else line

    def service(self) -> Service:
        """Return where the command is carried out: the service that `url` names, or the ledger here."""
        far = self.far()
        if far is not None:
            return far
        from rotator.cli.here import Here  # noqa: PLC0415 - only commands that work pay for it

        return Here(self, self.parts())

    def far(self) -> Far | None:
        """Return the service far away that the configuration names; None where the ledger is here."""
        settings = self.settings()
        if not settings.url:
            return None
        from rotator.far.reached import far  # noqa: PLC0415 - only who is far away pays for it

        return far(settings, self.called, quiet=self.quiet)

    def parts(self) -> Rotator:
        """Return the program's parts for this configuration. Raises BadInput where it names a service far away."""
        from rotator.bootstrap import Rotator  # noqa: PLC0415 - only commands that work pay for it

        settings = self.settings()
        if settings.url:
            what = "this command works where the ledger is, and not on a service far away"
            raise BadInput(what, settings.url, "run it there, or without ROTATOR_URL and `url`")
        return Rotator(settings)

    def settings(self) -> Settings:
        """Read the configuration, and set up the plain sort of logging."""
        from rotator import logs  # noqa: PLC0415
        from rotator.settings.file import load  # noqa: PLC0415

        logs.plainly(quiet=self.quiet)
        return load(self.config)


def _program() -> str:
    """Return the word by which a shell finds this program: its path from here, where no search would find it."""
    given = Path(sys.argv[0])
    if given.name != "rotator":  # python -m rotator
        return "rotator"
    found = shutil.which("rotator")
    if found is not None and Path(found).resolve() == given.resolve():
        return "rotator"
    path, here = given.absolute(), Path.cwd()
    is_below = path.is_relative_to(here) and path.parent != here
    return shlex.quote(str(path.relative_to(here) if is_below else path))


def console(*, error: bool = False) -> Console:
    """Return where people read: results on standard output, progress on standard error."""
    from rich.console import Console  # noqa: PLC0415 - only tables pay for it

    # A pipe or a file has no width: give long ids and reasons room there.
    terminal = (sys.stderr if error else sys.stdout).isatty()
    # Lines beside the tables are the terminal's to wrap: a command is copied whole.
    return Console(stderr=error, width=None if terminal else _PIPE_WIDTH, highlight=False, soft_wrap=True)


def say(begins: str, told: str, *, error: bool = False) -> None:
    """Print a line for people: a terminal gets it broken between words, all below its first; a pipe in one."""
    from rotator.report.plain import plain  # noqa: PLC0415 - only who says something pays for it

    if not (sys.stderr if error else sys.stdout).isatty():
        typer.echo(plain(begins + told), err=error)
        return
    from rich.text import Text  # noqa: PLC0415

    from rotator.report.tables import Hanging  # noqa: PLC0415

    console(error=error).print(Hanging(Text(begins), len(begins), Text(plain(told))))


def emit(value: Any, output: Output) -> None:
    """Print data for programs: one JSON document, or a line for each entry of a list."""
    if output is Output.JSONL and isinstance(value, list):
        for each in value:
            sys.stdout.write(json.dumps(each) + "\n")
    else:
        sys.stdout.write(json.dumps(value, indent=None if output is Output.JSONL else 2) + "\n")
    sys.stdout.flush()

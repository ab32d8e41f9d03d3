"""Follow an incident to its end: start workers where none run, count live, then report. Ctrl-C only detaches."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any, NoReturn

import typer
from rich.console import Group
from rich.live import Live
from rich.progress_bar import ProgressBar

from rotator.bootstrap import Rotator
from rotator.cli.options import Context, Output, console, emit
from rotator.cli.written import ReportForm, written
from rotator.ledger.records import Progress
from rotator.operations.service import Service
from rotator.operations.views.incidents import REPORT
from rotator.report import incident as incident_report
from rotator.report.count_line import count_line
from rotator.report.tables import wrapped
from rotator.report.terminal import incident_text
from rotator.runtime_lock import RuntimeLock


def start_workers(context: Context, parts: Rotator) -> None:
    """Start a detached embedded runtime unless one runs; in production, workers run by themselves."""
    if not parts.settings.embedded:
        return
    lock = RuntimeLock(parts.settings.data_dir)
    if not lock.take():
        return
    lock.release()
    log = parts.settings.data_dir / "up.log"
    command = [sys.executable, "-m", "rotator"]
    if context.config is not None:
        command += ["--config", str(context.config.resolve())]
    with log.open("ab") as sink:
        started = subprocess.Popen(
            [*command, "up", "--until-idle"],
            stdin=subprocess.DEVNULL,
            stdout=sink,
            stderr=sink,
            start_new_session=True,
            cwd=Path.cwd(),
        )
    lock.leave_to(started.pid)


def follow(context: Context, service: Service, incident: str, output: Output) -> NoReturn:
    """Watch until nothing moves by itself any more, print the report, and exit with its code."""
    try:
        _watch(context, service, incident)
    except KeyboardInterrupt:
        print(  # noqa: T201
            f"\ndetached; the work goes on. Watch again: {context.called} incident watch {incident}", file=sys.stderr
        )
        raise typer.Exit(130) from None
    finish(service, incident, output)


def finish(service: Service, incident: str, output: Output | ReportForm) -> NoReturn:
    """Print the incident's report and exit with its code."""
    tell(service.shows(REPORT, incident), output)


def tell(report: dict[str, Any], output: Output | ReportForm) -> NoReturn:
    """Print an incident's report and exit with its code."""
    if output in {ReportForm.HTML, ReportForm.CSV, ReportForm.PDF}:
        written(report, ReportForm(output))
    elif output == Output.TABLE:
        console().print(incident_text(report))
    else:
        emit(report, Output(output))
    raise typer.Exit(incident_report.exit_code(report))


def _watch(context: Context, service: Service, incident: str) -> None:
    """Show every change until nothing moves by itself; the display depends on who looks."""
    screen = console(error=True)
    if context.quiet:
        for _ in service.changes(incident):
            pass
    elif screen.is_terminal:
        with Live(console=screen, refresh_per_second=8) as live:
            for progress in service.changes(incident):
                live.update(_picture(incident, progress))
    else:
        for progress in service.changes(incident):
            print(f"{incident}: {count_line(progress)}", file=sys.stderr, flush=True)  # noqa: T201


def _picture(incident: str, progress: Progress) -> Group:
    total = max(progress.credentials, 1)
    return Group(
        wrapped(f"{incident}  {count_line(progress)}"),
        ProgressBar(total=total, completed=progress.dead, width=60),
    )

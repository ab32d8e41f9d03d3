"""Declare, respond and add by a service far away: it reads the report, asks the issuers, and keeps the plan at once.

Here a plan is shown before anything is written. There it is declared, which begins nothing, and shown then.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import typer

from rotator.cli import approval, declaring
from rotator.cli.beginning import Yes
from rotator.cli.options import Context, Output, console, emit
from rotator.errors import BadInput, NotAllowed
from rotator.flow.incident import Severity
from rotator.operations.deciding import approve
from rotator.operations.operation import segment
from rotator.operations.views.incidents import PLAN, REPORT
from rotator.report.plain import plain

if TYPE_CHECKING:
    from rotator.cli.planning import Asked
    from rotator.far.service import Far


def declare(  # noqa: PLR0917 - options, which callers name
    given: Context, far: Far, asked: Asked, title: str, severity: Severity, output: Output
) -> None:
    """Declare an incident there, show its plan, and say who begins it."""
    told = _declared(given, far, asked, title, severity)
    if output is Output.TABLE:
        typer.echo(plain("; ".join(_said(given, told))))
    else:
        emit(_document(far, told["incident"]), output)


def respond(  # noqa: PLR0917 - options, which callers name
    given: Context,
    far: Far,
    asked: Asked,
    title: str,
    severity: Severity,
    yes: bool,
    confirm: str | None,
    output: Output,
) -> NoReturn:
    """Declare there, show the plan, ask, approve, watch and report."""
    begin(given, far, _declared(given, far, asked, title or _title(asked), severity), Yes(yes, confirm), output)


def begin(given: Context, far: Far, told: dict[str, Any], yes: Yes, output: Output) -> NoReturn:
    """Ask for the yes to what was declared there, as it answered; approve, watch and report."""
    from rotator.cli import watching  # noqa: PLC0415 - Rich is not free

    incident, digest = told["incident"], told["digest"]
    if told["refused"]:
        print(plain(f"rotator: not approved: {told['refused']}; {'; '.join(_said(given, told))}"), file=sys.stderr)  # noqa: T201
        if output is not Output.TABLE:
            emit(_document(far, incident), output)
        raise typer.Exit(4)
    if told["confirm"]:
        try:
            approval.confirmed(told["confirm"], yes.words)
        except NotAllowed as error:  # who answers it by asking again would declare another one
            left = "; ".join(_said(given, told))
            raise NotAllowed(error.what, error.where, f"nothing of it was begun; {left}") from None
    elif not yes.given and not approval.typed(f"revoke {told['runs']}"):
        how = "" if sys.stdin.isatty() else " (nobody is there to ask: give --yes to approve the plan as printed)"
        left = "; ".join(_said(given, told))
        print(plain(f"rotator: not approved; nothing of it was begun{how}; {left}"), file=sys.stderr)  # noqa: T201
        raise typer.Exit(4)
    if told["runs"]:
        far.work(far.does(approve, incident, digest, None, False, "", told["confirm"]))
    watching.follow(given, far, incident, output)


def add(given: Context, far: Far, incident: str, asked: Asked, severity: Severity | None) -> None:
    """Let an incident there grow, and show what is planned newly."""
    name = far.incident(incident)
    told = far.declares(f"/incidents/{segment(name)}/reports", _body(asked), _query(asked, severity=severity))
    if told["digest"]:
        show(given, far, name, told)
    for line in told["told"]:
        typer.echo(plain(given.as_called_in(line)))


def _declared(given: Context, far: Far, asked: Asked, title: str, severity: Severity) -> dict[str, Any]:
    told = far.declares("/incidents", _body(asked), _query(asked, title=title, severity=severity))
    show(given, far, told["incident"], told)
    return told


def show(given: Context, far: Far, incident: str, told: dict[str, Any]) -> None:
    """Show the plan as it was made, and what to know of it."""
    from rotator.report.plan import plan_text  # noqa: PLC0415 - Rich is not free

    if given.quiet:
        return
    screen = console(error=True)
    screen.print(plan_text(far.shows(PLAN, incident)["planned"]))
    for each in told["elsewhere"]:
        count = each["credentials"]
        line = f"warning: {count:,} of these {'is' if count == 1 else 'are'} in {each['incident']} already, which is"
        screen.print(f"{line} {each['is']}", style="yellow", markup=False)
    for line in told.get("foretold", ()):
        print(plain(line), file=sys.stderr)  # noqa: T201


def _said(given: Context, told: dict[str, Any]) -> list[str]:
    declared = f"{told['incident']} declared"
    if not told["runs"]:
        return [declared, "nothing in it can be done by machine"]
    return [declared, declaring.start(given, told["begins"], told["incident"], told["digest"])]


def _document(far: Far, incident: str) -> dict[str, Any]:
    data = far.shows(REPORT, incident)
    return {name: data[name] for name in ("incident", "totals")}


def _body(asked: Asked) -> bytes:
    from rotator.far.alarm import body  # noqa: PLC0415 - only who sends a report pays for it

    if asked.graph is not None:
        raise BadInput("a graph is drawn where the ledger is", "--graph", "leave it out: its board has one")
    records = [each for each in asked.of.advisories if Path(each).exists()]
    return body(asked.of.files, asked.of.evidence, asked.access or (), records)


def _query(asked: Asked, **more: Any) -> dict[str, Any]:
    found = {
        "package": list(asked.of.packages),
        "advisory": [each for each in asked.of.advisories if not Path(each).exists()],
        "strategy": list(asked.strategy or ()),
        "exclude": list(asked.exclude or ()),
        "reason": list(asked.reason or ()),
        "foothold": list(asked.foothold or ()),
        "exposed_at": asked.exposed_at,
        **more,
    }
    return {name: value for name, value in found.items() if value}


def _title(asked: Asked) -> str:
    named = [Path(each).name for each in asked.of.files]
    return f"Leak reported in {', '.join(named)}" if named else f"{', '.join(asked.of.packages)} where it was installed"

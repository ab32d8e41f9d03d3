"""`rotator incident add` and `merge`: an incident grows by what other reports name, or by another incident."""

from __future__ import annotations

import time
from typing import Annotated

import typer

from rotator import clock
from rotator.cli import completion, declaring
from rotator.cli.alarm import Advisories, Evidence, Files, Given, Logs, Packages
from rotator.cli.graph import GraphFile
from rotator.cli.options import Context
from rotator.cli.planning import Asked, Exclusions, ExposedAt, Footholds, Reasons, Strategies
from rotator.errors import BadInput
from rotator.flow.incident import Severity
from rotator.report.plain import plain

_ATTEMPTS = 5
"""How often it is planned anew while others add to the same incident."""
Worse = Annotated[
    Severity | None, typer.Option(help="How bad it is now; a severity is only raised by this, never lowered.")
]
Grows = Annotated[
    str,
    typer.Argument(
        metavar="INCIDENT", help="The incident that grows: its id, or `last`.", autocompletion=completion.incidents
    ),
]


def add(  # noqa: PLR0917 - options, which callers name
    context: typer.Context,
    incident: Grows,
    files: Files = None,
    package: Packages = None,
    advisory: Advisories = None,
    evidence: Evidence = None,
    access: Logs = None,
    graph: GraphFile = None,
    strategy: Strategies = None,
    exclude: Exclusions = None,
    reason: Reasons = None,
    exposed_at: ExposedAt = None,
    foothold: Footholds = None,
    severity: Worse = None,
) -> None:
    """Let an incident grow by what other reports name.

    What it does not have yet is planned as one more revision, to be approved.

    What it has gains where it was seen, and what runs goes on. Once it is critical, no run of it that is approved waits
    for its owners.

    Example: rotator incident add last more.jsonl
    """
    from rotator import growth  # noqa: PLC0415 - only who plans pays for it
    from rotator.cli import far_declaring  # noqa: PLC0415
    from rotator.cli.watching import start_workers  # noqa: PLC0415 - Rich is not free
    from rotator.ledger.growing import Overtaken  # noqa: PLC0415
    from rotator.operations.grown import told  # noqa: PLC0415

    given: Context = context.obj
    began = clock.now()
    nothing_read = (foothold or severity) and not (files or package or advisory or evidence)
    of = Given(files or (), package or (), advisory or (), evidence or (), may_be_empty=bool(nothing_read))
    if (far := given.far()) is not None:
        asked = Asked(of, access, graph, strategy, exclude, reason, exposed_at, foothold)
        far_declaring.add(given, far, incident, asked, severity)
        return
    parts = given.parts()
    name = parts.reading.named(incident)
    present = parts.enrolment.present(name)
    asked = Asked(of, access, graph, strategy, exclude, reason, exposed_at, foothold, severity or present.severity)
    alarm = asked.read(given, parts)
    if not (nothing_read or alarm.suspects or alarm.reach.unplaced):
        raise BadInput("the report names no credential", name, "nothing to do: is it the right report?")
    for attempt in range(1, _ATTEMPTS + 1):
        planned = asked.planned_of(parts, alarm, present)
        try:
            added = growth.add(
                parts,
                present,
                planned.prepared,
                detected_at=began,
                footholds=planned.hosts,
                shown=planned.shown,
                severity=severity,
            )
            break
        except Overtaken:
            if attempt == _ATTEMPTS:
                raise
            time.sleep(0.05 * attempt)
            present = parts.enrolment.present(name)
    if added.freed or parts.settings.notices:
        start_workers(given, parts)
    if added.revision is not None:
        planned.shown.update(added.document)
        planned.show(given)
    else:  # nobody will read them in a plan
        for line in planned.prepared.plan.warnings:
            typer.echo(plain(line), err=True)
    for line in told(parts, name, added):
        typer.echo(plain(given.as_called_in(line)))


def merge(
    context: typer.Context,
    incident: Annotated[
        str,
        typer.Argument(
            metavar="INCIDENT", help="The incident that is told under another one.", autocompletion=completion.incidents
        ),
    ],
    into: Annotated[str, typer.Argument(metavar="INTO", help="That other one.", autocompletion=completion.incidents)],
) -> None:
    """Make one incident of two.

    What nobody approved of the first becomes revisions of the other's plan.

    What works already goes on as it is, and is told under both.

    Example: rotator incident merge inc-20261123-a1b2c3 last
    """
    from rotator.operations.deciding import merge as operation  # noqa: PLC0415 - only who acts pays for it

    given: Context = context.obj
    service = given.service()
    source, target = service.incident(incident), service.incident(into)
    found = service.does(operation, source, target)
    typer.echo(f"{source} is told under {target} from now on; its own runs that work go on")
    if found["same"]:
        typer.echo(f"{found['same']:,} of its credentials were in {target} already")
    if found["digest"]:
        start = declaring.start(given, found["begins"], target, found["digest"])
        typer.echo(plain(f"what nobody approved is revision {found['revision']} of {target}; {start}"))

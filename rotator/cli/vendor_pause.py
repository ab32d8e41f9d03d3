"""`rotator vendor pause`: cut off all that a vendor holds, and make nothing new for it until it is let in again."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from rotator.actor import actor
from rotator.cli import approval
from rotator.cli.alarm import Given
from rotator.cli.beginning import Begun, Yes, begin
from rotator.cli.options import Context, Output, OutputOption, Reason, console, say
from rotator.cli.planning import ExposedAt, moment
from rotator.cli.vendor_registry import Name
from rotator.cli.vendor_triage import read

if TYPE_CHECKING:
    from rotator.bootstrap import Rotator
    from rotator.far.service import Far
    from rotator.planned_pause import Pausing, Wanted

Reports = Annotated[
    list[str] | None,
    typer.Option(
        "--report",
        metavar="FILE",
        help="A report, or a list, with the secrets of what it holds: they are knocked with. Of any form that "
        "`rotator intake` reads.",
    ),
]
Notices = Annotated[
    list[str] | None,
    typer.Option(
        "--notice", metavar="ID|FILE", help="The advisory or notice for which it is paused, or its OSV record."
    ),
]
NoRead = Annotated[
    bool, typer.Option("--no-read", help="Read no secret from where it is delivered: fewer deaths can be proven.")
]


def register(group: typer.Typer) -> None:
    """Add this file's command to the group of vendors."""
    group.command("pause")(pause)


def pause(  # noqa: PLR0917 - options, which callers name
    context: typer.Context,
    name: Name,
    reason: Reason,
    report: Reports = None,
    notice: Notices = None,
    no_read: NoRead = False,
    exposed_at: ExposedAt = None,
    yes: Annotated[bool, typer.Option("--yes", help="Approve the plan as printed, without asking.")] = False,
    confirm: approval.Confirm = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """Pause a vendor: cut off all that it holds.

    It declares an incident. What the inventory and the registry say it holds is revoked, and nothing new is made for it
    until it is let in again; what no machine can cut is a task for a person. Nothing starts before the plan that it
    shows is confirmed. Paused again, what it holds by now is added. To knock with them, secrets are read from where we
    deliver them.

    Exit codes: as the report's: 0 all dead; 3 something is open, or nobody knows what it holds; 1 failed; 4 not
    confirmed, or not allowed.

    Example: rotator vendor pause acme --reason "their build was poisoned" --notice PYSEC-2026-2
    """
    given: Context = context.obj
    notices = _noticed(given, notice or ())
    of, answer = Given(report or (), may_be_empty=True), Yes(yes, confirm)
    if (far := given.far()) is not None:
        query = {"reason": reason, "notice": notices, "read": "false" if no_read else "true"}
        _far(given, far, name, of, {**query, "exposed_at": exposed_at}, answer, output)
    parts = given.parts()
    from rotator.planned_pause import Wanted  # noqa: PLC0415 - only who pauses pays for it

    told = [one for each in of.read(parts).suspects for one in each.exposures]
    at = moment(exposed_at)
    _here(given, parts, Wanted(name, reason, told, tuple(notices), not no_read, at), answer, output)


def _noticed(given: Context, notices: Sequence[str]) -> list[str]:
    """Return by which ids these notices go. An advisory's record is kept where the ledger is, by a triage of it."""
    files = {each: read(each) for each in notices if Path(each).is_file()}
    if not files:
        return list(notices)
    from rotator.operations import vendor_triage  # noqa: PLC0415 - only who gives a file pays for it

    told = {
        each: given.service().does(vendor_triage.triage, [], {each: text}, [], "")["notice"]["id"]
        for each, text in files.items()
    }
    return [told.get(each, each) for each in notices]


def _here(given: Context, parts: Rotator, wanted: Wanted, answer: Yes, output: Output) -> NoReturn:
    from rotator import pausing, planned_pause  # noqa: PLC0415
    from rotator.cli import watching  # noqa: PLC0415
    from rotator.cli.here import Here  # noqa: PLC0415
    from rotator.report.plan import plan_text  # noqa: PLC0415 - Rich is not free
    from rotator.settings.approval import CLI  # noqa: PLC0415 - nor is pydantic

    by = actor()
    found = pausing.prepare(parts, wanted, by)
    if not given.quiet:
        for line in planned_pause.told(found):
            say("", given.as_called_in(line), error=True)
    if found.plans_nothing:
        pausing.add(parts, found, by)
        watching.start_workers(given, parts)
        watching.follow(given, Here(given, parts), found.incident, output)
    if not given.quiet:
        console(error=True).print(plan_text(dict(found.shown)))

    def declare(approved: bool, words: str) -> Begun:
        if found.there is None:
            return Begun.of(given, parts, pausing.declare(parts, found, by, approved=approved, sender=CLI))
        return _added(parts, found, by, words if approved else None)

    begin(given, parts, found.prepared.plan, answer, declare, output)


def _added(parts: Rotator, found: Pausing, by: str, words: str | None) -> Begun:
    """Add what is new to the pause's incident; `words` are those of the yes, None where others have to say it."""
    from rotator import pausing  # noqa: PLC0415
    from rotator.operations.deciding import approve  # noqa: PLC0415
    from rotator.operations.grown import told  # noqa: PLC0415

    added = pausing.add(parts, found, by)
    runs = len(found.prepared.plan.runs)
    if words is not None and added.revision is not None and runs:
        approve(parts, by, found.incident, added.revision.digest, None, False, "", words)
    return Begun(found.incident, runs, told(parts, found.incident, added))


def _far(  # noqa: PLR0917 - what is asked, of whom, and how
    given: Context, far: Far, name: str, of: Given, query: dict[str, Any], answer: Yes, output: Output
) -> NoReturn:
    """Have it declared there, show the plan, ask, approve, watch and report."""
    from rotator.cli import far_declaring, watching  # noqa: PLC0415
    from rotator.far.alarm import body  # noqa: PLC0415
    from rotator.operations.operation import segment  # noqa: PLC0415

    asked = {key: value for key, value in query.items() if value}
    told = far.declares(f"/vendors/{segment(name)}/pause", body(of.files, (), (), ()), asked)
    if not given.quiet:
        for line in told["notes"]:
            say("", given.as_called_in(line), error=True)
    if not told["digest"]:
        watching.follow(given, far, told["incident"], output)
    far_declaring.show(given, far, told["incident"], told)
    far_declaring.begin(given, far, told, answer, output)

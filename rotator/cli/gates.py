"""What steps wait for, as people say it: hosts isolated, no legal hold, the brake. Each act is evidence."""

from __future__ import annotations

from typing import Annotated

import typer

from rotator.cli.hands import apart, unless_stopped
from rotator.cli.incident import Id
from rotator.cli.options import Context, Output, OutputOption, Reason, console, emit
from rotator.report.plain import plain

GateName = Annotated[str, typer.Argument(metavar="GATE", help="host_isolated, no_legal_hold, or brake while it is on.")]


def register(app: typer.Typer) -> None:
    """Add this file's commands."""
    gates = typer.Typer(help="Say what steps wait for: hosts isolated, no legal hold.", no_args_is_help=True)
    gates.command("open")(open_gate)
    gates.command("close")(close_gate)
    gates.command("list")(list_gates)
    app.add_typer(gates, name="gate")
    hosts = typer.Typer(help="Say what became of the hosts on which the attacker was.", no_args_is_help=True)
    hosts.command("isolate")(isolate)
    app.add_typer(hosts, name="host")


def open_gate(context: typer.Context, incident: Id, gate: GateName, reason: Reason) -> None:
    """Open a gate: what waits for it goes on. Opening `no_legal_hold` lifts a legal hold.

    Example: rotator gate open last host_isolated --reason "…"
    """
    _set_gate(context, incident, gate, reason, is_open=True)


def close_gate(context: typer.Context, incident: Id, gate: GateName, reason: Reason) -> None:
    """Shut a gate: steps wait for it from now on. Shutting `no_legal_hold` places a legal hold.

    What was begun is not called back. Under a legal hold no sealed secret of the incident is destroyed either.

    Example: rotator gate close last no_legal_hold --reason "…"
    """
    _set_gate(context, incident, gate, reason, is_open=False)


def _set_gate(context: typer.Context, incident: str, gate: str, reason: str, *, is_open: bool) -> None:
    from rotator.ledger.opening import BRAKE  # noqa: PLC0415
    from rotator.operations import steering  # noqa: PLC0415 - only who acts pays for it

    given: Context = context.obj
    service = given.service()
    name = service.incident(incident)
    told = service.does(steering.open_gate if is_open else steering.close_gate, name, gate, reason)
    service.work(told)
    if not is_open:
        typer.echo(f"{gate} of {name} is shut{apart(told)}")
        return
    waited, hosts = told["waiting"], told["open_footholds"] if gate == "host_isolated" else []
    kept = unless_stopped(given, told, f"{waited} that waited for it do not go on yet")
    left = [f"{each} ({given.called} host isolate {name} {each} --reason …)" for each in hosts]
    still = f"; but no new secret goes where a foothold is still open: {', '.join(left)}" if left else ""
    if gate == BRAKE:
        still = f"; the next consumer that fails shuts it again: {given.called} incident watch {name}"
    typer.echo(plain(f"{gate} of {name} is open{kept or f': {waited} that waited for it go on'}{still}"))


def list_gates(context: typer.Context, incident: Id, output: OutputOption = Output.TABLE) -> None:
    """List an incident's gates and how each stands.

    It tells who said so, and how many steps wait for it.

    Example: rotator gate list last -o jsonl
    """
    from rotator.operations.views.incidents import GATES  # noqa: PLC0415 - only who looks pays for it
    from rotator.report.tables import plain_table, words  # noqa: PLC0415

    given: Context = context.obj
    service = given.service()
    found = service.lists(GATES, service.incident(incident))
    if output is not Output.TABLE:
        emit(found, output)
        return
    table = plain_table(None, "gate", "stands", "waiting", "since", "by", "reason")
    for each in found:
        stands, who = "open" if each["is_open"] else "shut", each["by"] or "nobody has spoken"
        if hosts := each["open_footholds"]:
            stands += f"; no new secret goes to {', '.join(hosts)}"
        told = (each["name"], words(stands), str(each["waiting"]), each["at"], words(who), words(each["reason"] or ""))
        table.add_row(*told)
    console().print(table)


def isolate(
    context: typer.Context,
    incident: Id,
    host: Annotated[str, typer.Argument(metavar="HOST", help="A foothold that the incident knows.")],
    reason: Reason,
) -> None:
    """Say that a host is cut off. With the last known foothold, the gate `host_isolated` opens by itself.

    Example: rotator host isolate last ci-7 --reason "…"
    """
    from rotator.operations.steering import isolate as operation  # noqa: PLC0415

    given: Context = context.obj
    service = given.service()
    told = service.does(operation, service.incident(incident), host, reason)
    service.work(told)
    left = told["open_footholds"]
    rest = f"still open: {', '.join(left)}" if left else "no known foothold is open; the gate host_isolated is open"
    typer.echo(plain(f"{host} is isolated; {rest}") + unless_stopped(given, told, "nothing goes on yet"))

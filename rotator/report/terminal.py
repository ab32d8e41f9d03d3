"""The incident report for people at a terminal, made from the report's data."""

from __future__ import annotations

from typing import Any

from rich.console import Group, RenderableType
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from rotator.flow.run import CredentialState

_STYLES = {
    "proven_dead": "green",
    "stated_dead": "cyan",
    "settling": "yellow",
    "pending": "yellow",
    "held": "magenta",
    "manual": "magenta",
    "failed": "red",
    "dismissed": "dim",
}
_STEPPED = 20
"""How many credentials are shown step by step; -o json has them all."""


def incident_text(report: dict[str, Any]) -> RenderableType:
    """Return the whole report."""
    incident = report["incident"]
    parts: list[RenderableType] = [
        Text(f"{incident['id']}  {incident['title']}  [{incident['severity']}]", style="bold"),
        Text(f"detected {incident['detected_at']}  declared {incident['declared_at']}  plan {incident['plan']}"),
        _credentials(report["credentials"]),
        *(_steps(each) for each in report["credentials"][:_STEPPED] if each["steps"]),
        Text(_totals(report)),
        Text(_times("time to revoke (detected to proven dead)", report["time_to_revoke"])),
        Text(_times("revocation latency (approved to proven dead)", report["revocation_latency"])),
        *_open(report["credentials"]),
    ]
    return Group(*parts)


def planned_text(report: dict[str, Any]) -> RenderableType:
    """Return the plan of a declared incident."""
    approved = report["incident"]["approved_at"]
    return Group(
        Text(f"{report['incident']['id']}  plan {report['incident']['plan']}", style="bold"),
        Text(f"approved {approved}" if approved else "not approved"),
        *(_steps(each) for each in report["credentials"] if each["steps"]),
        *_open([each for each in report["credentials"] if not each["steps"]]),
    )


def _credentials(credentials: list[dict[str, Any]]) -> Table:
    table = Table(title="Credentials", title_justify="left", expand=False)
    for name in ("kind", "owner · id", "state", "proven dead", "replaced by"):
        table.add_column(name, overflow="fold")
    for each in credentials:
        table.add_row(
            escape(each["provider"] or "not recognised"),
            escape(" · ".join(filter(None, (each["owner"], each["id"])))),
            Text(each["state"], style=_STYLES[each["state"]]),
            _clock(each["proven_dead_at"]) or ("stated only" if each["stated_dead_at"] else "no"),
            escape(each["replacement"] or "-") + ("" if each["converged_at"] or not each["replaced_at"] else " (told)"),
        )
    return table


def _steps(credential: dict[str, Any]) -> Table:
    title = f"{credential['provider']} {credential['id']} ({credential['strategy']}: {credential['why']})"
    table = Table(title=escape(title), title_justify="left", title_style="dim", expand=False, box=None, padding=(0, 2))
    for name in ("step", "do", "target", "state", "tries", "intended", "settled", "reason"):
        table.add_column(name, overflow="fold")
    for step in credential["steps"]:
        table.add_row(
            step["id"],
            step["do"],
            escape(step["target"] or ""),
            step["state"],
            str(step["attempts"]),
            _clock(step["intended_at"]),
            _clock(step["settled_at"]),
            escape(step["reason"] or ""),
        )
    return table


def _clock(moment: str) -> str:
    return moment[11:23]


def _totals(report: dict[str, Any]) -> str:
    totals = report["totals"]
    counts = " · ".join(f"{totals[state.value]:,} {state.value.replace('_', ' ')}" for state in CredentialState)
    return (
        f"{totals['credentials']:,} credentials: {counts}\n"
        f"{report['replaced']:,} replaced · {report['converged']:,} converged · {report['unidentified']:,} unidentified"
    )


def _times(name: str, times: dict[str, Any]) -> str:
    if times["mean_s"] is None:
        return f"{name}: nothing proven yet; still open {times['still_open']:,}"
    figures = " · ".join(f"{label} {times[f'{label}_s']:.1f} s" for label in ("mean", "p50", "p95", "max"))
    return f"{name}: {figures}; still open {times['still_open']:,}"


def _open(credentials: list[dict[str, Any]]) -> list[RenderableType]:
    lines = [
        f"  {each['provider'] or 'not recognised'} {each['id']}: {reason}"
        for each in credentials
        for reason in each["open"]
    ]
    if not lines:
        return [Text("Nothing is open.", style="green")]
    return [Text("Still open:", style="bold"), *(Text(line) for line in lines)]

"""The incident report for people at a terminal, made from the report's data."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from rotator.flow.standing import CredentialState
from rotator.report.attention import SHOWN, acted, for_you, not_begun, once_mended, rest, scheduled, still_open
from rotator.report.plain import plain
from rotator.report.plan import plan_text
from rotator.report.tables import plain_table, words

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
_STEP_STYLES = {"done": "green", "failed": "red", "held": "magenta", "skipped": "dim", "pending": "dim"}
_STEPPED = 20
"""How many credentials are shown step by step; -o json has them all."""


def incident_text(report: dict[str, Any]) -> RenderableType:
    """Return the whole report."""
    incident = report["incident"]
    parts: list[RenderableType] = [
        Text.from_markup(f"{incident['id']}  {words(incident['title'])}  \\[{incident['severity']}]", style="bold"),
        *for_you(incident),
        Text(f"detected {incident['detected_at']}  declared {incident['declared_at']}  plan {incident['plan']}"),
        _credentials(report["credentials"][:SHOWN], {each["run"] for each in incident["alive_again"]}),
        *rest(len(report["credentials"])),
        *(_steps(each) for each in report["credentials"][:_STEPPED] if _is_begun(each)),
        Text(_totals(report)),
        Text(_times("time to revoke (detected to proven dead)", report["time_to_revoke"])),
        Text(_times("revocation latency (approved to proven dead)", report["revocation_latency"])),
        # Once more, where somebody who read that far looks for it.
        *for_you(incident),
        *(still_open(report["credentials"]) if incident["approved_at"] else not_begun(report["credentials"])),
        *scheduled(report["credentials"], incident["start"]),
        *acted(report["credentials"]),
    ]
    return Group(*parts)


def planned_text(report: dict[str, Any], shown: dict[str, Any]) -> RenderableType:
    """Return the plan of a declared incident as it was shown before it was declared, and whether it is approved."""
    incident = report["incident"]
    if not shown:
        older = "An older release declared it, and kept no plan: this is how it stands."
        return Group(Text(older, style="bold"), incident_text(report))
    head = Text.from_markup(f"{incident['id']}  {words(incident['title'])}  \\[{incident['severity']}]", style="bold")
    again = [Text(plain(line)) for line in once_mended(report["credentials"])]
    approved = for_you(incident) or [Text(f"approved {incident['approved_at']}")]
    return Group(head, plan_text(shown), *again, *approved)


def _is_begun(credential: dict[str, Any]) -> bool:
    return any(step["state"] != "pending" for step in credential["steps"])


def _credentials(credentials: list[dict[str, Any]], alive_again: Collection[str]) -> Table:
    table = plain_table("Credentials", "kind", "owner · id", "state", "proven dead", "replaced by")
    for each in credentials:
        table.add_row(
            words(each["provider"] or "not recognised"),
            words(*filter(None, (each["owner"], each["id"]))),
            Text("ALIVE AGAIN", style="bold red") if each["run"] in alive_again else _state(each),
            words(_dead(each)),
            words(*_replacement(each)),
        )
    return table


def _state(credential: dict[str, Any]) -> Text:
    return Text(credential["state"].replace("_", " "), style=_STYLES[credential["state"]])


def _dead(credential: dict[str, Any]) -> str:
    """Return when it was proven dead, or by whom it is said to be."""
    otherwise = f"see {credential['settled_by']}" if credential["settled_by"] else "no"
    return _clock(credential["proven_dead_at"]) or ("stated only" if credential["stated_dead_at"] else otherwise)


def _replacement(credential: dict[str, Any]) -> tuple[str, ...]:
    if not credential["replaced_at"]:
        return ("not replaced",) if credential["strategy"] in {"contain_first", "replace_first"} else ("-",)
    return credential["replacement"], "in use" if credential["converged_at"] else "delivered"


def _steps(credential: dict[str, Any]) -> RenderableType:
    """Return one credential's steps, a line each: what, where, how it ended, when, how long, why."""
    owner = credential["owner"] or "?"
    what = plain(f"{credential['run']}  {credential['provider']} of {owner}  {credential['id']}")
    heading = Text(f"\n{what}", style="bold")
    why = Text(plain(f"  {credential['strategy']}: {credential['why']}"), style="dim")
    table = Table.grid(padding=(0, 2))
    for _ in range(5):
        table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for step in credential["steps"]:
        where = f" on {step['target']}" if step["target"] else ""
        tries = f" ({step['attempts']} tries)" if step["attempts"] > 1 else ""
        table.add_row(
            words(f"  {step['id']}"),
            words(f"{step['do']}{where}"),
            Text(step["state"], style=_STEP_STYLES.get(step["state"], "yellow")),
            _clock(step["settled_at"] or step["intended_at"]),
            _took(step),
            words((step["reason"] or "") + tries),
        )
    return Group(heading, why, table)


def _took(step: dict[str, Any]) -> str:
    if not (step["settled_at"] and step["intended_at"]):
        return ""
    settled, intended = (datetime.fromisoformat(step[name]) for name in ("settled_at", "intended_at"))
    return f"{(settled - intended).total_seconds() * 1000:,.0f} ms"


def _clock(moment: str) -> str:
    return moment[11:23]


def _totals(report: dict[str, Any]) -> str:
    totals = report["totals"]
    counts = " · ".join(f"{totals[state.value]:,} {state.value.replace('_', ' ')}" for state in CredentialState)
    return (
        f"{totals['credentials']:,} credential{'' if totals['credentials'] == 1 else 's'}: {counts}\n"
        f"{report['replaced']:,} replaced · {report['converged']:,} converged · {report['unidentified']:,} unidentified"
    )


def _times(name: str, times: dict[str, Any]) -> str:
    if times["mean_s"] is None:
        return f"{name}: nothing proven yet; still open {times['still_open']:,}"
    figures = " · ".join(f"{label} {times[f'{label}_s']:.1f} s" for label in ("mean", "p50", "p95", "max"))
    return f"{name}: {figures}; still open {times['still_open']:,}"

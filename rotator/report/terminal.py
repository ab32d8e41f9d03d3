"""The incident report for people at a terminal, made from the report's data."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from rotator.flow.standing import CredentialState
from rotator.report.plain import plain
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
_SHOWN = 200
"""How many rows a table, and a list of what is open, may have: nobody reads more, and a report may name 200,000."""


def incident_text(report: dict[str, Any]) -> RenderableType:
    """Return the whole report."""
    incident = report["incident"]
    parts: list[RenderableType] = [
        Text.from_markup(f"{incident['id']}  {words(incident['title'])}  \\[{incident['severity']}]", style="bold"),
        *_unapproved(incident),
        *_stopped(incident),
        *_gates(incident),
        Text(f"detected {incident['detected_at']}  declared {incident['declared_at']}  plan {incident['plan']}"),
        _credentials(report["credentials"][:_SHOWN]),
        *_rest(len(report["credentials"])),
        *(_steps(each) for each in report["credentials"][:_STEPPED] if each["steps"]),
        Text(_totals(report)),
        Text(_times("time to revoke (detected to proven dead)", report["time_to_revoke"])),
        Text(_times("revocation latency (approved to proven dead)", report["revocation_latency"])),
        *_open(report["credentials"]),
        *_scheduled(report["credentials"]),
        *_acted(report["credentials"]),
    ]
    return Group(*parts)


def planned_text(report: dict[str, Any]) -> RenderableType:
    """Return the plan of a declared incident."""
    incident = report["incident"]
    planned = [each for each in report["credentials"] if each["steps"]]
    table = plain_table(None, "credential", "strategy", "the new one goes to", "told")
    for each in planned[:_SHOWN]:
        table.add_row(
            words(f"{each['provider']} of {each['owner'] or '?'}", each["id"], f"on {each['connection']}"),
            words(each["strategy"], each["why"], *_when(each)),
            words(*(each["deliver"] or ["nowhere"])),
            words(*(each["consumers"] or ["nobody"])),
        )
    destroyed = sum(any(step["do"] == "revoke exposed" for step in each["steps"]) for each in planned)
    return Group(
        Text(f"{incident['id']}  plan {incident['plan']}", style="bold"),
        *(_unapproved(incident) or [Text(f"approved {incident['approved_at']}")]),
        table,
        Text(f"{destroyed:,} of {len(planned):,} end with the exposed credential destroyed for good."),
        *(_steps(each) for each in report["credentials"][:_SHOWN] if each["steps"]),
        *_rest(len(report["credentials"])),
        *(Text(plain(f"warning: {each}"), style="yellow") for each in incident["warnings"]),
        *_open([each for each in report["credentials"] if not each["steps"]]),
    )


def _when(credential: dict[str, Any]) -> list[str]:
    """Say when a run begins, where that is not at once."""
    after = [f"after {each}" for each in credential["awaits"]]
    return [*after, *([f"wave {credential['wave']}"] if credential["wave"] else [])]


def _unapproved(incident: dict[str, Any]) -> list[RenderableType]:
    """Say first of all that nothing is being done, where that is so."""
    if incident["approved_at"]:
        return []
    how = f"rotator approve {incident['id']} --digest {incident['plan']}"
    return [Text(f"NOT APPROVED: nothing is being done. Start it with: {how}", style="bold red")]


def _stopped(incident: dict[str, Any]) -> list[RenderableType]:
    """Say what a person stopped, and how it goes on."""
    return [
        Text(
            plain(f"STOPPED: {each['what']}, by {each['by']}: {each['reason']}. Let it go on: {each['command']}"),
            style="bold red",
        )
        for each in incident["stops"]
    ]


def _gates(incident: dict[str, Any]) -> list[RenderableType]:
    """Say which gates keep something waiting, or were shut by a person, and which hosts are still the attacker's."""
    lines = []
    for gate in incident["gates"]:
        if gate["is_open"] or not (gate["waiting"] or gate["by"]):
            continue
        who = f", by {gate['by']}: {gate['reason']}" if gate["by"] else ""
        how = f"rotator gate open {incident['id']} {gate['name']} --reason …"
        lines.append(f"gate {gate['name']} is shut{who}; {gate['waiting']:,} wait for it. Open it: {how}")
    for host in incident["footholds"]:
        how = f". Cut off? rotator host isolate {incident['id']} {host['host']} --reason …"
        lines.append(f"foothold {host['host']}: {host['state']}{how if host['state'] == 'open' else ''}")
    return [Text(plain(line), style="magenta") for line in lines]


def _credentials(credentials: list[dict[str, Any]]) -> Table:
    table = plain_table("Credentials", "kind", "owner · id", "state", "proven dead", "replaced by")
    for each in credentials:
        table.add_row(
            words(each["provider"] or "not recognised"),
            words(*filter(None, (each["owner"], each["id"]))),
            Text(each["state"].replace("_", " "), style=_STYLES[each["state"]]),
            _clock(each["proven_dead_at"]) or ("stated only" if each["stated_dead_at"] else "no"),
            words(*_replacement(each)),
        )
    return table


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
        f"{totals['credentials']:,} credentials: {counts}\n"
        f"{report['replaced']:,} replaced · {report['converged']:,} converged · {report['unidentified']:,} unidentified"
    )


def _times(name: str, times: dict[str, Any]) -> str:
    if times["mean_s"] is None:
        return f"{name}: nothing proven yet; still open {times['still_open']:,}"
    figures = " · ".join(f"{label} {times[f'{label}_s']:.1f} s" for label in ("mean", "p50", "p95", "max"))
    return f"{name}: {figures}; still open {times['still_open']:,}"


def _open(credentials: list[dict[str, Any]]) -> list[RenderableType]:
    lines = []
    for each in credentials:
        about = f"  {each['run']}  {each['provider'] or 'not recognised'} {each['id']}: "
        lines += [plain(about + reason) for reason in each["open"]]
        ways = dict.fromkeys(one["command"] for one in each["next"] if not one["due_at"])
        lines += [plain(f"      {way}") for way in ways]
    if not lines and any(each["stopped"] for each in credentials):
        return [Text("What is left is stopped.", style="bold red")]
    if not lines:
        return [Text("Nothing is open.", style="green")]
    return [Text("Still open:", style="bold"), *(Text(line) for line in lines[:_SHOWN]), *_rest(len(lines))]


def _scheduled(credentials: list[dict[str, Any]]) -> list[RenderableType]:
    """Say what comes by itself, and how to have it earlier."""
    waiting = [(each, one) for each in credentials for one in each["next"] if one["due_at"]]
    if not waiting:
        return []
    lines = [
        f"  {one['due_at'][:16]}Z  {each['run']} {one['step']}; earlier: {one['command']}"
        for each, one in sorted(waiting, key=lambda pair: str(pair[1]["due_at"]))[:_STEPPED]
    ]
    more = [Text(f"  … and {len(waiting) - _STEPPED:,} more (-o json has them all)")] if len(waiting) > _STEPPED else []
    return [Text("Scheduled:", style="bold"), *(Text(plain(line)) for line in lines), *more]


def _acted(credentials: list[dict[str, Any]]) -> list[RenderableType]:
    """Say where a person took a risk, or took something back."""
    lines = []
    for each in credentials:
        about = f"  {each['run']}  {each['provider'] or 'not recognised'} {each['id']}: "
        if each["risk_accepted"]:
            risk = "a stolen credential that may read its new secret was still alive; accepted by"
            lines.append(f"{about}{risk} {each['risk_accepted']}")
        if each["gone_ahead"]:
            lines.append(f"{about}it began before the rotator's own credential was replaced: {each['gone_ahead']}")
        for one in each["undone"]:
            where = f" on {one['target']}" if one["target"] else ""
            lines.append(f"{about}{one['step']}{where} is taken back by {one['by']} ({one['state']}); {one['why']}")
    if not lines:
        return []
    return [Text("Said by people:", style="bold"), *(Text(plain(line)) for line in lines[:_SHOWN]), *_rest(len(lines))]


def _rest(count: int) -> list[RenderableType]:
    return [Text(f"  … and {count - _SHOWN:,} more (-o json has them all)")] if count > _SHOWN else []

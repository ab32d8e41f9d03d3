"""Gates and footholds in the report, also of what was merged into an incident: how each stands, and what opens it."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import asdict
from typing import Any

from rich.console import RenderableType

from rotator.flow.playbook_words import DESTRUCTION, Until
from rotator.ledger.moves_on import opens
from rotator.ledger.opening import BRAKE
from rotator.ledger.records import IncidentRecord
from rotator.report.clocks import moment
from rotator.report.people import as_called
from rotator.report.tables import Sentence


def gates(every: Iterable[IncidentRecord], called: str, strange: Collection[str]) -> dict[str, Any]:
    """Return how the gates and footholds of incidents that became one stand, and what opens or isolates each."""
    return {
        "gates": [
            {
                **asdict(each),
                "incident": of.incident.id,
                "at": moment(each.at),
                "command": "" if each.is_open else as_called(opens(of.incident.id, each.name).command, called),
            }
            for of in every
            for each in of.gates
        ],
        "footholds": [
            {
                **asdict(each),
                "incident": of.incident.id,
                "at": moment(each.at),
                "known": each.host not in strange,
                "command": as_called(f"rotator host isolate {of.incident.id} {each.host} --reason …", called)
                if each.state == "open"
                else "",
            }
            for of in every
            for each in of.footholds
        ],
    }


def shut(incident: dict[str, Any]) -> list[RenderableType]:
    """Say which gates keep something waiting, or were shut by a person, and which hosts are still the attacker's."""
    lines: list[RenderableType] = []
    for gate in incident["gates"]:
        if gate["is_open"] or not (gate["waiting"] or gate["by"]):
            continue
        who = f", by {gate['by']}: {gate['reason']}" if gate["by"] else ""
        of = _merged(gate, incident)
        if gate["name"] == BRAKE:
            alive = f"{gate['waiting']:,} stolen credentials are alive because of the brake"
            line = f"BRAKE{of}: {alive} ({gate['reason']}). Stop and replace them: "
            lines.append(Sentence(line, gate["command"], style="bold red"))
        elif gate["name"].startswith(DESTRUCTION):
            line = f"DESTRUCTION NOT APPROVED{of}: {gate['waiting']:,} wait for it. Approve it: "
            lines += [Sentence(line, gate["command"], style="magenta")] if gate["waiting"] else []
        elif gate["name"] == Until.NO_LEGAL_HOLD:
            but = "what is contained by revoking is revoked all the same"
            line = f"LEGAL HOLD{of}: no scheduled destruction{who}; {but}. Lift it: "
            lines.append(Sentence(line, gate["command"], style="magenta"))
        else:
            line = f"gate {gate['name']}{of} is shut{who}; {gate['waiting']:,} wait for it. Open it: "
            lines.append(Sentence(line, gate["command"], style="magenta"))
    for host in incident["footholds"]:
        of = _merged(host, incident)
        if host["state"] == "open":
            kept = f", and no new secret is made for {', '.join(host['holds_up'])}" if host["holds_up"] else ""
            strange = "; warning: no consumer, connection or target is called so here: is its name right?"
            after = "" if host["known"] or host["holds_up"] else strange
            line = f"FOOTHOLD {host['host']}{of}: the attacker may still be there{kept}. Cut off? "
            lines.append(Sentence(line, host["command"], after, style="magenta"))
        else:
            line = f"foothold {host['host']}{of}: {host['state']}, says {host['by']}: {host['reason']}"
            lines.append(Sentence(line, style="magenta"))
    return lines


def _merged(one: dict[str, Any], incident: dict[str, Any]) -> str:
    """Say whose a gate or foothold is, where that is another incident, which was merged into this one."""
    return "" if one["incident"] == incident["id"] else f" of {one['incident']}"

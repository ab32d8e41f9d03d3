"""What a report says of an incident that is a vendor's pause: who is paused, by whom, why, and who let it in again."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from rich.console import RenderableType

from rotator.ledger.pauses import Pause
from rotator.ledger.waits import few
from rotator.report.clocks import moment
from rotator.report.tables import Sentence


def pauses_of(found: Iterable[Pause], command: str) -> list[dict[str, Any]]:
    """Return each pause as data; `command` is how this reader calls the program.

    `uncut` is what the vendor was found to hold since, which nobody has cut: the ledger alone does not tell it.
    """
    return [
        {
            "vendor": each.vendor,
            "number": each.number,
            "incident": each.incident,
            "at": moment(each.at),
            "by": each.by,
            "reason": each.reason,
            "notices": list(each.notices),
            "restored_at": moment(each.restored_at),
            "restored_by": each.restored_by or "",
            "restored_why": each.restored_why or "",
            "command": f"{command} vendor gates {each.vendor}" if each.is_open else "",
            "then": f"{command} vendor pause {each.vendor} --reason …" if each.is_open else "",
            "uncut": [],
        }
        for each in found
    ]


def paused(incident: dict[str, Any]) -> list[RenderableType]:
    """Say at the top that it is a pause, and what is held and not cut."""
    found: list[RenderableType] = []
    for each in incident.get("pauses", ()):  # an older service tells of none
        why = f" ({', '.join(each['notices'])})" if each["notices"] else ""
        line = f"PAUSED: {each['vendor']}, by {each['by']} at {each['at']}: {each['reason']}{why}."
        if each["restored_at"]:
            ended = f"Let in again by {each['restored_by']} at {each['restored_at']}: {each['restored_why']}."
            found.append(Sentence(f"{line} {ended}", style="bold"))
            continue
        found.append(
            Sentence(f"{line} Nothing new is made for it. What lets it in again: ", each["command"], style="bold")
        )
        if each["uncut"]:
            held = f"{each['vendor']} holds {few(_names(each['uncut']))}, found since, and nobody has cut that"
            found.append(Sentence(f"HELD AND NOT CUT: {held}. To add it: ", each["then"], style="bold red"))
    return found


def _names(uncut: Sequence[dict[str, str]]) -> list[str]:
    return [" ".join(filter(None, (each["provider"], each["id"] or each["owner"]))) for each in uncut]

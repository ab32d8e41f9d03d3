"""The gates of a vendor that a person opened against what was found: told in every report, for good."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from rich.console import RenderableType
from rich.text import Text

from rotator.ledger.pause_gates import Override
from rotator.report.clocks import moment


def overridden_of(found: Iterable[Override]) -> list[dict[str, Any]]:
    """Return each as data: of which pause of whom, who said so, why, and against what."""
    return [
        {
            "vendor": each.vendor,
            "pause": each.pause,
            "incident": each.incident,
            "gate": each.gate,
            "at": moment(each.at),
            "by": each.by,
            "reason": each.reason,
            "against": list(each.against),
        }
        for each in found
    ]


def overridden(incident: dict[str, Any]) -> list[RenderableType]:
    """Say who opened which gate, whether the vendor is in by now or not."""
    return [Text(f"OVERRIDDEN: {said(each)}", style="bold") for each in incident.get("overridden", ())]


def said(one: dict[str, Any]) -> str:
    """Return it in a sentence."""
    against = f" Against: {'; '.join(one['against'])}." if one["against"] else ""
    return f"the gate {one['gate']} of {one['vendor']}, by {one['by']} at {one['at']}: {one['reason']}.{against}"

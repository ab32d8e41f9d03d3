"""What a person can do about a vendor, as a board offers it: meet or override its gates, restore it, set a term."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rotator.flow.approval import Role
from rotator.flow.checklist import Asks
from rotator.flow.roles import Act
from rotator.flow.vendor_terms import Name
from rotator.shown.buttons import WHY, Button, api_path, form

_BY_WORD = frozenset({Asks.ATTESTATIONS, Asks.SOFTWARE, Asks.APPROVAL})
"""What a person's word alone may open, as far as the gate believes it.

A document is hashed where it lies: its gate says which command does.
"""
_WORDS = {"name": "confirm", "label": "Type the words that are asked for", "on": "not_confirmed"}
_MEANT = {"name": "yes", "label": "Yes, that is meant", "kind": "check", "on": "not_confirmed"}
_GRANTS = {"name": "resume_grants", "label": "Give back the grants that were suspended", "kind": "check"}
_WHICH = {"name": "notice", "label": "For which notice (its id); empty for every one", "optional": True}


def gates(vendor: str, shown: Mapping[str, Any] | None, role: Role) -> dict[str, list[Button]]:
    """Return what can be done for each gate of a paused vendor, by the gate's name."""
    return {each["gate"]: list(_of(vendor, each, role)) for each in (shown["gates"] if shown else ())}


def _of(vendor: str, gate: Mapping[str, Any], role: Role) -> list[Button]:
    name, asks = gate["gate"], Asks(gate["asks"])
    if gate["is_open"]:
        return []
    found = []
    if asks in _BY_WORD:
        label, act = ("Say yes", Act.APPROVE) if asks is Asks.APPROVAL else ("Meet it", Act.MEET_GATE)
        to = api_path("vendors", vendor, "gates", name, "meet")
        found.append(form(label, "", to, act, role, (WHY,), "It is kept.", "primary"))
    means = "opens it against what was found, and stands in every report for good"
    to = api_path("vendors", vendor, "gates", name, "override")
    found.append(form("Override", means, to, Act.OVERRIDE_GATE, role, (WHY, _WORDS), "It is overridden.", "danger"))
    return found


def restore(vendor: str, shown: Mapping[str, Any] | None, role: Role) -> Button | None:
    """Return how a paused vendor is let in again, where all its gates are open."""
    if shown is None or not shown["is_open"]:
        return None
    fields = (WHY, *((_GRANTS,) if shown["grants"] else ()), _MEANT)
    means = "lets it in again: from then on new credentials may be made for it"
    to = api_path("vendors", vendor, "restore")
    return form("Restore", means, to, Act.RESTORE_VENDOR, role, fields, "It is let in again.", "primary")


def terms(vendor: str, role: Role) -> list[Button]:
    """Return how each term of a vendor that people may judge is set; without a value what was set is taken back."""
    return [_term(vendor, each, role) for each in Name]


def _term(vendor: str, name: Name, role: Role) -> Button:
    value = {"name": "value", "label": "Value; empty takes back what was set", "optional": True}
    words = name.value.replace("_", " ")
    to = api_path("vendors", vendor, "terms", name.value)
    return form(f"Set {words}", "", to, Act.ASSESS, role, (value, _WHICH, WHY), "It is kept.")

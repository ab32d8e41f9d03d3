"""Who may say yes to a plan on its page, to what of it, and with which form."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rotator.flow.approval import Policy, Role, Scope
from rotator.flow.roles import NEEDS, Act, may
from rotator.shown.buttons import API, Button

_LABELS = {Scope.CONTAINMENT: "Approve the containment", Scope.DESTRUCTION: "Approve the destruction"}
_MEANS = {
    Scope.CONTAINMENT: "stops and replaces, as the plan says",
    Scope.DESTRUCTION: "destroys for good what the plan says is destroyed",
}
_WORDS = {"name": "confirm", "label": "Type the words that are asked for", "on": "not_confirmed"}
_GLASS = {
    "name": "break_glass",
    "kind": "check",
    "label": "Yes: begin without the approval that is needed. It is evidence, and somebody reviews it.",
}
_WHY = {"name": "reason", "label": "Why can it not wait? It becomes evidence."}


def forms(incident: Mapping[str, Any], policy: Policy | None, by: str, role: Role) -> list[dict[str, Any]]:
    """Return what is still wanted of each revision, in words, with the buttons of who looks."""
    if incident["stale"] or incident["merged_into"] or incident["closed_at"]:
        return []
    found = []
    seen: set[tuple[str, str]] = set()
    for each in incident["approvals"]:
        for one in each["wanted"]:
            # One yes to the newest is for all that wait before it.
            if (one["digest"], one["scope"]) not in seen:
                seen.add((one["digest"], one["scope"]))
                found.append({"words": one["words"], "buttons": _buttons(each["incident"], one, policy, by, role)})
    return found


def _buttons(of: str, wanted: Mapping[str, Any], policy: Policy | None, by: str, role: Role) -> list[Button]:
    scope, path = Scope(wanted["scope"]), f"{API}/incidents/{of}/approve"
    digest = {"name": "digest", "kind": "hidden", "value": wanted["digest"]}
    is_apart = policy is not None and policy.apart
    only = (
        ({"name": "scope", "kind": "hidden", "value": scope.value},)
        if is_apart or scope is not Scope.CONTAINMENT
        else ()
    )
    label = _LABELS[scope] if is_apart else "Approve the plan"
    means = _MEANS[scope] if is_apart else "stops, replaces and destroys what the plan says, and nothing else"
    fields = (digest, *only, _WORDS)
    done = "Your yes is kept."
    found = [
        Button(label, means, path, fields=fields, done=done, tone="primary", refused=_refused(wanted, policy, by, role))
    ]
    if policy is not None and found[0].refused:
        glass = "" if may(role, Act.BREAK_GLASS) else f"needs the role {NEEDS[Act.BREAK_GLASS]}"
        what = f"begins the {scope} at once, on your word alone; it stays open until another has reviewed it"
        fields = (digest, *only, _GLASS, _WHY, _WORDS)
        found.append(
            Button("Break the glass", what, path, fields=fields, done="It begins.", tone="danger", refused=glass)
        )
    return found


def _refused(wanted: Mapping[str, Any], policy: Policy | None, by: str, role: Role) -> str:
    if not may(role, Act.APPROVE):
        return f"needs the role {NEEDS[Act.APPROVE]}"
    if by in wanted["not_of"]:
        return f"you may not: {wanted['not_of'][by]}"
    if policy is not None and by not in wanted["of"]:
        return f"it wants one of {', '.join(wanted['of']) or 'nobody who is in [[people]]'}"
    return ""

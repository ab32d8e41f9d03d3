"""What keeps an act from having its effect at once: stops in force, nobody at work, a yes that others have to say."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rotator.bootstrap import Rotator
from rotator.confirmation import words_for
from rotator.errors import NotAllowed
from rotator.flow.approval import Facts, Policy, Wanted, decide, scopes_of
from rotator.flow.planned import Plan
from rotator.flow.reversibility import ends_in_destruction, stops_by_destroying
from rotator.ledger.waits import few
from rotator.runtime_lock import is_unattended


def kept_from(parts: Rotator, incident: str, run: str | None = None) -> dict[str, Any]:
    """Return what keeps it from going on: stops in force, and the command that must run here where nobody works."""
    stops = [f"{each}: {each.lifted_by}" for each in parts.stops.over(incident, run)]
    return {"stopped": stops, "start": "rotator up" if is_unattended(parts) else ""}


def begins(parts: Rotator, incident: str, digest: str) -> str:
    """Say who begins a plan that waits: `bo starts it`."""
    return who(parts.settings.policy, parts.approvals.wanted(incident, digest))


def facing(parts: Rotator, by: str, plan: Plan) -> dict[str, Any]:
    """Return what one who declares a plan has to know before he says yes to it.

    `refused` is why he may not begin it himself, `confirm` what is to be typed for it, `foretold` what waits for the
    destruction's own approval.
    """
    words = words_for(parts, [run.ref for run in plan.runs])
    return {"refused": not_alone(parts.settings.policy, by, plan), "confirm": words, "foretold": foretold(parts, plan)}


def not_alone(policy: Policy | None, by: str, plan: Plan) -> str:
    """Say why who declares a plan may not approve it himself, "" where he may."""
    if policy is None or not plan.runs:
        return ""
    facts = Facts(frozenset({by}), sum(map(ends_in_destruction, plan.runs)))
    try:
        found = decide(policy, by, (), facts, scopes_of(None, policy))
    except NotAllowed as refused:
        return refused.what
    return str(found.wanted[0]) if found.wanted and not found.wanted[0].option else ""


def foretold(parts: Rotator, plan: Plan) -> list[str]:
    """Say what of a plan waits for the destruction's own approval."""
    policy, ends = parts.settings.policy, sum(map(ends_in_destruction, plan.runs))
    if policy is None or not policy.apart or not ends:
        return []
    lines = [f"Approved apart: the destruction of {ends:,}. Containment alone destroys nothing."]
    if alive := [f"{run.kind} {run.ref.id}" for run in plan.runs if stops_by_destroying(run)]:
        only = f"{len(alive):,} can only be revoked, and LIVE until their destruction is approved: {few(alive)}"
        lines.append(f"warning: {only}")
    return lines


def who(policy: Policy | None, wanted: Sequence[Wanted]) -> str:
    """Say who has to say yes, of those that are wanted."""
    first = wanted[0] if wanted else None
    if policy is None or first is None or first.of is None:
        return "start it"
    of = few(first.of)
    if first.is_beyond:
        return f"{first}; they start it"
    if len(first.of) == first.more:
        return f"{of} starts it" if first.more == 1 else f"{of} start it, each"
    return f"one of {of} starts it" if first.more == 1 else f"{first.more} of {of} start it, each"

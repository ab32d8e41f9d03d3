"""What keeps an act from having its effect at once: stops in force, nobody at work, a yes that others have to say."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rotator.bootstrap import Rotator
from rotator.flow.approval import Policy, Wanted
from rotator.ledger.waits import few
from rotator.runtime_lock import is_unattended


def kept_from(parts: Rotator, incident: str, run: str | None = None) -> dict[str, Any]:
    """Return what keeps it from going on: stops in force, and the command that must run here where nobody works."""
    stops = [f"{each}: {each.lifted_by}" for each in parts.stops.over(incident, run)]
    return {"stopped": stops, "start": "rotator up" if is_unattended(parts) else ""}


def begins(parts: Rotator, incident: str, digest: str) -> str:
    """Say who begins a plan that waits: `bo starts it`."""
    return who(parts.settings.policy, parts.approvals.wanted(incident, digest))


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

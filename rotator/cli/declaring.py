"""What declaring comes to: why who declares may not begin it himself, who does, and what waits for a yes of its own."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from rotator.cli.options import Context
from rotator.errors import NotAllowed
from rotator.report.plain import plain

if TYPE_CHECKING:
    from rotator.bootstrap import Rotator
    from rotator.flow.approval import Facts
    from rotator.flow.planned import Plan
    from rotator.standing_orders import Declared


def not_alone(parts: Rotator, plan: Plan) -> str:
    """Say why who declares a plan may not approve it himself, "" where he may."""
    from rotator import response  # noqa: PLC0415
    from rotator.flow.approval import decide, scopes_of  # noqa: PLC0415

    policy = parts.settings.policy
    if policy is None or not plan.runs:
        return ""
    try:
        found = decide(policy, response.actor(), (), _facts(plan), scopes_of(None, policy))
    except NotAllowed as refused:
        return refused.what
    return str(found.wanted[0]) if found.wanted and not found.wanted[0].option else ""


def foretell(given: Context, parts: Rotator, plan: Plan) -> None:
    """Print, below a plan that is to be declared, what of it waits for the destruction's own approval."""
    from rotator.flow.approval import ends_in_destruction, stops_by_destroying  # noqa: PLC0415
    from rotator.ledger.waits import few  # noqa: PLC0415

    policy = parts.settings.policy
    ends = sum(map(ends_in_destruction, plan.runs))
    if given.quiet or policy is None or not policy.apart or not ends:
        return
    print(f"Approved apart: the destruction of {ends:,}. Containment alone destroys nothing.", file=sys.stderr)  # noqa: T201
    if alive := [f"{run.kind} {run.ref.id}" for run in plan.runs if stops_by_destroying(run)]:
        only = f"{len(alive):,} can only be revoked, and LIVE until their destruction is approved: {few(alive)}"
        print(plain(f"warning: {only}"), file=sys.stderr)  # noqa: T201


def who_begins(parts: Rotator, plan: Plan) -> str:
    """Say who begins what this person is about to declare."""
    from rotator.flow.approval import wanted  # noqa: PLC0415
    from rotator.operations.waiting import who  # noqa: PLC0415

    return who(parts.settings.policy, wanted(parts.settings.policy, (), _facts(plan)))


def begins_with(given: Context, parts: Rotator, incident: str, digest: str) -> str:
    """Say who begins a plan that waits, and with which command."""
    from rotator.operations.waiting import begins  # noqa: PLC0415

    return start(given, begins(parts, incident, digest), incident, digest)


def start(given: Context, who: str, incident: str, digest: str) -> str:
    """Say with which command who begins it does."""
    return f"{who} with: {given.called} approve {incident} --digest {digest}"


def or_alone(parts: Rotator) -> str:
    """Say how this person begins it without the others, "" where he may not."""
    from rotator import response  # noqa: PLC0415

    policy = parts.settings.policy
    person = policy.people.get(response.actor()) if policy is not None else None
    alone = "you do with --break-glass --reason … behind it, to be reviewed by another"
    return alone if person is not None and person.responds else ""


def declared(given: Context, parts: Rotator, found: Declared) -> list[str]:
    """Say what was declared: what standing orders have begun, and who begins the rest."""
    name = found.incident.id
    lines = [f"{name} declared"]
    if found.orders:
        lines.append(f"the standing order {', '.join(found.orders)} begins {found.covered:,} at once, to be reviewed")
    if not found.waiting:
        return lines if found.orders else [*lines, "nothing in it can be done by machine"]
    return [*lines, begins_with(given, parts, name, parts.approvals.newest(name))]


def document(given: Context, parts: Rotator, incident: str) -> dict[str, Any]:
    """Return what was declared, for programs: the report's, without what it says of each credential.

    It has the digest (`plan`), the revisions, who still has to say yes to what, and the command of each.
    """
    from rotator.report.incident import build  # noqa: PLC0415

    data = build(parts.reading.incident(incident), given.called)
    return {name: data[name] for name in ("incident", "totals")}


def _facts(plan: Plan) -> Facts:
    from rotator import response  # noqa: PLC0415
    from rotator.flow.approval import Facts, ends_in_destruction  # noqa: PLC0415

    return Facts(frozenset({response.actor()}), sum(map(ends_in_destruction, plan.runs)))

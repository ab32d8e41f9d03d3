"""What declaring comes to: why who declares may not begin it himself, who does, and what waits for a yes of its own."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from rotator.actor import actor
from rotator.cli.options import Context
from rotator.report.plain import plain

if TYPE_CHECKING:
    from rotator.bootstrap import Rotator
    from rotator.flow.approval import Facts
    from rotator.flow.planned import Plan
    from rotator.standing_orders import Declared


def not_alone(parts: Rotator, plan: Plan) -> str:
    """Say why who declares a plan may not approve it himself, "" where he may."""
    from rotator.operations.waiting import not_alone as refusal  # noqa: PLC0415

    return refusal(parts.settings.policy, actor(), plan)


def foretell(given: Context, parts: Rotator, plan: Plan) -> None:
    """Print, below a plan that is to be declared, what of it waits for the destruction's own approval."""
    from rotator.operations.waiting import foretold  # noqa: PLC0415

    for line in [] if given.quiet else foretold(parts, plan):
        print(plain(line), file=sys.stderr)  # noqa: T201


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
    policy = parts.settings.policy
    person = policy.people.get(actor()) if policy is not None else None
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
    from rotator.shown.incidents import report  # noqa: PLC0415

    data = report(parts, incident, given.called)
    return {name: data[name] for name in ("incident", "totals")}


def _facts(plan: Plan) -> Facts:
    from rotator.flow.approval import Facts  # noqa: PLC0415
    from rotator.flow.reversibility import ends_in_destruction  # noqa: PLC0415

    return Facts(frozenset({actor()}), sum(map(ends_in_destruction, plan.runs)))

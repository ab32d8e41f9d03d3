"""What the doctor looks at of what people agreed on: the rule of approval, and the standing orders."""

from __future__ import annotations

from collections.abc import Iterator

from rotator import clock
from rotator.bootstrap import Rotator
from rotator.settings.approval import CLI


def looked_at(parts: Rotator) -> Iterator[tuple[bool, str, str]]:
    """Yield what `rotator doctor` finds of the rule of approval: whether it is well, what it is, and how to mend it."""
    policy, mend = parts.settings.policy, "see docs/approval.md"
    if policy is not None:
        approvers = sorted(each.name for each in policy.people.values() if each.approves)
        need = policy.approvals + 1 if policy.four_eyes else policy.approvals
        said = (
            f"approval: {policy.approvals} of {', '.join(approvers)}{', not who made it' if policy.four_eyes else ''}"
        )
        if not approvers:
            yield False, "approval: nobody in [[people]] is an approver: no plan can be approved", mend
        elif len(approvers) < policy.approvals:
            yield False, f"approval: {policy.approvals} are wanted, and there is {', '.join(approvers)} alone", mend
        elif len(approvers) < need:
            what = f"{said}: nobody is left for a plan that one of them made"
            yield False, what, "name another approver"
        else:
            yield True, said, ""
    known = {CLI, *(each.title for each in parts.settings.triggers)}
    for each in parts.settings.orders:
        named = f"standing order {each.name}"
        strangers = sorted(each.triggers - known)
        if each.expires < clock.now():
            yield False, f"{named}: it has expired", "agree to it again, or take it out"
        elif strangers or not each.triggers:
            what = f"no trigger is called {', '.join(strangers)}" if strangers else "it names no trigger"
            yield False, f"{named}: {what}", f"there are: {', '.join(sorted(known))}"
        else:
            yield True, f"{named}: in force for {', '.join(sorted(each.environments))}", ""

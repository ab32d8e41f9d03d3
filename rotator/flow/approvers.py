"""What is for approvers alone, though it is no yes to a plan: it gives up what a yes would have brought about."""

from __future__ import annotations

from rotator.errors import NotAllowed
from rotator.flow.approval import Policy


def refuse_dismissal(policy: Policy | None, who: str) -> None:
    """Raise NotAllowed for who may not say of a credential that it needs no answer: it may be the one he sold."""
    _refuse_who_approves_nothing(policy, who, "dismisses", "dismiss")


def refuse_closing(policy: Policy | None, who: str) -> None:
    """Raise NotAllowed for who may not say that an incident is over: nothing of it would be approved any more."""
    _refuse_who_approves_nothing(policy, who, "closes", "incident close")


def refuse_deleting(policy: Policy | None, who: str) -> None:
    """Raise NotAllowed for who may not delete evidence: it is as little taken back as what is destroyed."""
    _refuse_who_approves_nothing(policy, who, "deletes", "evidence expire")


def refuse_letting_in(policy: Policy | None, who: str) -> None:
    """Raise NotAllowed for who may not let a paused vendor in, or open a gate of it against what was found."""
    _refuse_who_approves_nothing(policy, who, "lets in", "vendor")


def _refuse_who_approves_nothing(policy: Policy | None, who: str, does: str, command: str) -> None:
    person = policy.people.get(who) if policy is not None else None
    if policy is not None and (person is None or not person.approves):
        others = ", ".join(sorted(each.name for each in policy.people.values() if each.approves))
        raise NotAllowed(f"{who} may approve nothing here, and so {does} nothing", command, f"ask {others}")

"""Punctuality: what came due by the policies of hygiene, what became of it, and how old what they select is.

docs/metrics.md defines each figure; nothing of it is about what was exposed, or practised.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rotator.credential import CredentialRef
from rotator.flow.hygiene import Due, Known, Policy, Turn, covered, due_since
from rotator.flow.response import PLACES, rounded, times
from rotator.flow.survival import Span

_DAY_S = 86400.0
_BOUNDS = (30, 60, 90, 180, 365)
BUCKETS = (*(f"under_{days}d" for days in _BOUNDS), "older")
"""A credential is in the first that its age fits: they and those of an unknown age partition what is selected."""

STATES: Mapping[str, str] = {
    "on_time": "another stood where consumers read, by the time that the policy gives",
    "late": "another stood there, and later than that",
    "overdue": "none stands there, and the time is over",
    "open": "none stands there, and there is time left",
    "by_hand": "left to a person, who says that it is done, or its issuer does: when it was, no record tells",
    "taken_over": "an incident answered it instead, or a person took it off",
    "elsewhere": "not begun, and due no more: replaced or ended elsewhere, or the policy is another",
}
"""What became of a credential that came due: each is in one."""


@dataclass(frozen=True, slots=True)
class Duty:
    """One credential that came due by a policy. Times in epoch seconds, None for what is not so, or not known.

    `of` is the run or the task that hygiene began for it, "" for none yet; `noted_at` when a record first said that it
    is due, `settled_at` when one first said that it is not any more. Of what is `gone` the evidence was deleted by
    policy, and nobody can show what became of it.
    """

    policy: str
    provider: str
    connection: str
    owner: str
    credential: str
    made_at: float | None
    due_at: float
    replace_by: float
    noted_at: float
    of: str = ""
    is_task: bool = False
    dismissed: bool = False
    replaced_at: float | None = None
    settled_at: float | None = None
    gone: bool = False

    @property
    def ref(self) -> CredentialRef:
        """Return whose it is."""
        return CredentialRef(self.provider, self.connection, self.owner, self.credential)


def duty(policy: Policy, due: Due, now: float) -> Duty:
    """Return what comes of a credential that is due: it is to be replaced within the policy's deadline."""
    ref, due_at = due.known.ref, round(now if due.due_at is None else due.due_at, PLACES)
    names = (policy.name, ref.provider, ref.connection, ref.owner, ref.id)
    return Duty(*names, due.known.made_at, due_at, round(due_at + policy.deadline_s, PLACES), now)


def owed(policies: Sequence[Policy], credentials: Iterable[Known], now: float) -> list[Due]:
    """Return what is due by now, whether a window is open or not."""
    found = []
    for known in credentials:
        policy = covered(policies, known)
        if policy is not None and (due_at := due_since(policy, known)) is not None and due_at <= now:
            found.append(Due(known, policy.name, Turn.WAITS, due_at))
    return found


def ages(policies: Sequence[Policy], credentials: Iterable[Known], now: float) -> list[dict[str, Any]]:
    """Return how old is what each policy selects: how many, of how many nobody knows, and the others by age."""
    found: dict[str, list[float | None]] = {each.name: [] for each in policies}
    for known in credentials:
        if (policy := covered(policies, known)) is not None:
            found[policy.name].append(None if known.made_at is None else now - known.made_at)
    return [_ages(each, found[each.name]) for each in policies]


def _ages(policy: Policy, found: Sequence[float | None]) -> dict[str, Any]:
    known = [each for each in found if each is not None]
    counts = Counter(bisect_right(_BOUNDS, each / _DAY_S) for each in known)
    return {
        "policy": policy.name,
        "max_age_s": rounded(policy.max_age_s),
        "credentials": len(found),
        "unknown": len(found) - len(known),
        "over_max_age": sum(each > policy.max_age_s for each in known),
        **{name: counts[number] for number, name in enumerate(BUCKETS)},
    }


def in_all(aged: Iterable[Mapping[str, Any]]) -> dict[str, int]:
    """Return the counts of all policies together: each credential is under one."""
    every = list(aged)
    return {name: sum(each[name] for each in every) for name in ("credentials", "unknown", "over_max_age", *BUCKETS)}


def state_of(each: Duty, until: float) -> str:
    """Return what became of it."""
    if each.replaced_at is not None and not each.dismissed:
        return "on_time" if each.replaced_at <= each.replace_by else "late"
    if each.is_task and (each.dismissed or each.settled_at is not None):
        return "by_hand"
    if each.dismissed:
        return "taken_over"
    if each.settled_at is not None:
        return "elsewhere"
    return "overdue" if until > each.replace_by else "open"


def figures(duties: Iterable[Duty], until: float) -> dict[str, Any]:
    """Return how many came due and stand how, the share that was on time, and by how much the others were not.

    What is overdue counts as late for as long as it is, and is never left out.
    """
    every = [(each, state_of(each, until)) for each in duties]
    counts = Counter(state for _, state in every)
    decided = counts["on_time"] + counts["late"] + counts["overdue"]
    lateness = [
        Span((until if each.replaced_at is None else each.replaced_at) - each.replace_by, state == "late")
        for each, state in every
        if state in {"late", "overdue"}
    ]
    return {
        "due": len(every),
        **{name: counts[name] for name in STATES},
        "tasks": sum(each.is_task for each, _ in every),
        "decided": decided,
        "on_time_share": rounded(counts["on_time"] / decided) if decided else None,
        "lateness": times(lateness),
    }


def by_policy(duties: Iterable[Duty], until: float) -> list[dict[str, Any]]:
    """Return the figures of each policy."""
    groups: dict[str, list[Duty]] = {}
    for each in duties:
        groups.setdefault(each.policy, []).append(each)
    return [{"policy": name, **figures(of, until)} for name, of in sorted(groups.items())]

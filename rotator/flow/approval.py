"""Approval: who may say yes to what, how many it takes, and what is still wanted. A rule over what was said so far.

Containment and destruction are two scopes of one plan revision. Nobody says yes to what he made himself (four eyes);
who breaks the glass is let through with a reason, and somebody else looks at it afterwards.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from rotator.errors import BadInput, NotAllowed
from rotator.flow.playbook_words import meant


class Role(StrEnum):
    """What a person may do here: each may do what those before it may."""

    VIEWER = "viewer"
    RESPONDER = "responder"
    APPROVER = "approver"
    ADMIN = "admin"


class Scope(StrEnum):
    """What of a revision a yes is for: stopping and replacing, or what cannot be taken back."""

    CONTAINMENT = "containment"
    DESTRUCTION = "destruction"


BOTH = frozenset(Scope)
_RANK = list(Role)


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody named in the configuration. The highest of the roles counts."""

    name: str
    roles: frozenset[Role]
    contact: str = ""

    @property
    def role(self) -> Role:
        """Return the highest role."""
        return max(self.roles, key=_RANK.index, default=Role.VIEWER)

    @property
    def approves(self) -> bool:
        """Tell whether this person's yes counts."""
        return _RANK.index(self.role) >= _RANK.index(Role.APPROVER)

    @property
    def responds(self) -> bool:
        """Tell whether this person may break the glass."""
        return _RANK.index(self.role) >= _RANK.index(Role.RESPONDER)


@dataclass(frozen=True, slots=True)
class Policy:
    """The rule of a deployment. `approvals` is how many different people say yes to each scope."""

    people: Mapping[str, Person]
    four_eyes: bool = True
    approvals: int = 1
    apart: bool = True
    confirm: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Said:
    """One yes to one scope. Broken glass and standing orders are enough by themselves."""

    by: str
    scope: Scope
    glass: str = ""
    order: str = ""

    @property
    def alone(self) -> bool:
        """Tell whether it is enough whatever others say."""
        return bool(self.glass or self.order)


@dataclass(frozen=True, slots=True)
class Facts:
    """What the rule looks at of what one yes covers: who made a revision of it, and how many runs destroy something.

    Of what a program made, who made its token is a maker too.
    """

    makers: frozenset[str]
    destroys: int


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a scope still wants: so many more, by these people; and who may not, with the reason.

    `of` is None where no rule says whose it is: then it is anybody's.
    """

    scope: Scope
    more: int
    of: tuple[str, ...] | None = None
    not_of: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_beyond(self) -> bool:
        """Tell whether there are too few people to give it."""
        return self.of is not None and len(self.of) < self.more

    @property
    def option(self) -> str:
        """Return what stands behind `rotator approve INCIDENT --digest D` for it."""
        return " --scope destruction" if self.scope is Scope.DESTRUCTION else ""

    def __str__(self) -> str:
        """Return it for people."""
        count = "1 more approval" if self.more == 1 else f"{self.more} more approvals"
        if self.of is None:
            return f"{self.scope} wants {count}"
        who = f"by {', '.join(self.of)}" if self.of else "and nobody in [[people]] may give it"
        why = [f"{name} may not: {why}" for name, why in self.not_of.items()]
        if self.is_beyond:
            why.append("too few: name another approver in [[people]]")
        return " ".join([f"{self.scope} wants {count} {who}", *([f"({'; '.join(why)})"] if why else [])])


@dataclass(frozen=True, slots=True)
class Decision:
    """What becomes of a yes: the scopes it is written for, those that are enough now, and what is still wanted."""

    written: tuple[Scope, ...]
    enough: frozenset[Scope]
    wanted: tuple[Wanted, ...]


def scopes_of(word: str | None, policy: Policy | None, *, glass: bool = False) -> frozenset[Scope]:
    """Return what a yes is for: as said, else containment where destruction is apart or the glass is broken."""
    if word is None:
        whole = not glass and (policy is None or not policy.apart)
        return BOTH if whole else frozenset({Scope.CONTAINMENT})
    if word == "all":
        return BOTH
    if word not in set(Scope):
        raise BadInput(f"no scope is called `{word}`", "--scope", meant(word, [*Scope, "all"]))
    return frozenset({Scope(word)})


def decide(  # noqa: PLR0917 - a yes, and all that bears on it
    policy: Policy | None, who: str, said: Sequence[Said], facts: Facts, asked: frozenset[Scope], glass: str = ""
) -> Decision:
    """Return what a person's yes comes to. Raises NotAllowed, in one line, for one that may not be given."""
    asked = asked if facts.destroys else asked - {Scope.DESTRUCTION}
    if not asked:
        raise BadInput("nothing in it is destroyed", "--scope destruction", "approve its containment")
    if policy is not None:
        _refuse(policy, who, facts, glass=bool(glass))
    written = [scope for scope in Scope if scope in asked and not _is_there(said, who, scope, glass)]
    after = [*said, *(Said(who, scope, glass) for scope in written)]
    return Decision(tuple(written), enough(policy, after), wanted(policy, after, facts))


def enough(policy: Policy | None, said: Sequence[Said]) -> frozenset[Scope]:
    """Return the scopes to which enough was said."""
    need = 1 if policy is None else policy.approvals
    found = set()
    for scope in Scope:
        of_scope = [each for each in said if each.scope is scope]
        if any(each.alone for each in of_scope) or len({each.by for each in of_scope}) >= need:
            found.add(scope)
    return frozenset(found)


def wanted(policy: Policy | None, said: Sequence[Said], facts: Facts) -> tuple[Wanted, ...]:
    """Return what each scope still wants, and of whom."""
    there = enough(policy, said)
    found = []
    for scope in Scope:
        if scope in there or (scope is Scope.DESTRUCTION and not facts.destroys):
            continue
        if policy is None:
            found.append(Wanted(scope, 1))
            continue
        have = {each.by for each in said if each.scope is scope}
        not_of = dict.fromkeys(sorted(have), "has said yes already")
        if policy.four_eyes:
            not_of |= dict.fromkeys(sorted(facts.makers & policy.people.keys()), "made this plan")
        of = [each.name for each in policy.people.values() if each.approves and each.name not in not_of]
        found.append(Wanted(scope, policy.approvals - len(have), tuple(sorted(of)), not_of))
    return tuple(found)


def may_review(policy: Policy | None, who: str, acted: str) -> str:
    """Say why somebody may not review what `acted` let through, "" where he may."""
    if policy is None:
        return ""
    if who not in policy.people or not policy.people[who].approves:
        return "a review is for an approver or admin"
    return "it was you who broke the glass: another reviews it" if policy.four_eyes and who == acted else ""


def _refuse(policy: Policy, who: str, facts: Facts, *, glass: bool) -> None:
    """Raise NotAllowed for a person whose yes does not count here."""
    others = ", ".join(sorted(each.name for each in policy.people.values() if each.approves and each.name != who))
    ask = f"ask {others}" if others else "nobody in [[people]] has the role approver"
    person = policy.people.get(who)
    if person is None:
        raise NotAllowed(f"`{who}` is nobody in [[people]]", "approve", ask)
    if glass:
        if not person.responds:
            raise NotAllowed(f"{who} is a {person.role}, and may not break the glass", "approve", ask)
        return
    if not person.approves:
        raise NotAllowed(f"{who} is a {person.role}: only an approver or admin says yes", "approve", f"{ask}; {_GLASS}")
    if policy.four_eyes and who in facts.makers:
        raise NotAllowed(f"{who} made this plan, and four eyes are asked for", "approve", f"{ask}; {_GLASS}")


_GLASS = "or --break-glass --reason …, to be reviewed later"


def _is_there(said: Sequence[Said], who: str, scope: Scope, glass: str) -> bool:
    if glass:
        return any(each.scope is scope and each.alone for each in said)
    return any(each.scope is scope and each.by == who for each in said)

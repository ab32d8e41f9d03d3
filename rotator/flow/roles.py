"""Who may do what over HTTP: which role each act needs, and how much of its role a token still has.

The command line asks for no role but where a plan is approved, since it believes whatever login it is told; a token is
somebody, so here each act asks. What gives something up that nobody brings back by itself is an approver's.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

from rotator.errors import BadInput, NotAllowed
from rotator.flow.approval import Policy, Role

_RANK = list(Role)


class Act(StrEnum):
    """What a request does, as evidence names it."""

    READ = "read"
    READ_SERVICE = "read_service"
    DECLARE = "declare"
    ADD = "add"
    STOP = "stop"
    CONTINUE = "continue"
    RETRY = "retry"
    DONE = "done"
    CLOSE_GATE = "close_gate"
    ISOLATE = "isolate"
    REOPEN = "reopen"
    BREAK_GLASS = "break_glass"
    APPROVE = "approve"
    REVIEW = "review"
    CLOSE = "close"
    DISMISS = "dismiss"
    SKIP = "skip"
    UNDO = "undo"
    RELEASE = "release"
    OPEN_GATE = "open_gate"
    MERGE = "merge"
    INTAKE = "intake"
    ASK = "ask"
    DISCOVER = "discover"
    TRY_CHANNEL = "try_channel"
    ASSESS = "assess"
    ESCALATE = "escalate"
    READ_LOGS = "read_logs"
    PAUSE_VENDOR = "pause_vendor"
    MEET_GATE = "meet_gate"
    OVERRIDE_GATE = "override_gate"
    RESTORE_VENDOR = "restore_vendor"
    GIVE_SOFTWARE = "give_software"
    ATTEST = "attest"
    CHECK_DATASET = "check_dataset"
    IMPORT = "import"
    CREATE_TOKEN = "create_token"  # noqa: S105 - an act
    REVOKE_TOKEN = "revoke_token"  # noqa: S105 - an act
    REVOKE_SESSION = "revoke_session"


_APPROVERS = (
    Act.APPROVE,
    Act.REVIEW,
    Act.CLOSE,
    Act.DISMISS,
    Act.SKIP,
    Act.UNDO,
    Act.RELEASE,
    Act.OPEN_GATE,
    Act.MERGE,
    Act.OVERRIDE_GATE,
    Act.RESTORE_VENDOR,
)
_ADMINS = (Act.READ_SERVICE, Act.IMPORT, Act.CREATE_TOKEN, Act.REVOKE_TOKEN, Act.REVOKE_SESSION)
NEEDS: Mapping[Act, Role] = MappingProxyType(
    {
        **dict.fromkeys(Act, Role.RESPONDER),
        **dict.fromkeys(_APPROVERS, Role.APPROVER),
        Act.READ: Role.VIEWER,
        **dict.fromkeys(_ADMINS, Role.ADMIN),
    }
)


def may(role: Role, act: Act) -> bool:
    """Tell whether a role is enough for an act."""
    return _RANK.index(role) >= _RANK.index(NEEDS[act])


def still(role: Role, person: str, policy: Policy | None) -> Role:
    """Return what a token of that role may be now: no more than the person it names, and a viewer where he is gone."""
    if policy is None or not person:
        return role
    named = policy.people.get(person)
    return min(role, named.role if named is not None else Role.VIEWER, key=_RANK.index)


def misread(name: str) -> bool:
    """Tell whether a person of that name would be read as somebody else: a program by its token, or half a name."""
    return not name.isprintable() or name.strip() != name or name.startswith(("token ", "session "))


def refuse_creation(policy: Policy | None, by: str, role: Role, person: str, maker: Role | None = None) -> None:
    """Raise NotAllowed for a token that would let somebody be more than he is, or another than he is.

    Raises BadInput for a person whom evidence would take for another.

    Where there is a rule, a person makes tokens of his own, and an admin those of programs; those of others only where
    no four eyes are asked for, since who holds another's token says his yes. `maker` is what `by` may, where that was
    looked up already: a program's token has no name in the rule.
    """
    if misread(person):
        raise BadInput("nobody is called so: it would be read as somebody else", "--person", "give the login as it is")
    if policy is None:
        return
    named, known_maker = policy.people.get(person), policy.people.get(by)
    is_admin = Role.ADMIN in {maker, known_maker.role if known_maker is not None else None}
    if person and named is None:
        known = ", ".join(sorted(policy.people)) or "nobody"
        raise NotAllowed(f"`{person}` is nobody in [[people]]", "--person", f"there is {known}")
    if named is not None and still(role, person, policy) is not role:
        raise NotAllowed(f"{person} is a {named.role}, and no token makes more of him", "--role", "give less")
    if policy.four_eyes and person and person != by:
        raise NotAllowed(
            f"four eyes are asked for: {person} alone makes tokens of {person}", "--person", f"ask {person}"
        )
    if person != by and not is_admin:
        what = f"a token of {person}" if person else "a token that acts for itself"
        admins = ", ".join(sorted(each.name for each in policy.people.values() if each.role is Role.ADMIN))
        raise NotAllowed(f"{what} is made by an admin", "token create", f"ask {admins or 'for one in [[people]]'}")

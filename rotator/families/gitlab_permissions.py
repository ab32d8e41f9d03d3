"""What the rotator's own token may do at GitLab: whether it is let look, its scopes, and the role of its user.

GET /personal_access_tokens/self tells the scopes; GET …/members/all/USER the highest role, inherited or invited; GET
/user whether it is an administrator's, though with Admin Mode on such a token works as one only if it has `admin_mode`
too. So an administrator is believed where he is let look at what nobody else may. A custom role may grant what a
role lacks, and settings of groups may forbid that tokens are made: both show only when it is tried.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

from rotator.errors import asking
from rotator.families.gitlab import GitLab, is_absent, said, told
from rotator.families.gitlab_names import Variable
from rotator.families.http_wire import Reply
from rotator.families.own_words import quoted, unreadable
from rotator.permissions import LOOK, Permission

_ROLES = {"project": (40, "Maintainer"), "group": (50, "Owner")}
_TOKENS, _VARIABLES = ("issue", "revoke"), ("promote", "demote")
_REFUSED = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND})
_SCOPE = re.compile(r"[a-z0-9_]{2,40}")
_EACH = "granted in each project and group: name one"
_MODE = "with Admin Mode on, an administrator's token needs the scope admin_mode too"
_SETTING = "settings, the licence and whether ours is as high are looked at only when one is created"
_UNTOLD = "GitLab does not tell of itself what this token is"


@dataclass(frozen=True, slots=True)
class _Own:
    """What the token is: `scopes` is None where it has finer rights, `admin` None where GitLab does not say."""

    user: int
    scopes: frozenset[str] | None
    admin: bool | None
    bot: bool

    @property
    def as_admin(self) -> bool | None:
        """Tell whether it works as an administrator's, Admin Mode or not."""
        return (
            True if self.admin and "admin_mode" in (self.scopes or ()) else None if self.admin is not False else False
        )


def of_tokens(gitlab: GitLab, sort: str, number: str) -> Sequence[Permission]:
    """Return what the tokens of a user, a project or a group need."""
    own = _own(gitlab)
    if own is None:
        return _unknown(_TOKENS)
    of_user = f"/personal_access_tokens?user_id={number}&per_page=1"
    path = of_user if sort == "user" else f"/{sort}s/{number}/access_tokens?per_page=1"
    # GitLab says 401 of a user's list that is somebody else's; that it knows our own token was answered before.
    reply = gitlab.read(path)
    if reply.ok and not isinstance(reply.content, list):
        raise unreadable(reply)
    answers = _looked(reply, path, _TOKENS)
    if answers[0].granted is False:
        return answers
    answers += _scope(own, _TOKENS)
    if sort == "user":
        return [*answers, *_for_user(own, number)]
    answers.append(_role(gitlab, own, sort, number, _TOKENS))
    if own.bot:
        needs = "a user's own token"
        answers.append(
            Permission(("issue",), needs, granted=False, why="the token of a project or group makes no others")
        )
    needs = f"{sort}/{number} lets tokens of that role be made"
    return [*answers, Permission(("issue",), needs, granted=None, why=_SETTING)]


def of_variables(gitlab: GitLab, place: Variable) -> Sequence[Permission]:
    """Return what a variable of a project or a group needs."""
    own = _own(gitlab)
    if own is None:
        return _unknown(_VARIABLES)
    reply = gitlab.read(place.path)
    nothing_yet = is_absent(reply) and "Variable Not Found" in said(reply)
    if reply.ok:
        _told(reply, "key", "variable_type")
    answers = _looked(None if nothing_yet else reply, place.all_of_owner, _VARIABLES)
    if answers[0].granted is False:
        return answers
    role = _role(gitlab, own, place.sort.removesuffix("s"), quote(place.owner, safe=""), _VARIABLES)
    return [*answers, *_scope(own, _VARIABLES), role]


def of_all_tokens(gitlab: GitLab) -> Sequence[Permission]:
    """Return what the tokens of everybody need."""
    return _everywhere(gitlab, _TOKENS)


def of_all_variables(gitlab: GitLab) -> Sequence[Permission]:
    """Return what the variables of all projects and groups need."""
    return _everywhere(gitlab, _VARIABLES)


def _everywhere(gitlab: GitLab, changes: tuple[str, ...]) -> Sequence[Permission]:
    own = _own(gitlab)
    if own is None:
        return _unknown(changes)
    granted = own.as_admin or None
    why = "" if granted else f"{_MODE}; {_EACH}" if own.admin else _EACH
    return [*_scope(own, changes), Permission((LOOK, *changes), "an administrator, or a role in each", granted, why)]


def _own(gitlab: GitLab) -> _Own | None:
    """Return what our own token is, None where GitLab does not tell it to this one. Raises Rejected for a dead one."""
    reply = gitlab.read("/personal_access_tokens/self")
    if reply.status in _REFUSED - {HTTPStatus.UNAUTHORIZED}:
        return None
    shown = _told(reply, "id", "user_id", "scopes", "active", "revoked")
    number, listed = shown["user_id"], shown["scopes"]
    if type(number) is not int or not isinstance(listed, list):
        raise unreadable(reply)
    user = gitlab.read("/user")
    person = _told(user, "id", "username") if user.status not in _REFUSED else None
    if person is not None and person["id"] != number:
        raise unreadable(user)
    fine = "granular_scopes" in shown or "granular" in listed
    scopes = None if fine else frozenset(each for each in listed if isinstance(each, str) and _SCOPE.fullmatch(each))
    admin = None if person is None else person.get("is_admin") is True
    return _Own(number, scopes, admin, person is not None and person.get("bot") is True)


def _looked(reply: Reply | None, path: str, changes: tuple[str, ...]) -> list[Permission]:
    """Say whether we may look; what may not be seen may not be changed."""
    needs = f"GET {path.partition('?')[0]}"
    if reply is not None and reply.status in _REFUSED:
        words = f"http_{reply.status} {quoted(reply, said(reply))}"
        return [Permission((LOOK, *changes), needs, granted=False, why=words)]
    if reply is not None and not reply.ok:
        _told(reply)
    return [Permission((LOOK,), needs, granted=True)]


def _scope(own: _Own, changes: tuple[str, ...]) -> list[Permission]:
    if own.scopes is None:
        return [
            Permission(changes, "scope api", granted=None, why="the token has finer rights, which are not asked here")
        ]
    granted = "api" in own.scopes
    return [Permission(changes, "scope api", granted, "" if granted else f"it has {', '.join(sorted(own.scopes))}")]


def _role(gitlab: GitLab, own: _Own, sort: str, number: str, changes: tuple[str, ...]) -> Permission:
    """Say whether its role does. Who is no member and may look nevertheless, does so as an administrator."""
    least, called = _ROLES[sort]
    reply = gitlab.read(f"/{sort}s/{number}/members/all/{own.user}")
    member = reply.content if reply.ok and isinstance(reply.content, Mapping) else {}
    level = member.get("access_level") if member.get("id") == own.user else None
    level = level if type(level) is int else None
    needs = f"role {called} of {sort}/{number}"
    if level is not None and level >= least:
        return Permission(changes, needs, granted=True)
    if own.admin and is_absent(reply):
        return Permission(changes, f"{needs}, or an administrator", granted=True)
    why = (
        f"its access level is {level}, and a custom role may grant it" if level else "it is no member that GitLab shows"
    )
    return Permission(changes, needs, granted=None, why=why)


def _for_user(own: _Own, number: str) -> list[Permission]:
    """Say who may: a user revokes what is his own, and only an administrator makes a token for a user."""
    if str(own.user) != number:  # it has just looked at what is shown to administrators alone
        why = "" if own.admin else "GitLab does not say that it is an administrator's"
        return [Permission(_TOKENS, "an administrator", own.admin or None, why)]
    why = {True: "", False: "only administrators create a user's tokens", None: _MODE}[own.as_admin]
    revokes = Permission(("revoke",), f"a token of user/{number}", granted=True)
    return [revokes, Permission(("issue",), "an administrator", own.as_admin, why)]


def _unknown(changes: tuple[str, ...]) -> list[Permission]:
    return [Permission((LOOK, *changes), "scope api", granted=None, why=_UNTOLD)]


def _told(reply: Reply, *needed: str) -> Mapping[str, Any]:
    with asking():
        return told(reply, *needed)

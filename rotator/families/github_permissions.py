"""What a token may do at GitHub, as far as GitHub tells: whether it is let look, its scopes, and its user's role.

Classic tokens and those of OAuth apps are told their scopes with each answer (`X-OAuth-Scopes`). Fine-grained tokens
and GitHub Apps are told none: `X-Accepted-GitHub-Permissions` says what a call wants, never what the bearer has. Of
these only looking is known, by looking.

A scope gives no more than its user has: GET /repos/OWNER/REPO tells that user's role. A custom role of an organization
may grant what a role lacks, so there a missing role refuses nothing by itself.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from rotator.errors import asking
from rotator.families.github import is_own, message_of, must_tell_limits
from rotator.families.http_wire import Reply
from rotator.families.own_words import heard, quoted, unreadable
from rotator.permissions import LOOK, Permission

Read = Callable[[str], Reply]
"""Reads a path as the rotator."""

_PUT, _AWAY = ("install",), ("uninstall", "revoke")
_WRITE = ("promote", "demote")
_UNTOLD = "GitHub tells nobody what a fine-grained token or an app is granted"
_EACH = "granted for each repository: name one"
_SCOPE = re.compile(r"[a-z_]{2,40}(:[a-z_]{2,40})?")
_LIST_KEYS = frozenset({"read:public_key", "write:public_key", "admin:public_key"})
_ADD_KEYS = _LIST_KEYS - {"read:public_key"}


@dataclass(frozen=True, slots=True)
class _InRepository:
    """What a repository must grant: `role` as its `permissions` name it, `fine` to tokens without scopes."""

    changes: tuple[str, ...]
    role: str
    fine: str


_KEYS = _InRepository((*_PUT, *_AWAY), "admin", "Administration: write")
_COLLABORATORS = _InRepository(("suspend", "resume"), "admin", "Administration: write")
_SECRETS = _InRepository(_WRITE, "push", "Secrets: write")
_OF_ENVIRONMENT = _InRepository(_WRITE, "admin", "Environments: write")


def of_deploy_keys(read: Read, repository: str | None) -> Sequence[Permission]:
    """Return what deploy keys need in a repository, or in all."""
    if repository is None:
        return _anywhere(read, _KEYS)
    seen, answers = _looked(read, f"/repos/{repository}/keys", _KEYS.changes)
    if seen is None:
        return answers
    shown = _told(read(f"/repos/{repository}"), "full_name")
    answers += _changing(seen, shown, repository, _KEYS)
    if _within(shown, "owner").get("type") == "Organization":
        answers.append(_policy(read, repository.partition("/")[0]))
    return answers


def of_collaborators(read: Read, repository: str | None) -> Sequence[Permission]:
    """Return what outside collaborators need in a repository, or in all; who administers it is shown invitations."""
    if repository is None:
        return _anywhere(read, _COLLABORATORS)
    seen, answers = _looked(read, f"/repos/{repository}/collaborators", _COLLABORATORS.changes)
    if seen is None:
        return answers
    invited, of_invited = _looked(read, f"/repos/{repository}/invitations", _COLLABORATORS.changes)
    answers += of_invited
    if invited is None:
        return answers
    shown = _told(read(f"/repos/{repository}"), "full_name")
    return [*answers, *_changing(seen, shown, repository, _COLLABORATORS)]


def of_installations(read: Read, organization: str | None) -> Sequence[Permission]:
    """Return whether the token is shown which apps an organization has installed: its owners are."""
    if organization is None:
        return [Permission((LOOK,), "GET /orgs/ORG/installations", granted=None, why="of each organization: name one")]
    path = f"/orgs/{organization}/installations"
    words = _refused(read(f"{path}?per_page=1"))
    return [Permission((LOOK,), f"GET {path}", words is None, words or "")]


def of_user_keys(read: Read, login: str | None) -> Sequence[Permission]:
    """Return what the keys of a user need; only those of the token's own user can be had."""
    everything = (LOOK, *_PUT, *_AWAY)
    user = read("/user")
    if (words := _refused(user)) is not None:
        return [Permission(everything, "a token of that very user", granted=False, why=words)]
    own = _told(user, "login")["login"]
    if login not in (None, own):
        why = f"ours is of {quoted(user, own)}"
        return [Permission(everything, f"a token of {login}", granted=False, why=why)]
    seen, answers = _looked(read, "/user/keys", (*_PUT, *_AWAY))
    if seen is None:
        return answers
    scopes = _scopes(seen)
    if scopes is None:
        return [*answers, Permission((*_PUT, *_AWAY), "Git SSH keys: write", granted=None, why=_UNTOLD)]
    has = f"the token has {', '.join(sorted(scopes))}"
    for verbs, needs in ((_PUT, _ADD_KEYS), (_AWAY, {"admin:public_key"})):
        granted = bool(scopes & needs)
        answers.append(Permission(verbs, f"scope {' or '.join(sorted(needs))}", granted, "" if granted else has))
    return answers


def of_secrets(
    read: Read, repository: str | None, within: str = "", *, of_environment: bool = False
) -> Sequence[Permission]:
    """Return what a secret of Actions needs; `within` is the path of its list."""
    wanted = _OF_ENVIRONMENT if of_environment else _SECRETS
    if repository is None:
        return _anywhere(read, wanted)
    seen, answers = _looked(read, within, wanted.changes)
    if seen is None:
        return answers
    key = f"{within}/public-key"
    reply = read(key)
    if (words := _refused(reply)) is None:
        _told(reply, "key", "key_id")
    answers.append(Permission((LOOK, *_WRITE), f"GET {key}", words is None, words or ""))
    return [*answers, *_changing(seen, _told(read(f"/repos/{repository}"), "full_name"), repository, wanted)]


def _anywhere(read: Read, wanted: _InRepository) -> list[Permission]:
    """Tell what the scopes do, by a call that counts against no limit; repositories are asked one by one."""
    reply = read("/rate_limit")
    with asking():
        must_tell_limits(reply)
    scopes = _scopes(reply)
    everything = (LOOK, *wanted.changes)
    if scopes is None:
        return [Permission(everything, wanted.fine, granted=None, why=f"{_UNTOLD}; {_EACH}")]
    answers = [Permission(everything, f"permissions.{wanted.role} of a repository", granted=None, why=_EACH)]
    return [_scope(wanted.changes, scopes), *answers]


def _looked(read: Read, path: str, changes: tuple[str, ...]) -> tuple[Reply | None, list[Permission]]:
    """Look at a list. Where that is refused nothing can be changed either: what cannot be seen is not there."""
    reply = read(f"{path}?per_page=1")
    words = _refused(reply)
    if words is not None:
        return None, [Permission((LOOK, *changes), f"GET {path}", granted=False, why=words)]
    listed = reply.content.get("secrets") if isinstance(reply.content, Mapping) else reply.content
    if not isinstance(listed, list) or not all(isinstance(each, Mapping) for each in listed):
        raise unreadable(reply)
    return reply, [Permission((LOOK,), f"GET {path}", granted=True)]


def _changing(seen: Reply, shown: Mapping[str, Any], repository: str, wanted: _InRepository) -> list[Permission]:
    scopes = _scopes(seen)
    if scopes is None:
        return [Permission(wanted.changes, f"{wanted.fine} on {repository}", granted=None, why=_UNTOLD)]
    needs = f"permissions.{wanted.role} of {repository}"
    granted, why = None, "a custom role may grant it"
    if shown.get("archived"):
        why = "it is archived, and so read-only"
    elif _within(shown, "permissions").get(wanted.role) is True:
        granted, why = True, ""
    return [_scope(wanted.changes, scopes), Permission(wanted.changes, needs, granted, why)]


def _scope(changes: tuple[str, ...], scopes: frozenset[str]) -> Permission:
    """Say whether the scope is there that GitHub documents; of a lesser one it does not say that it does not do."""
    if "repo" in scopes:
        return Permission(changes, "scope repo", granted=True)
    return Permission(changes, "scope repo", granted=None, why=f"the token has {', '.join(sorted(scopes))} instead")


def _policy(read: Read, organization: str) -> Permission:
    """Say whether the organization lets deploy keys be made, which it tells to its owners alone."""
    reply = read(f"/orgs/{organization}")
    content = reply.content if reply.ok and isinstance(reply.content, Mapping) else {}
    allowed = content.get("deploy_keys_enabled_for_repositories")
    granted = allowed if isinstance(allowed, bool) else None
    why = {True: "", False: "its setting forbids them", None: "it tells its owners alone"}[granted]
    return Permission(_PUT, f"{organization} allows deploy keys", granted, why)


def _told(reply: Reply, *named: str) -> Mapping[str, Any]:
    """Return the object of a success, in which each of these is a text; raise what another answer means."""
    if not reply.ok:
        with asking():
            raise heard(reply, own=is_own(reply)).refusal()
    content = reply.content
    if not isinstance(content, Mapping) or not all(isinstance(content.get(each), str) for each in named):
        raise unreadable(reply)
    return content


def _within(shown: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = shown.get(name)
    return found if isinstance(found, Mapping) else {}


def _scopes(reply: Reply) -> frozenset[str] | None:
    """Return the scopes that an answer tells; None where it tells none, as to tokens that have no scopes at all."""
    named = {scope.strip() for scope in reply.headers.get("x-oauth-scopes", "").split(",")}
    return frozenset(filter(_SCOPE.fullmatch, named)) or None


def _refused(reply: Reply) -> str | None:
    """Return GitHub's words where it does not let us look, None where it does. Raises what any other answer means."""
    if reply.ok:
        return None
    if reply.status not in {HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND} or not is_own(reply):
        _told(reply)
    return f"http_{reply.status} {quoted(reply, message_of(reply))}".strip()

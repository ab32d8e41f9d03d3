"""Access tokens of one GitLab: of its users (`user/7`), and of the bots of its projects (`project/7`) and groups.

A replacement is created, never got by `rotate`: that ends the old token at once, and asked once more for an old one
(a lost answer, a schedule of the victim's own) it ends the one that was got with it. What somebody has rotated shows
here as absent, and its successor as a sibling.
The rotator's own token needs the scope `api`: of an administrator for the tokens of users, of an Owner or Maintainer
for those of a project or a group, and there of no bot, who can create none.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Any, ClassVar

from rotator.credential import CredentialRef, Issued, Leaked, Secret
from rotator.errors import Rejected, Unavailable, Uncertain
from rotator.families.gitlab import FAMILY, SECRET_FIELD, GitLab, is_absent, told
from rotator.families.gitlab_permissions import of_all_tokens, of_tokens
from rotator.families.gitlab_since import of_place, of_user
from rotator.families.gitlab_tokens import facts_of, state_of, taken_over, why_refused
from rotator.kind import Kind
from rotator.permissions import Permission
from rotator.ports.connection import Connection
from rotator.ports.listing import Discovered, MintedSince
from rotator.ports.provider import Answer, Capability, Provider, State, Status, Verdict
from rotator.rest_kind import RestKind

SETTLE_S = 30.0
"""GitLab names no time; a token is looked up at each request, and a caching proxy before it forgets within seconds."""

_SELF = "/personal_access_tokens/self"
_BOT = re.compile(r"(project|group)_([0-9]+)_bot.*")
_OWNER = re.compile(r"(user|project|group)/([0-9]+)")


def connect(connection: Connection, name: str, rest: RestKind | None = None) -> Provider:
    """Return the provider of one GitLab's tokens."""
    return GitLabToken(connection, name)


class GitLabToken(Kind):
    """Tokens of one GitLab; ids are its own numbers, one row of them for all owners."""

    family: ClassVar[str] = FAMILY
    capability: ClassVar[Capability] = Capability.REVOCABLE
    sends_secret: ClassVar[bool] = True
    nobody: ClassVar[tuple[str, str]] = ("project/0", "0")
    calls: ClassVar[Mapping[str, int]] = {"preserve": 2, "revoke": 2, "issue": 2}
    secret_field: str = SECRET_FIELD
    settle_s = SETTLE_S

    def __init__(self, connection: Connection, name: str) -> None:
        super().__init__(connection, name)
        self._gitlab = GitLab(connection)

    def identify(self, leaked: Leaked) -> CredentialRef:
        """Ask as its bearer which token it is, and as the rotator whose. Without the token, its owner must be told."""
        self._must_belong(leaked, self._gitlab.address)
        if leaked.secret is None:
            if leaked.id and leaked.id.isdigit() and leaked.owner and _OWNER.fullmatch(leaked.owner):
                return self._ref_of(leaked.owner, leaked.id)
            raise Rejected("unreadable", "neither a token nor its number, with its owner as user/7 or project/7")
        reply = self._gitlab.knock(_SELF, leaked.secret)
        if reply.status == HTTPStatus.UNAUTHORIZED:
            if why_refused(reply) is None:
                raise Unavailable("answer_unreadable", "a 401 that is not in GitLab's words")
            raise Rejected("unknown_credential", "GitLab lets no such token in")
        shown = told(reply, "id", "user_id")
        named = str(shown["id"])
        self._must_pair(leaked, named)
        return self._ref_of(self._owner(shown), named)

    def own(self) -> str | None:
        """Return the number of the rotator's own token."""
        return str(told(self._gitlab.read(_SELF), "id")["id"])

    def inspect(self, ref: CredentialRef) -> Status:
        """Return GitLab's view. Raises Rejected("not_this_account") where its project, group or user is not here."""
        found = self._found(ref)
        return Status(State.ABSENT) if found is None else Status(state_of(found), facts_of(found))

    def siblings(self, ref: CredentialRef) -> frozenset[CredentialRef]:
        """Return the living tokens of the user, or of all bots of the project or group."""
        return frozenset(ref.with_id(str(each["id"])) for each in self._listed(ref.owner))

    def verify(self, ref: CredentialRef, secret: Secret) -> Verdict:
        """Ask as the token which one it is: no scope is needed for that. A token without a right to it is inconclusive.

        What was never a token is refused in other words than one that was revoked, which still names no number.
        """
        reply = self._gitlab.knock(_SELF, secret)
        asked = reply.headers.get("x-request-id")
        content = reply.content if isinstance(reply.content, Mapping) else {}
        if reply.status == HTTPStatus.TOO_MANY_REQUESTS:
            raise reply.refusal()
        if reply.status == HTTPStatus.UNAUTHORIZED and (reason := why_refused(reply)) is not None:
            return Verdict(Answer.REJECTED, reason, request_id=asked)
        if not reply.ok or "id" not in content:
            return Verdict(Answer.INCONCLUSIVE, f"http_{reply.status}", request_id=asked)
        if str(content["id"]) != ref.id:
            return Verdict(Answer.INCONCLUSIVE, "another_token", mismatch=True, request_id=asked)
        return Verdict(Answer.ACCEPTED, "self", request_id=asked)

    def revoke(self, ref: CredentialRef) -> None:
        """Revoke it by its number. GitLab deletes the bot of a project's or a group's token with it."""
        if self._found(ref) is None:
            return
        reply = self._gitlab.change("DELETE", self._path(ref))
        if not reply.ok and not is_absent(reply):
            raise reply.refusal()
        if reply.ok and reply.status != HTTPStatus.NO_CONTENT:
            raise Uncertain("answer_unreadable", f"http_{reply.status}")

    def preserve(self, ref: CredentialRef) -> Mapping[str, str]:
        """Return its name, scopes, role and times: what a replacement takes over, and its last use."""
        found = self._found(ref)
        return {"state": State.ABSENT.value} if found is None else {**facts_of(found), **taken_over(found)}

    def minted_since(self, ref: CredentialRef, since: float) -> MintedSince:
        """Return what its user, project or group was given since. See families/gitlab_since.py."""
        sort, number = _at(ref.owner)
        if sort == "user":
            return of_user(self._gitlab, self.name, number, ref.id, since)
        return of_place(self._gitlab, self.name, ref.owner, ref.id, since)

    def issue(self, ref: CredentialRef, marker: str, preserved: Mapping[str, str]) -> Issued:
        """Create a token with the same scopes and role that lives as long as the exposed one was to live, from today.

        Its name is the marker; of a project's or a group's token it is the public name of its bot as well.
        """
        kept = preserved if "scopes" in preserved else self.preserve(ref)
        if "scopes" not in kept:
            raise Rejected("nothing_to_copy", f"nobody kept the scopes of {ref.id}, and GitLab has forgotten it")
        sort, number = _at(ref.owner)
        body: dict[str, Any] = {"name": marker, "scopes": json.loads(kept["scopes"])}
        if days := kept.get("lives_days"):
            body["expires_at"] = (datetime.now(UTC).date() + timedelta(days=int(days))).isoformat()
        if level := kept.get("access_level"):
            body["access_level"] = int(level)
        path = f"/users/{number}/personal_access_tokens" if sort == "user" else _tokens(sort, number)
        reply = self._gitlab.change("POST", path, body)
        made = reply.content if reply.ok and isinstance(reply.content, Mapping) else {}
        if not reply.ok:
            raise reply.refusal()
        if made.get("id") is None or not isinstance(made.get("token"), str):
            raise Uncertain("answer_without_secret", "GitLab said yes without the new token")
        public = {"expires_at": str(made["expires_at"])} if made.get("expires_at") else {}
        return Issued(ref.with_id(str(made["id"])), Secret(made["token"]), public)

    def marked(self, ref: CredentialRef, marker: str) -> CredentialRef | None:
        """Return the owner's living token of that name."""
        found = (each for each in self._listed(ref.owner) if each.get("name") == marker)
        return next((ref.with_id(str(each["id"])) for each in found), None)

    def discover(self) -> Iterable[Discovered]:
        """Yield every living token that our own may see: an administrator's sees all, any other its user's alone."""
        owners: dict[object, str] = {}
        for each in self._gitlab.listed("/personal_access_tokens?state=active"):
            if state_of(each) is State.ACTIVE:
                user = each["user_id"]
                owner = owners.get(user) or owners.setdefault(user, self._owner(each))
                yield Discovered(self._ref_of(owner, str(each["id"])), {**facts_of(each), "state": State.ACTIVE.value})

    def permissions(self, whose: str | None) -> Sequence[Permission]:
        """Look at the owner's list, and say what GitLab tells of the token's scopes and its user's role."""
        gitlab = self._gitlab.exchange()
        return of_all_tokens(gitlab) if whose is None else of_tokens(gitlab, *_at(whose))

    def _found(self, ref: CredentialRef) -> Mapping[str, Any] | None:
        """Return a living token, None for one that is revoked, expired or unknown to its owner."""
        reply = self._gitlab.read(self._path(ref))
        if is_absent(reply):
            self._is_here(ref.owner)
            return None
        found = told(reply, "id", "active", "revoked", "user_id")
        sort, number = _at(ref.owner)
        if sort == "user" and str(found.get("user_id")) != number:
            raise Rejected("not_this_account", f"{ref.id} is not of {ref.owner}")
        return found if state_of(found) is State.ACTIVE else None

    def _is_here(self, owner: str) -> None:
        sort, number = _at(owner)
        reply = self._gitlab.read(f"/{sort}s/{number}")
        if is_absent(reply):
            raise Rejected("not_this_account", f"no {owner} here that our own token may see")
        told(reply, "id")

    def _listed(self, owner: str) -> Iterator[Mapping[str, Any]]:
        sort, number = _at(owner)
        path = f"/personal_access_tokens?user_id={number}&" if sort == "user" else f"{_tokens(sort, number)}?"
        for each in self._gitlab.listed(f"{path}state=active"):
            if "id" not in each:
                raise Unavailable("answer_unreadable", f"a token of {owner} without its number")
            if state_of(each) is State.ACTIVE:
                yield each

    def _path(self, ref: CredentialRef) -> str:
        sort, number = _at(ref.owner)
        if not ref.id.isdigit():
            raise Rejected("malformed_id", "a token's id is a number")
        return f"/personal_access_tokens/{ref.id}" if sort == "user" else f"{_tokens(sort, number)}/{ref.id}"

    def _owner(self, shown: Mapping[str, Any]) -> str:
        """Say whose a token is: the name of a bot tells its project or group; no other name is believed."""
        user = told(self._gitlab.read(f"/users/{shown['user_id']}"), "username")
        found = _BOT.fullmatch(str(user.get("username", ""))) if user.get("bot") is not False else None
        return f"{found[1]}/{found[2]}" if found else f"user/{shown['user_id']}"


def _at(owner: str) -> tuple[str, str]:
    if (found := _OWNER.fullmatch(owner)) is None:
        raise Rejected("malformed_owner", "an owner is user/7, project/7 or group/7")
    return found[1], found[2]


def _tokens(sort: str, number: str) -> str:
    return f"/{sort}s/{number}/access_tokens"

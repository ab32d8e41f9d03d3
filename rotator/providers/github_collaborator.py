"""A grant of GitHub: an outside collaborator of an organization's repository, or somebody who is invited to be one.

It has no secret of ours, so there is nothing to knock with: GitHub's list settles it. The owner is OWNER/REPO, the id
OWNER/REPO/LOGIN:NUMBER; a report may leave the number away. A user may take another login at any time, and anybody the
one that he left: the number alone says who it is, and an id without one (of before it was kept) is believed by login.

What GitHub can give back is an invitation, which that user must accept, within seven days; it is said to be one
("invited"), and counts as trust: who is invited needs nobody's leave any more.

To take a collaborator away also deletes his own fork of a private repository, which no invitation brings back.
Members of the organization, and what a team gives, are no grants; who became a member is let in all the same, and is
said to be. The rotator's own token administers the repository (`repo` and `read:org`, or "Administration" and, of an
app, "Members"); it is never taken away itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from http import HTTPStatus
from typing import ClassVar

from rotator.credential import CredentialRef, Leaked, Secret
from rotator.errors import Rejected, Unavailable, asking
from rotator.families.github_keys import GitHubKeys, object_of, refusal, told
from rotator.families.github_permissions import of_collaborators
from rotator.kind import Kind
from rotator.permissions import Permission
from rotator.ports.connection import Connection
from rotator.ports.listing import Discovered
from rotator.ports.provider import Capability, State, Status, Verdict
from rotator.rest_kind import RestKind

FAMILY = "github"
SETTLE_S = 60.0
"""GitHub answers at once, and says that it may take some time more in the background; it names none."""
ROLE, ACCESS, NUMBER, TRUSTS = "role", "access", "number", "trusts"
INVITED, JOINED, WIDER = "invited, and not yet accepted", "collaborator", "as a member of the organization or of a team"

_SENT_AS = {"read": "pull", "write": "push"}
"""Two roles are set under another name than they are shown by."""
_ID = re.compile(r"([A-Za-z0-9-]+/(?!\.{1,2}/)[A-Za-z0-9._-]+)/([A-Za-z0-9_-]{1,60})(?::([0-9]{1,20}))?")


def connect(connection: Connection, name: str, rest: RestKind | None = None) -> GitHubCollaborator:
    """Return the provider of the repositories that one token administers."""
    return GitHubCollaborator(connection, name)


class GitHubCollaborator(Kind):
    """Outside collaborators, each of one repository."""

    family: ClassVar[str] = FAMILY
    capability: ClassVar[Capability] = Capability.DISABLE_ONLY
    is_grant: ClassVar[bool] = True
    no_knock: ClassVar[str] = "a collaborator comes with a credential of his own"
    no_canary: ClassVar[str] = "somebody would have to be invited for it"
    sends_secret: ClassVar[bool] = False
    nobody: ClassVar[tuple[str, str]] = ("rotator-provider-check/none", "rotator-provider-check/none/nobody")
    calls: ClassVar[Mapping[str, int]] = {"preserve": 6, "verify": 4, "suspend": 4, "resume": 4}
    also_ends: ClassVar[str] = "his own forks of it, where it is private"
    settle_s = SETTLE_S
    secret_field = "login"  # noqa: S105 - the name of a field; nothing is ever delivered

    def __init__(self, connection: Connection, name: str) -> None:
        super().__init__(connection, name)
        self._github = GitHubKeys(connection)

    def identify(self, leaked: Leaked) -> CredentialRef:
        """Name it by repository and user, who is a collaborator from outside or invited. Raises Rejected."""
        self._must_belong(leaked, self._github.address)
        found = _ID.fullmatch(leaked.id or "")
        if found is None:
            raise Rejected("unreadable", "such a grant is OWNER/REPO/LOGIN, or OWNER/REPO/LOGIN:NUMBER")
        facts = _of(self._trusted(found[1]), found[2], found[3])
        if facts is None:
            raise Rejected("unknown_credential", f"{found[2]} is no outside collaborator of {found[1]}")
        was_renamed = found[3] is not None and facts[TRUSTS].casefold() != found[2].casefold()
        return self._ref(found[1], found[2] if was_renamed else facts[TRUSTS], facts[NUMBER])

    def inspect(self, ref: CredentialRef) -> Status:
        """Return ACTIVE for a collaborator, for who is invited, and for who comes in as a member all the same.

        Of one who was taken away GitHub keeps nothing.
        """
        comes_in = self._facts_of_anybody(ref)
        facts = self._facts(ref) or comes_in
        return Status(State.ABSENT) if facts is None else Status(State.ACTIVE, facts)

    def siblings(self, ref: CredentialRef) -> frozenset[CredentialRef]:
        """Return all whom the repository trusts from outside."""
        return frozenset(self._ref(ref.owner, each[TRUSTS], each[NUMBER]) for each in self._trusted(ref.owner))

    def discover(self) -> Iterator[Discovered]:
        """Yield those of every repository that our own token administers. GitHub tells no age and no last use."""
        for each in self._github.listed("/user/repos"):
            may, name = each.get("permissions"), each.get("full_name")
            if not (isinstance(may, Mapping) and may.get("admin") and isinstance(name, str)):
                continue
            for facts in self._trusted(name):
                ref = self._ref(name, facts[TRUSTS], facts[NUMBER])
                yield Discovered(ref, {**facts, "state": State.ACTIVE.value})

    def preserve(self, ref: CredentialRef) -> Mapping[str, str]:
        """Return the role, with which `restore` invites again."""
        return self._facts(ref) or {"state": State.ABSENT.value}

    def suspend(self, ref: CredentialRef) -> None:
        """Take the user away from the repository, or the invitation back.

        Raises Rejected("permission_denied") where he stands there all the same, Rejected("own_principal") of our own.
        """
        facts = self._facts(ref)
        if facts is None:
            return
        login = facts[TRUSTS]
        self._refuse_own(login)
        reply = self._github.change("DELETE", f"/repos/{ref.owner}/collaborators/{login}")
        if reply.status == HTTPStatus.NOT_FOUND:  # he is gone, or our own token may look and no more
            if self._facts(ref) is not None:
                raise Rejected("permission_denied", "our own token may see the collaborator, and not take him away")
        elif not reply.ok:
            raise refusal(reply)

    def restore(self, ref: CredentialRef, preserved: Mapping[str, str]) -> None:
        """Invite the user again, by the login that he has now, with the role that he had.

        Raises Rejected("nothing_preserved") for an unknown one, Rejected("no_such_user") where his account is gone.
        """
        if self._facts(ref) is not None:
            return
        login, role = self._login(ref, preserved.get(NUMBER)), preserved.get(ROLE)
        if login is None:
            raise Rejected("no_such_user", f"GitHub has no user any more who was {_parts(ref)[1]}")
        if not role:
            raise Rejected("nothing_preserved", f"which role {login} had is not known: invite him with the right one")
        body = {"permission": _SENT_AS.get(role, role)}
        reply = self._github.change("PUT", f"/repos/{ref.owner}/collaborators/{login}", body)
        if not reply.ok:
            raise refusal(reply)

    def verify(self, ref: CredentialRef, secret: Secret) -> Verdict:  # noqa: ARG002 - nobody is shown it
        """Raise Rejected("no_knock")."""
        raise Rejected("no_knock", self.no_knock)

    def revoke(self, ref: CredentialRef) -> None:
        """Raise Rejected("unsupported"): what is taken away is kept, so that it can be given back."""
        raise Rejected("unsupported", f"{ref.id} is taken away by suspend: nothing is left to destroy")

    def permissions(self, whose: str | None) -> Sequence[Permission]:
        """Return what our own token may do to a repository's collaborators; of all it tells little."""
        return of_collaborators(self._github.read, whose)

    def _ref(self, repository: str, login: str, number: str) -> CredentialRef:
        return self._ref_of(repository, f"{repository}/{login}:{number}")

    def _facts(self, ref: CredentialRef) -> dict[str, str] | None:
        repository, login, number = _parts(ref)
        return _of(self._trusted(repository), login, number)

    def _facts_of_anybody(self, ref: CredentialRef) -> dict[str, str] | None:
        """Return what is so of who comes in and is no outsider (any more); None for who does not come in."""
        repository, _, number = _parts(ref)
        login = self._login(ref)
        if login is None:
            return None
        reply = self._github.read(f"/repos/{repository}/collaborators/{login}")
        if reply.status == HTTPStatus.NOT_FOUND:
            return None
        with asking():
            told(reply)
        return {TRUSTS: login, ACCESS: WIDER, **({NUMBER: number} if number else {})}

    def _login(self, ref: CredentialRef, preserved: str | None = None) -> str | None:
        """Return by which login the user goes now; None where GitHub has none of that number."""
        _, login, number = _parts(ref)
        if (number := number or preserved) is None:
            return login
        reply = self._github.read(f"/user/{number}")
        if reply.status == HTTPStatus.NOT_FOUND:
            return None
        with asking():
            return str(object_of(reply, "login")["login"])

    def _trusted(self, repository: str) -> list[dict[str, str]]:
        """Return who is trusted from outside, each once, with his role; an invitation that expired lets nobody in."""
        found = {}
        for each in self._github.listed(f"/repos/{repository}/invitations"):
            invitee = each.get("invitee")
            if isinstance(invitee, Mapping) and isinstance(invitee.get("login"), str) and not each.get("expired"):
                who = _who(invitee, repository)
                found[who[NUMBER]] = {**who, ROLE: str(each["permissions"]), ACCESS: INVITED}
        for each in self._github.listed(f"/repos/{repository}/collaborators?affiliation=outside"):
            who = _who(each, repository)
            found[who[NUMBER]] = {**who, ROLE: str(each.get("role_name", "")), ACCESS: JOINED}
        return list(found.values())

    def _refuse_own(self, login: str) -> None:
        """Keep the rotator from taking itself away; an app is no user, and is shown none."""
        user = self._github.read("/user")
        own = user.content.get("login") if user.ok and isinstance(user.content, Mapping) else None
        if isinstance(own, str) and own.casefold() == login.casefold():
            raise Rejected("own_principal", f"the rotator itself acts as {login}")


def _parts(ref: CredentialRef) -> tuple[str, str, str | None]:
    """Return the repository, the login and the user's number. Raises Rejected("unreadable")."""
    found = _ID.fullmatch(ref.id)
    if found is None or found[1] != ref.owner:
        raise Rejected("unreadable", "such a grant is OWNER/REPO/LOGIN:NUMBER, of that very repository")
    return found[1], found[2], found[3]


def _who(user: Mapping[str, object], repository: str) -> dict[str, str]:
    """Return login and number of a user. Raises Unavailable: whom nobody can tell apart is not left out."""
    login, number = user.get("login"), user.get("id")
    if not isinstance(login, str) or not isinstance(number, int):
        raise Unavailable("answer_unreadable", f"the collaborators of {repository}")
    return {TRUSTS: login, NUMBER: str(number)}


def _of(trusted: Sequence[dict[str, str]], login: str, number: str | None) -> dict[str, str] | None:
    """Return what is told of a user, by his number where it is known; GitHub takes logins in either case."""
    if number is not None:
        return next((each for each in trusted if each[NUMBER] == number), None)
    return next((each for each in trusted if each[TRUSTS].casefold() == login.casefold()), None)

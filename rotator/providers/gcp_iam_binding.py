"""A grant of Google Cloud: somebody who has a role, on the connection's project or on one of its service accounts.

It has no secret, so there is nothing to knock with: IAM's word settles it. The owner is what the role is held on, the
project's id or the account's address; the id is OWNER/ROLE/MEMBER as the policy has them, such as
`acme-prod/roles/storage.objectViewer/serviceAccount:sync@vendor.iam.gserviceaccount.com`.

What was inherited from a folder or the organization stands in no policy of the project, and is not seen here. A member
may also have the role through a group. Tokens that were got by impersonating a service account outlive the grant by an
hour as a rule, and nothing here ends them.
The rotator's own credential needs: resourcemanager.projects.{get,set}IamPolicy, iam.serviceAccounts.{get,set}IamPolicy,
and iam.serviceAccounts.list to discover.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import ClassVar

from rotator.credential import CredentialRef, Leaked, Secret
from rotator.errors import MayBeAbsent, Rejected
from rotator.families.gcp import FAMILY, Exchange, Project, listing
from rotator.families.gcp_permissions import on_all, on_one
from rotator.families.gcp_policy import (
    Policy,
    held,
    members,
    policy_of,
    read,
    replace_policy,
    restored,
    service_and_path,
    wider,
    without,
    written,
)
from rotator.kind import Kind
from rotator.permissions import LOOK, Permission
from rotator.ports.connection import Connection
from rotator.ports.listing import Discovered
from rotator.ports.provider import Capability, State, Status, Verdict
from rotator.rest_kind import RestKind

SETTLE_S = 420.0
"""IAM's changes take two minutes as a rule, and up to seven: "Access change propagation" in its documentation."""
PROPAGATION_S = 60.0
TERMS = "terms"
"""Under which name `preserve` keeps the conditions on which the member has the role."""

_CHANGES = ("suspend", "resume")
_ON_PROJECT = {
    "resourcemanager.projects.getIamPolicy": (LOOK, *_CHANGES),
    "resourcemanager.projects.setIamPolicy": _CHANGES,
}
_ON_ACCOUNT = {"iam.serviceAccounts.getIamPolicy": (LOOK, *_CHANGES), "iam.serviceAccounts.setIamPolicy": _CHANGES}

_ID = re.compile(r"([^/\s]+)/((?:(?:projects|organizations)/[^/\s]+/)?roles/[A-Za-z0-9_.]+)/(\S{1,600})")
_EMAIL = re.compile(r"[a-z0-9][a-z0-9.-]*@[a-z0-9.-]+\.gserviceaccount\.com")
_CONVENIENCE = ("projectOwner:", "projectEditor:", "projectViewer:", "deleted:")
"""Members who stand for who has a role elsewhere in the policy, and those who are gone."""


def connect(connection: Connection, name: str, rest: RestKind | None = None) -> GcpIamBinding:
    """Return the provider for one project."""
    return GcpIamBinding(connection, name)


class GcpIamBinding(Kind):
    """Who has which role on one project and its service accounts."""

    family: ClassVar[str] = FAMILY
    capability: ClassVar[Capability] = Capability.DISABLE_ONLY
    is_grant: ClassVar[bool] = True
    no_knock: ClassVar[str] = "a role has no secret: whoever has it comes with his own"
    no_canary: ClassVar[str] = "somebody would be given a role for it"
    sends_secret: ClassVar[bool] = False
    calls: ClassVar[Mapping[str, int]] = {"preserve": 2, "suspend": 2, "resume": 2}
    settle_s = SETTLE_S
    propagation_s = PROPAGATION_S
    secret_field = "member"  # noqa: S105 - the name of a field; nothing is ever delivered

    def __init__(self, connection: Connection, name: str) -> None:
        super().__init__(connection, name)
        self._project = Project(connection)
        self.nobody = (self._project.id, f"{self._project.id}/roles/viewer/user:nobody@rotator-provider-check.invalid")

    def identify(self, leaked: Leaked) -> CredentialRef:
        """Name it by what the role is held on, the role and the member, who must have it.

        Raises Rejected("unreadable") for another form.
        """
        self._must_belong(leaked)
        if (found := _ID.fullmatch(leaked.id or "")) is None:
            raise Rejected("unreadable", "such a grant is PROJECT/ROLE/MEMBER or SERVICE-ACCOUNT/ROLE/MEMBER")
        ref = self._ref_of(found[1], found[0])
        if self.inspect(ref).state is State.ABSENT:
            raise Rejected("unknown_credential", f"{found[3]} has not {found[2]} on {found[1]}")
        return ref

    def inspect(self, ref: CredentialRef) -> Status:
        """Return ACTIVE while the member has the role, by its own name or a wider one, on whatever condition.

        Of one who lost it IAM keeps nothing.
        """
        role, member = _parts(ref)
        policy = self._policy(self._project.exchange(), ref.owner) or {}
        found, also = held(policy, role, member), wider(policy, role, member)
        if not found and not also:
            return Status(State.ABSENT)
        more = {"trusted_also_as": ", ".join(also)} if also else {}
        return Status(State.ACTIVE, {**_facts(role, member, written(found)), **more})

    def siblings(self, ref: CredentialRef) -> frozenset[CredentialRef]:
        """Return all who have a role on the same."""
        policy = self._policy(self._project.exchange(), ref.owner) or {}
        return frozenset(self._ref(ref.owner, role, member) for role, member, _ in members(policy))

    def discover(self) -> Iterator[Discovered]:
        """Yield who has a role on the project, and on each service account; IAM tells no age or last use.

        Left out are the project's own service accounts. Whose people are ours, and which of Google's agents works for
        us, no name tells: they are yielded.
        """
        path = service_and_path(self._project.id, "@")[1].rpartition("/")[0]
        yield from self._outsiders(self._project.id)
        for account in listing(self._project, "iam", path, "accounts"):
            yield from self._outsiders(str(account["email"]))

    def preserve(self, ref: CredentialRef) -> Mapping[str, str]:
        """Return on which conditions the member has the role, from which `restore` gives it back."""
        return self.inspect(ref).facts or {"state": State.ABSENT.value}

    def suspend(self, ref: CredentialRef) -> None:
        """Take the role from the member, whatever the condition. Raises Rejected("own_principal") of our own."""
        role, member = _parts(ref)
        if member == f"serviceAccount:{self._project.own_email()}":
            raise Rejected("own_principal", f"the rotator itself acts as {member}")
        exchange = self._project.exchange()
        policy = self._policy(exchange, ref.owner) or {}
        if held(policy, role, member):
            replace_policy(exchange, self._project.id, ref.owner, without(policy, role, member))

    def restore(self, ref: CredentialRef, preserved: Mapping[str, str]) -> None:
        """Give the role back on its conditions. Raises Rejected("nothing_preserved") where they are not known."""
        role, member = _parts(ref)
        exchange = self._project.exchange()
        policy = self._policy(exchange, ref.owner)
        if policy is None:
            raise Rejected("not_found", f"there is no {ref.owner}")
        terms = [each for each in read(preserved.get(TERMS, "")) if each["role"] == role]
        if not terms:
            raise Rejected("nothing_preserved", f"on which conditions {member} had {role} is not known")
        if written(held(policy, role, member)) != written(terms):
            replace_policy(exchange, self._project.id, ref.owner, restored(policy, terms, member))

    def verify(self, ref: CredentialRef, secret: Secret) -> Verdict:  # noqa: ARG002 - nobody is shown it
        """Raise Rejected("no_knock")."""
        raise Rejected("no_knock", self.no_knock)

    def revoke(self, ref: CredentialRef) -> None:
        """Raise Rejected("unsupported"): what is taken away is kept, so that it can be given back."""
        raise Rejected("unsupported", f"{ref.id} is taken away by suspend: nothing is left to destroy")

    def permissions(self, whose: str | None) -> Sequence[Permission]:
        """Return what is granted on the project's policy, and on those of its service accounts."""
        if whose is None:
            return on_all(self._project, {**_ON_PROJECT, **_ON_ACCOUNT})
        self._refuse_foreign(whose)
        service, path = service_and_path(self._project.id, whose)
        return on_one(self._project, service, path, whose, _ON_ACCOUNT if "@" in whose else _ON_PROJECT)

    def _policy(self, exchange: Exchange, owner: str) -> Policy | None:
        """Return the policy, None where there is no such service account."""
        self._refuse_foreign(owner)
        if owner == self._project.id:
            return policy_of(exchange, self._project.id, owner)
        with MayBeAbsent():
            return policy_of(exchange, self._project.id, owner)
        return None

    def _refuse_foreign(self, owner: str) -> None:
        if owner != self._project.id and not _EMAIL.fullmatch(owner):
            raise Rejected("not_this_account", f"{owner} is neither project {self._project.id} nor a service account")

    def _outsiders(self, owner: str) -> Iterator[Discovered]:
        policy = self._policy(self._project.exchange(), owner) or {}
        for role, member in dict.fromkeys((role, member) for role, member, _ in members(policy)):
            if not self._is_ours(member):
                facts = _facts(role, member, written(held(policy, role, member)))
                yield Discovered(self._ref(owner, role, member), {**facts, "state": State.ACTIVE.value})

    def _is_ours(self, member: str) -> bool:
        own = f"@{self._project.id}.iam.gserviceaccount.com"
        of_project = member.startswith("serviceAccount:") and member.endswith(own)
        return of_project or member.startswith(_CONVENIENCE)

    def _ref(self, owner: str, role: str, member: str) -> CredentialRef:
        return self._ref_of(owner, f"{owner}/{role}/{member}")


def _parts(ref: CredentialRef) -> tuple[str, str]:
    """Return the role and the member. Raises Rejected("unreadable")."""
    found = _ID.fullmatch(ref.id)
    if found is None or found[1] != ref.owner:
        raise Rejected("unreadable", "such a grant is OWNER/ROLE/MEMBER, of that very owner")
    return found[2], found[3]


def _facts(role: str, member: str, terms: str) -> dict[str, str]:
    return {"role": role, "trusts": member, TERMS: terms}

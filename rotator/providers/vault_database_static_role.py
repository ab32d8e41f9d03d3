"""Passwords of database users that Vault and OpenBao keep (static roles). The owner is MOUNT/ROLE.

A user has one password at a time, so its id tells the moment when the server set it: ROLE:TIME. Killing it is setting
another, which takes effect at once and cannot be undone: consumers that do not read the new one from the server are
locked out. PostgreSQL leaves open sessions alone; they are ended by the user itself, entered with its new password.
The rotator's own token needs: read on sys/mounts, MOUNT/static-roles/+, MOUNT/static-creds/+ and MOUNT/config/+, list
on MOUNT/static-roles, update on MOUNT/rotate-role/+.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from http import HTTPStatus
from typing import Any, ClassVar

from rotator.credential import CredentialRef, Leaked, Secret
from rotator.errors import Rejected
from rotator.families.server_login import SECRET_FIELD, tagged
from rotator.families.vault import FAMILY, Reply, Vault
from rotator.families.vault_database import database, handed_out
from rotator.families.vault_mounts import SECRETS, at, kept, nowhere, owners
from rotator.families.vault_needs import DATABASE_STATIC_ROLE
from rotator.families.vault_permissions import permissions_of
from rotator.kind import Kind
from rotator.permissions import Permission
from rotator.ports.connection import Connection
from rotator.ports.listing import Discovered
from rotator.ports.provider import Answer, Capability, Provider, State, Status, Verdict
from rotator.rest_kind import RestKind

SETTLE_S = 2.0
"""PostgreSQL checks a password at every login; a replica of it may lag."""

_COUNTED = "every session of the user, whichever password opened it; consumers come back with the new one"


def connect(connection: Connection, name: str, rest: RestKind | None = None) -> Provider:
    """Return the provider of one server's static roles."""
    return VaultDatabaseStaticRole(connection, name)


class VaultDatabaseStaticRole(Kind):
    """The passwords of one server's static roles."""

    family: ClassVar[str] = FAMILY
    capability: ClassVar[Capability] = Capability.REVOCABLE
    sends_secret: ClassVar[bool] = False
    calls: ClassVar[Mapping[str, int]] = {"preserve": 2, "verify": 2, "revoke": 2, "end_sessions": 3}
    secret_field: str = SECRET_FIELD
    settle_s = SETTLE_S

    def __init__(self, connection: Connection, name: str) -> None:
        super().__init__(connection, name)
        self._vault = Vault(connection)

    def identify(self, leaked: Leaked) -> CredentialRef:
        """Compare the password with those that the server keeps, here; a user's name alone means its current one."""
        self._must_belong(leaked)
        login = None if leaked.secret is None else handed_out(leaked.secret)
        user = (login.name if login else None) or leaked.id
        for owner in [leaked.owner] if leaked.owner and "/" in leaked.owner else self._owners():
            current = self._current(owner)
            ref = self._ref(owner, current)
            if login is None and user in (current["username"], owner, ref.id):
                return ref
            if login is not None and login.password == Secret(str(current["password"])):
                return ref
        raise Rejected("unknown_credential", "no static role has that user, or its password is another by now")

    def inspect(self, ref: CredentialRef) -> Status:
        """Return ACTIVE while the password is the one that the server set at that time."""
        role = self._role(ref.owner)
        facts = kept(role, ("username", "db_name", "last_vault_rotation", "rotation_period"))
        return Status(State.ACTIVE if self._ref(ref.owner, role) == ref else State.ABSENT, facts)

    def siblings(self, ref: CredentialRef) -> frozenset[CredentialRef]:
        """Return the one password that the user has now."""
        return frozenset({self._ref(ref.owner, self._role(ref.owner))})

    def verify(self, ref: CredentialRef, secret: Secret) -> Verdict:
        """Log in at the database itself. An accepted password that was set at another time is another credential."""
        role = self._role(ref.owner)
        there = database(self._vault, at(ref.owner)[0], str(role["db_name"]))
        verdict = there.knock(str(role["username"]), handed_out(secret).password)
        if verdict.answer is Answer.ACCEPTED and self._ref(ref.owner, role) != ref:
            return Verdict(Answer.INCONCLUSIVE, "another_password", mismatch=True)
        return verdict

    def revoke(self, ref: CredentialRef) -> None:
        """Let the server set another password, unless it has since."""
        if self.inspect(ref).state is State.ACTIVE:
            mount, role = at(ref.owner)
            _told(self._vault.change("POST", f"{mount}/rotate-role/{role}", {}))

    def end_sessions(self, ref: CredentialRef) -> Mapping[str, str]:
        """End all sessions of the user but the one that ends them."""
        current = self._current(ref.owner)
        there = database(self._vault, at(ref.owner)[0], str(self._role(ref.owner)["db_name"]))
        cut = there.end_sessions(str(current["username"]), Secret(str(current["password"])))
        return {"sessions_cut": str(cut), "counted": _COUNTED}

    def preserve(self, ref: CredentialRef) -> Mapping[str, str]:
        """Return what the server keeps of the role; it does not know who uses the password."""
        return self.inspect(ref).facts

    def discover(self) -> Iterable[Discovered]:
        """Yield the password of every static role, with the time since when it is so."""
        for owner in self._owners():
            role = self._role(owner)
            facts = {"created_at": str(role["last_vault_rotation"]), "state": str(State.ACTIVE)}
            yield Discovered(self._ref(owner, role), {**facts, **kept(role, ("username", "rotation_period"))})

    def permissions(self, whose: str | None) -> Sequence[Permission]:
        """Return what the policies of the rotator's own token grant for one role, or for all there are."""
        return permissions_of(self._vault, DATABASE_STATIC_ROLE, whose)

    def _owners(self) -> Iterable[str]:
        return owners(self._vault, SECRETS, "database", "static-roles")

    def _role(self, owner: str) -> Mapping[str, Any]:
        mount, role = at(owner)
        return _told(self._vault.read("GET", f"{mount}/static-roles/{role}")).data

    def _current(self, owner: str) -> Mapping[str, Any]:
        mount, role = at(owner)
        return _told(self._vault.read("GET", f"{mount}/static-creds/{role}")).data

    def _ref(self, owner: str, role: Mapping[str, Any]) -> CredentialRef:
        moment = re.sub(r"[-:]", "", str(role.get("last_vault_rotation") or "never"))
        return self._ref_of(owner, tagged(owner.rpartition("/")[2], moment))


def _told(reply: Reply) -> Reply:
    """Return an accepted answer; a role that is not there may stand on another server."""
    unknown = reply.says("unknown role") or reply.says("no static role found")
    if nowhere(reply) or unknown or reply.status == HTTPStatus.NOT_FOUND:
        raise Rejected("not_this_account", "the server has no such static role")
    return reply.accepted()

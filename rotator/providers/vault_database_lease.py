"""Dynamic database logins of Vault and OpenBao. One is named by its lease, its owner is MOUNT/ROLE.

An id that ends with `/creds/ROLE/` means every lease of that role. A lease is revoked with `sync`, so that the answer
comes when the database has dropped the user. Sessions that the user opened live on, unless the role's revocation
statements end them; `preserve` says which. Nothing is issued here: whoever needs a login asks the server for another.
The rotator's own token needs: read on sys/mounts, MOUNT/roles/+ and MOUNT/config/+, update on sys/leases/lookup and
sys/leases/revoke, list and sudo on sys/leases/lookup/MOUNT/*, and update and sudo on sys/leases/revoke-prefix/MOUNT/*.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from http import HTTPStatus
from typing import Any, ClassVar

from rotator.credential import CredentialRef, Leaked, Secret
from rotator.errors import Rejected
from rotator.families.server_login import SECRET_FIELD
from rotator.families.vault import BEGINS_S, FAMILY, Vault
from rotator.families.vault_database import database, handed_out
from rotator.families.vault_mounts import SECRETS, at, kept, mounts, names
from rotator.families.vault_needs import DATABASE_LEASE
from rotator.families.vault_permissions import permissions_of
from rotator.kind import Kind
from rotator.permissions import Permission
from rotator.ports.connection import Connection
from rotator.ports.listing import Discovered
from rotator.ports.provider import Answer, Capability, Provider, State, Status, Verdict
from rotator.rest_kind import RestKind

SETTLE_S = 2.0
"""The answer to a revocation with `sync` comes after the database's own; a replica of it may lag."""

_LEASE = re.compile(r"(?P<mount>.+)/creds/(?P<role>[^/]+)/(?P<one>[^/]*)")
_USERNAME = re.compile(r"v-.*-(?P<role>.{1,8})-[A-Za-z0-9]{20}-(?P<made>\d{10})")
"""The server's own template for PostgreSQL; a site may have another."""


def connect(connection: Connection, name: str, rest: RestKind | None = None) -> Provider:
    """Return the provider of one server's dynamic logins."""
    return VaultDatabaseLease(connection, name)


class VaultDatabaseLease(Kind):
    """Leases of one server's database mounts."""

    family: ClassVar[str] = FAMILY
    capability: ClassVar[Capability] = Capability.REVOCABLE
    sends_secret: ClassVar[bool] = False
    calls: ClassVar[Mapping[str, int]] = {"preserve": 3, "verify": 2, "revoke": 2}
    secret_field: str = SECRET_FIELD
    settle_s = SETTLE_S

    def __init__(self, connection: Connection, name: str) -> None:
        super().__init__(connection, name)
        self._vault = Vault(connection)

    def identify(self, leaked: Leaked) -> CredentialRef:
        """Name the lease by its id, or by the user's name, which tells the role and the second of its making."""
        self._must_belong(leaked)
        if leaked.id and (lease := _LEASE.fullmatch(leaked.id)):
            ref = self._ref_of(f"{lease['mount']}/{lease['role']}", leaked.id)
            if self.inspect(ref).state is State.ABSENT:
                raise Rejected("unknown_credential", "the server has no such lease")
            return ref
        user = (handed_out(leaked.secret).name if leaked.secret is not None else None) or leaked.id
        made = _USERNAME.fullmatch(user or "")
        if made is None:
            raise Rejected("unreadable", "neither a lease id (MOUNT/creds/ROLE/...) nor a user of the usual form")
        found = list(self._made_at(made["role"], int(made["made"])))
        if len(found) > 1:
            raise Rejected("several_leases", "the role handed out several logins in that second: name the lease's id")
        if not found:
            raise Rejected("unknown_credential", "no lease was made when the user's name says")
        return found[0]

    def inspect(self, ref: CredentialRef) -> Status:
        """Return the server's view of the lease, or of all leases of the role."""
        if _is_all(ref):
            living = self.siblings(ref) - {ref}
            return Status(State.ACTIVE if living else State.ABSENT, {"leases": str(len(living))})
        lease = self._lookup(ref)
        return Status(State.ABSENT) if lease is None else Status(State.ACTIVE, _facts(lease))

    def siblings(self, ref: CredentialRef) -> frozenset[CredentialRef]:
        """Return the leases of the role."""
        path = _path(ref)
        found = {ref.with_id(path + name) for name in names(self._vault, f"sys/leases/lookup/{path}")}
        return frozenset(found | ({ref} if found and _is_all(ref) else set()))

    def verify(self, ref: CredentialRef, secret: Secret) -> Verdict:
        """Log in at the database itself. Any login of the role would be let in: the user's name is not in the lease."""
        login = handed_out(secret)
        if login.name is None:
            return Verdict(Answer.INCONCLUSIVE, "username_unknown")
        role = self._role(ref)
        mount = at(ref.owner)[0]
        return database(self._vault, mount, str(role["db_name"])).knock(login.name, login.password)

    def revoke(self, ref: CredentialRef) -> None:
        """Let the server drop the user, and wait until the database has."""
        if self.inspect(ref).state is State.ABSENT:
            return
        if _is_all(ref):
            self._vault.change("POST", f"sys/leases/revoke-prefix/{_path(ref)}", {"sync": True}).accepted()
        else:
            self._vault.change("POST", "sys/leases/revoke", {"lease_id": ref.id, "sync": True}).accepted()

    def preserve(self, ref: CredentialRef) -> Mapping[str, str]:
        """Return the lease's times, and what its revocation ends."""
        statements = " ".join(self._role(ref).get("revocation_statements") or ())
        ends = "the user and its open sessions" if "pg_terminate_backend" in statements.lower() else "the user alone"
        return {**self.inspect(ref).facts, "revoking_ends": ends, "sessions": _SESSIONS[ends]}

    def discover(self) -> Iterable[Discovered]:
        """Yield every lease of every database mount."""
        for owner in self._owners():
            for ref in sorted(self.siblings(self._ref_of(owner, ""))):
                if lease := self._lookup(ref):
                    yield Discovered(ref, {"created_at": str(lease["issue_time"]), "state": "active", **_facts(lease)})

    def permissions(self, whose: str | None) -> Sequence[Permission]:
        """Return what the policies of the rotator's own token grant for one role, or for all that have leases."""
        return permissions_of(self._vault, DATABASE_LEASE, whose)

    def _owners(self) -> Iterator[str]:
        for mount in mounts(self._vault, SECRETS, "database"):
            for role in names(self._vault, f"sys/leases/lookup/{mount}/creds/"):
                yield f"{mount}/{role.rstrip('/')}"

    def _made_at(self, role: str, second: int) -> Iterator[CredentialRef]:
        until = time.monotonic() + BEGINS_S
        for owner in self._owners():
            if owner.rpartition("/")[2][: len(role)] != role:
                continue
            for ref in self.siblings(self._ref_of(owner, "")):
                lease = self._lookup(ref)
                # The user is made first, its lease is noted after; the two may fall into neighbouring seconds.
                if lease and 0 <= _unix(str(lease["issue_time"])) - second <= 1:
                    yield ref
                if time.monotonic() > until:
                    raise Rejected("too_many_leases", "name the lease's id in the report")

    def _lookup(self, ref: CredentialRef) -> Mapping[str, Any] | None:
        if not ref.id.startswith(_path(ref)):
            raise Rejected("not_this_account", f"{ref.id} is no lease of {ref.owner}")
        reply = self._vault.read("POST", "sys/leases/lookup", {"lease_id": ref.id})
        if not reply.says("invalid lease"):
            return reply.accepted().data
        self._role(ref)  # else it may be another server's
        return None

    def _role(self, ref: CredentialRef) -> Mapping[str, Any]:
        mount, role = at(ref.owner)
        reply = self._vault.read("GET", f"{mount}/roles/{role}")
        if reply.status == HTTPStatus.NOT_FOUND:
            raise Rejected("not_this_account", f"the server has no role {ref.owner}")
        return reply.accepted().data


_SESSIONS = {
    "the user and its open sessions": "ended by the role's revocation statements",
    "the user alone": "open ones live on: end them at the database, or let the role's revocation statements do so",
}


def _path(ref: CredentialRef) -> str:
    at(ref.owner)
    mount, _, role = ref.owner.rpartition("/")
    return f"{mount}/creds/{role}/"


def _is_all(ref: CredentialRef) -> bool:
    return ref.id == _path(ref)


def _facts(lease: Mapping[str, Any]) -> dict[str, str]:
    return kept(lease, ("issue_time", "expire_time", "last_renewal", "renewable"))


def _unix(told: str) -> int:
    return int(datetime.fromisoformat(told).timestamp())

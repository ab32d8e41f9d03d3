"""Secret ids of AppRoles of Vault and OpenBao. One is named by its accessor, its owner is MOUNT/ROLE.

A secret id cannot be suspended: containment is its destruction. The tokens that it was exchanged for outlive it, so
they are cut one by one; the server does not keep which secret id a token came from, so all of the role's are cut
whose metadata do not name a living sister that rotator minted. Their holders log in again.
A knock is a login, which spends one of the secret id's uses; the token that it yields is revoked at once.
The rotator's own token needs: read on sys/auth, list on auth/MOUNT/role and auth/MOUNT/role/+/secret-id, read on
auth/MOUNT/role/+ and auth/MOUNT/role/+/role-id, update on auth/MOUNT/role/+/{secret-id,secret-id/lookup,
secret-id-accessor/lookup,secret-id-accessor/destroy} and auth/token/{lookup-accessor,revoke-accessor}, list and sudo
on auth/token/accessors.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, ClassVar

from rotator.credential import CredentialRef, Issued, Leaked, Secret
from rotator.errors import Rejected, Unavailable, Uncertain
from rotator.families.vault import BEGINS_S, FAMILY, Reply, Vault
from rotator.families.vault_accessors import MARKER_KEY, Accessors, is_absent
from rotator.families.vault_mounts import AUTH, at, names, owners
from rotator.families.vault_needs import APPROLE
from rotator.families.vault_permissions import permissions_of
from rotator.families.vault_secret_ids import SECRET_FIELD, facts_of, is_unknown, like, path_of, secret_id_in, told
from rotator.families.vault_since import secret_ids_since
from rotator.kind import Kind
from rotator.permissions import Permission
from rotator.ports.connection import Connection
from rotator.ports.listing import Discovered, MintedSince
from rotator.ports.provider import Answer, Capability, Provider, State, Status, Verdict
from rotator.rest_kind import RestKind

SETTLE_S = 2.0
"""A single node forgets at once; standbys that answer reads follow within moments."""

_COUNTED = "the role's tokens, but for those that name a living sister; the server does not tell whose the others are"


def connect(connection: Connection, name: str, rest: RestKind | None = None) -> Provider:
    """Return the provider of one server's secret ids."""
    return VaultAppRoleSecretId(connection, name)


class VaultAppRoleSecretId(Kind):
    """Secret ids of one server's AppRoles."""

    family: ClassVar[str] = FAMILY
    capability: ClassVar[Capability] = Capability.REVOCABLE
    sends_secret: ClassVar[bool] = True
    calls: ClassVar[Mapping[str, int]] = {"preserve": 2, "verify": 4, "end_sessions": 3, "issue": 3}
    secret_field: str = SECRET_FIELD
    settle_s = SETTLE_S

    def __init__(self, connection: Connection, name: str) -> None:
        super().__init__(connection, name)
        self._vault = Vault(connection)
        self._accessors = Accessors(self._vault)

    def identify(self, leaked: Leaked) -> CredentialRef:
        """Name the secret id by its accessor; each role is asked, or the one that the report names as its owner."""
        self._must_belong(leaked, self._vault.address)
        text = None if leaked.secret is None else secret_id_in(leaked.secret).reveal()
        until = time.monotonic() + BEGINS_S
        for owner in self._roles_of(leaked.owner):
            found = self._by_secret(owner, text) if text is not None else self._lookup(owner, leaked.id or "")
            if found:
                return self._ref_of(owner, str(found["secret_id_accessor"]))
            if time.monotonic() > until:
                raise Rejected("too_many_roles", "name the role in the report, as its owner: MOUNT/ROLE")
        raise Rejected("unknown_credential", "no role of the server knows such a secret id")

    def inspect(self, ref: CredentialRef) -> Status:
        """Return what the role says of it; the server keeps no record of its last use."""
        found = self._lookup(ref.owner, ref.id)
        return Status(State.ABSENT) if found is None else Status(State.ACTIVE, facts_of(found))

    def siblings(self, ref: CredentialRef) -> frozenset[CredentialRef]:
        """Return the role's secret ids."""
        return frozenset(ref.with_id(accessor) for accessor in names(self._vault, f"{path_of(ref.owner)}/secret-id"))

    def verify(self, ref: CredentialRef, secret: Secret) -> Verdict:
        """Log in with it, and revoke the token that comes of it.

        Never names the id: a wrong secret id and one that was destroyed are refused in the same words.
        """
        material = secret_id_in(secret)
        known = self._by_secret(ref.owner, material.reveal())
        if known and known["secret_id_accessor"] != ref.id:
            return Verdict(Answer.INCONCLUSIVE, "another_secret_id", mismatch=True)
        role_id = self._vault.read("GET", f"{path_of(ref.owner)}/role-id").accepted().data.get("role_id")
        body = {"role_id": role_id, "secret_id": material.reveal()}
        reply = self._vault.login(f"auth/{at(ref.owner)[0]}/login", body)
        if reply.ok and reply.body.get("auth"):
            self._leave(reply)
            return Verdict(Answer.ACCEPTED, "login", request_id=reply.request_id)
        # Vault's words since 1.10 are OpenBao's; before, it named the secret id alone.
        if reply.says("invalid role or secret ID") or reply.says("invalid secret id"):
            return Verdict(Answer.REJECTED, "invalid_role_or_secret_id")
        return Verdict(Answer.INCONCLUSIVE, "bound_elsewhere" if reply.says("CIDR") else f"http_{reply.status}")

    def revoke(self, ref: CredentialRef) -> None:
        """Destroy it for good. Its tokens live on until `end_sessions`."""
        path = f"{path_of(ref.owner)}/secret-id-accessor/destroy"
        reply = self._vault.change("POST", path, {"secret_id_accessor": ref.id})
        if not is_unknown(reply):
            told(reply)

    def end_sessions(self, ref: CredentialRef) -> Mapping[str, str]:
        """Revoke the tokens that may have come of it, with their leases.

        Raises Rejected("batch_tokens") where the role hands out tokens that nobody can revoke, and
        Unavailable("more_tokens_to_cut") when there are more than one call's time allows.
        """
        role = told(self._vault.read("GET", path_of(ref.owner))).data
        if role.get("token_type") == "batch":
            raise Rejected("batch_tokens", f"they cannot be revoked and live {role.get('token_ttl')} s at most")
        mount, name = ref.owner.rpartition("/")[::2]
        until = time.monotonic() + BEGINS_S
        mine = {
            accessor: holder.marker
            for accessor, holder in self._accessors.read().items()
            if (holder.path, holder.role) == (f"auth/{mount}/login", name)
        }
        sisters = self._markers(ref) if any(mine.values()) else {}
        own = self._accessors.own()
        cut = 0
        for accessor, marker in mine.items():
            if accessor == own or (marker and sisters.get(marker, ref.id) != ref.id):
                continue
            if time.monotonic() > until:
                raise Unavailable("more_tokens_to_cut", f"{cut} of at most {len(mine)} are cut", retry_after=1)
            reply = self._vault.change("POST", "auth/token/revoke-accessor", {"accessor": accessor})
            if not is_absent(reply):
                reply.accepted()
            cut += 1
        return {"tokens_cut": str(cut), "counted": _COUNTED, "spared_own_token": str(own in mine).lower()}

    def preserve(self, ref: CredentialRef) -> Mapping[str, str]:
        """Return what a replacement must be like."""
        found = self._lookup(ref.owner, ref.id)
        return {"state": str(State.ABSENT)} if found is None else facts_of(found)

    def issue(self, ref: CredentialRef, marker: str, preserved: Mapping[str, str]) -> Issued:
        """Make another secret id of the role under the same limits; it is delivered with the role's id."""
        exposed = preserved if "creation_time" in preserved else self.preserve(ref)
        if "creation_time" not in exposed:
            raise Rejected("nothing_to_copy", "the exposed secret id is gone and nothing was preserved of it")
        role_id = told(self._vault.read("GET", f"{path_of(ref.owner)}/role-id")).data["role_id"]
        reply = told(self._vault.change("POST", f"{path_of(ref.owner)}/secret-id", like(exposed, marker)))
        if not reply.data.get("secret_id") or not reply.data.get("secret_id_accessor"):
            raise Uncertain("answer_without_secret_id", "the server said yes and gave no secret id")
        made = ref.with_id(str(reply.data["secret_id_accessor"]))
        return Issued(made, Secret(str(reply.data["secret_id"])), {"role_id": str(role_id)})

    def marked(self, ref: CredentialRef, marker: str) -> CredentialRef | None:
        """Return the secret id whose metadata carry the marker."""
        accessor = self._markers(ref).get(marker)
        return None if accessor is None else ref.with_id(accessor)

    def discover(self) -> Iterable[Discovered]:
        """Yield every secret id of every role; the server does not tell when one was last used."""
        for owner in owners(self._vault, AUTH, "approle", "role"):
            for ref in sorted(self.siblings(self._ref_of(owner, ""))):
                if found := self._lookup(owner, ref.id):
                    facts = {"created_at": str(found["creation_time"]), "state": str(State.ACTIVE), **facts_of(found)}
                    yield Discovered(ref, facts)

    def minted_since(self, ref: CredentialRef, since: float) -> MintedSince:
        """Return the role's secret ids made since, by whom the server does not tell."""
        found = ((each.id, self._lookup(ref.owner, each.id) or {}) for each in sorted(self.siblings(ref)))
        return secret_ids_since(self.name, found, ref, since)

    def permissions(self, whose: str | None) -> Sequence[Permission]:
        """Return what the policies of the rotator's own token grant for one role, or for all there are."""
        return permissions_of(self._vault, APPROLE, whose)

    def _roles_of(self, named: str | None) -> Iterator[str]:
        if named and "/" in named:
            yield named
            return
        for owner in owners(self._vault, AUTH, "approle", "role"):
            if not named or owner.rpartition("/")[2] == named:
                yield owner

    def _lookup(self, owner: str, accessor: str) -> Mapping[str, Any] | None:
        path = f"{path_of(owner)}/secret-id-accessor/lookup"
        reply = self._vault.read("POST", path, {"secret_id_accessor": accessor})
        return None if is_unknown(reply) else told(reply).data

    def _by_secret(self, owner: str, text: str) -> Mapping[str, Any]:
        """Return what the role says of a secret id by its material, nothing when it does not know it."""
        return told(self._vault.read("POST", f"{path_of(owner)}/secret-id/lookup", {"secret_id": text})).data

    def _markers(self, ref: CredentialRef) -> dict[str, str]:
        """Return the accessors of the role's secret ids that carry a marker, by that."""
        found = {each.id: self._lookup(ref.owner, each.id) or {} for each in self.siblings(ref)}
        told = {accessor: (each.get("metadata") or {}).get(MARKER_KEY) for accessor, each in found.items()}
        return {marker: accessor for accessor, marker in told.items() if marker}

    def _leave(self, reply: Reply) -> None:
        """Revoke the token of a knock; a batch token has no accessor, is known to nobody and ends with its time."""
        if accessor := (reply.body.get("auth") or {}).get("accessor"):
            self._vault.change("POST", "auth/token/revoke-accessor", {"accessor": accessor}).accepted()

"""Versions of transit keys of Vault and OpenBao: owner MOUNT/KEY, id MOUNT/KEY:VERSION.

The server knows one floor for a key, below which it neither decrypts nor checks signatures: so a version is stopped
together with every older one, and `preserve` says which those are. Data that was encrypted under them cannot be read
or rewrapped until the floor is lowered again; rewrap first where that can wait. A thief who also has the ciphertexts
reads them without the server, whatever is done here.
Only exportable keys have material that leaves the server; a replacement is then the next version, exported. Destroying
trims the key, and is refused while an older version lives, since it would go too.
The rotator's own token needs: read on sys/mounts, list on MOUNT/keys, read on MOUNT/keys/+ and MOUNT/export/+/+/+,
update on MOUNT/keys/+/{rotate,config,trim}, MOUNT/decrypt/+ and MOUNT/verify/+.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any, ClassVar

from rotator.credential import CredentialRef, Issued, Leaked, Secret
from rotator.errors import Rejected, Unavailable, Uncertain
from rotator.families.vault import BEGINS_S, FAMILY, Reply, Vault
from rotator.families.vault_mounts import SECRETS, at, kept, nowhere, owners
from rotator.families.vault_needs import TRANSIT
from rotator.families.vault_permissions import permissions_of
from rotator.families.vault_transit import KNOCKABLE, SECRET_FIELD, forge, may_be
from rotator.kind import Kind
from rotator.permissions import Permission
from rotator.ports.connection import Connection
from rotator.ports.listing import Discovered
from rotator.ports.provider import Answer, Capability, Provider, State, Status, Verdict
from rotator.rest_kind import RestKind

SETTLE_S = 2.0
"""A single node reads its configuration at each call; other nodes drop their cached key within moments."""

_ID = re.compile(r"(?P<owner>.+/[^/:]+):(?P<version>[1-9]\d{0,8})")


def connect(connection: Connection, name: str, rest: RestKind | None = None) -> Provider:
    """Return the provider of one server's transit keys."""
    return VaultTransitKey(connection, name)


class VaultTransitKey(Kind):
    """Versions of one server's transit keys."""

    family: ClassVar[str] = FAMILY
    capability: ClassVar[Capability] = Capability.REVOCABLE
    sends_secret: ClassVar[bool] = False
    no_canary: ClassVar[str] = "a new version is what everybody encrypts with from then on"
    calls: ClassVar[Mapping[str, int]] = {
        "preserve": 2,
        "verify": 2,
        "suspend": 4,
        "resume": 3,
        "revoke": 6,
        "issue": 5,
    }
    secret_field: str = SECRET_FIELD
    also_ends: ClassVar[str] = "the older versions of the key"
    settle_s = SETTLE_S

    def __init__(self, connection: Connection, name: str) -> None:
        super().__init__(connection, name)
        self._vault = Vault(connection)

    def identify(self, leaked: Leaked) -> CredentialRef:
        """Name the version that the report names, or the one that takes a forgery by the material for its own work."""
        self._must_belong(leaked)
        if leaked.id and (named := _ID.fullmatch(leaked.id)):
            ref = self._ref(named["owner"], int(named["version"]))
            if self.inspect(ref).state is State.ABSENT:
                raise Rejected("unknown_credential", "the key has no such version")
            return ref
        if leaked.secret is None:
            raise Rejected("unreadable", "neither material nor MOUNT/KEY:VERSION")
        if not any(may_be(kind, leaked.secret) for kind in KNOCKABLE):
            raise Rejected("unreadable", "no key that the server could have exported")
        until = time.monotonic() + BEGINS_S
        for owner in [leaked.owner] if leaked.owner and "/" in leaked.owner else self._owners():
            key = self._key(owner)
            for version in reversed(_living(key)) if may_be(key["type"], leaked.secret) else ():
                if self._knock(owner, key, version, leaked.secret).answer is Answer.ACCEPTED:
                    return self._ref(owner, version)
                if time.monotonic() > until:
                    raise Rejected("too_many_versions", "name it in the report: MOUNT/KEY:VERSION")
        raise Rejected("unknown_credential", "no version that lives is this key")

    def inspect(self, ref: CredentialRef) -> Status:
        """Return SUSPENDED for a version below the floor, ABSENT for one that was trimmed or never made."""
        key, version = self._key(ref.owner), _version(ref)
        return Status(_state(key, version), kept(key, ("type", "latest_version", "min_decryption_version")))

    def siblings(self, ref: CredentialRef) -> frozenset[CredentialRef]:
        """Return the key's versions that the server still holds."""
        key = self._key(ref.owner)
        return frozenset(self._ref(ref.owner, version) for version in _held(key))

    def verify(self, ref: CredentialRef, secret: Secret) -> Verdict:
        """Ask the server to believe a forgery. The refusal of a version below the floor names it, whatever was sent."""
        return self._knock(ref.owner, self._key(ref.owner), _version(ref), secret)

    def suspend(self, ref: CredentialRef) -> None:
        """Raise the floor above it; the key is rotated first if it is the latest version."""
        key, version = self._key(ref.owner), _version(ref)
        if _state(key, version) is State.ACTIVE:
            if key["latest_version"] == version:
                _told(self._change(ref, "rotate", {}))
            self._set_floor(ref, version + 1)

    def resume(self, ref: CredentialRef) -> None:
        """Lower the floor to it. Older versions stay refused: nobody knows from here whether they were."""
        if _state(self._key(ref.owner), _version(ref)) is State.SUSPENDED:
            self._set_floor(ref, _version(ref))

    def revoke(self, ref: CredentialRef) -> None:
        """Trim the key up to it: what was encrypted under it can never be read again.

        Raises Rejected("older_versions_live") while one does: it would be destroyed too.
        """
        key, version = self._key(ref.owner), _version(ref)
        if _state(key, version) is State.ABSENT:
            return
        if older := [each for each in _living(key) if each < version]:
            raise Rejected("older_versions_live", f"versions {older} would be destroyed too: rewrap, and stop them")
        self.suspend(ref)
        if int(key.get("min_encryption_version") or 0) <= version:
            _told(self._change(ref, "config", {"min_encryption_version": version + 1}))
        _told(self._change(ref, "trim", {"min_available_version": version + 1}))

    def preserve(self, ref: CredentialRef) -> Mapping[str, str]:
        """Return how the key stands, and which versions a stop of this one takes along."""
        key, version = self._key(ref.owner), _version(ref)
        also = ",".join(str(each) for each in _living(key) if each < version) or "none"
        kinds = kept(key, ("type", "exportable", "latest_version", "min_decryption_version", "min_encryption_version"))
        return {**kinds, "stopping_it_also_stops": also}

    def issue(self, ref: CredentialRef, marker: str, preserved: Mapping[str, str]) -> Issued:  # noqa: ARG002
        """Rotate the key and export the new version. Raises Rejected("not_exportable") before anything is changed."""
        key = self._key(ref.owner)
        if not key.get("exportable"):
            raise Rejected("not_exportable", "its material never leaves the server: there is nothing to deliver")
        self._exported(ref, key, int(key["latest_version"]))  # whoever may not export must not rotate
        reply = _told(self._change(ref, "rotate", {}))
        try:
            version = int(reply.data.get("latest_version") or self._key(ref.owner)["latest_version"])
            material = self._exported(ref, key, version)
        except (Rejected, Unavailable) as error:
            raise Uncertain("rotated_but_not_exported", error.reason) from None
        return Issued(self._ref(ref.owner, version), material, {"type": str(key["type"])})

    def marked(self, ref: CredentialRef, marker: str) -> CredentialRef | None:  # noqa: ARG002
        """Return None: a version carries nothing but its number."""
        return None

    def discover(self) -> Iterable[Discovered]:
        """Yield every version of every key; the server does not tell when one was last used."""
        for owner in self._owners():
            key = self._key(owner)
            for version in _held(key):
                facts = {"state": str(_state(key, version)), "type": str(key["type"])}
                made = (key.get("keys") or {}).get(str(version))
                facts |= {"created_at": _moment(made)} if made else {}
                yield Discovered(self._ref(owner, version), facts)

    def permissions(self, whose: str | None) -> Sequence[Permission]:
        """Return what the policies of the rotator's own token grant for one key, or for all there are."""
        return permissions_of(self._vault, TRANSIT, whose)

    def _owners(self) -> Iterator[str]:
        return owners(self._vault, SECRETS, "transit", "keys")

    def _key(self, owner: str) -> Mapping[str, Any]:
        mount, name = at(owner)
        return _told(self._vault.read("GET", f"{mount}/keys/{name}")).data

    def _knock(self, owner: str, key: Mapping[str, Any], version: int, secret: Secret) -> Verdict:
        if key["type"] not in KNOCKABLE or key.get("derived"):
            return Verdict(Answer.INCONCLUSIVE, "no_knock_for_this_type")
        forgery = forge(str(key["type"]), version, secret)
        mount, name = at(owner)
        reply = self._vault.read("POST", f"{mount}/{forgery.call}/{name}", forgery.body)
        if reply.ok and reply.data.get(forgery.field) == forgery.believed:
            return Verdict(Answer.ACCEPTED, "forgery_believed", request_id=reply.request_id)
        if reply.says("too old"):
            return Verdict(Answer.REJECTED, "version_too_old", names_id=True)
        if reply.ok or reply.says("authentication failed") or reply.says("signature is invalid"):
            return Verdict(Answer.INCONCLUSIVE, "another_key", mismatch=True, request_id=reply.request_id)
        if reply.status == HTTPStatus.FORBIDDEN:
            reply.accepted()
        return Verdict(Answer.INCONCLUSIVE, "version_too_new" if reply.says("too new") else f"http_{reply.status}")

    def _set_floor(self, ref: CredentialRef, floor: int) -> None:
        body = {"min_decryption_version": floor}
        if 0 < int(self._key(ref.owner).get("min_encryption_version") or 0) < floor:
            body["min_encryption_version"] = floor
        _told(self._change(ref, "config", body))

    def _exported(self, ref: CredentialRef, key: Mapping[str, Any], version: int) -> Secret:
        mount, name = at(ref.owner)
        kind = "encryption-key" if key.get("supports_encryption") else "signing-key"
        told = self._vault.read("GET", f"{mount}/export/{kind}/{name}/{version}").accepted().data
        return Secret(str(told["keys"][str(version)]).strip())

    def _change(self, ref: CredentialRef, verb: str, body: Mapping[str, object]) -> Reply:
        mount, name = at(ref.owner)
        return self._vault.change("POST", f"{mount}/keys/{name}/{verb}", body)

    def _ref(self, owner: str, version: int) -> CredentialRef:
        return self._ref_of(owner, f"{owner}:{version}")


def _told(reply: Reply) -> Reply:
    """Return an accepted answer; a key that is not there may stand on another server."""
    if nowhere(reply) or reply.status == HTTPStatus.NOT_FOUND or reply.says("key not found"):
        raise Rejected("not_this_account", "the server has no such key; if somebody deleted it, all its versions went")
    return reply.accepted()


def _version(ref: CredentialRef) -> int:
    found = _ID.fullmatch(ref.id)
    if found is None or found["owner"] != ref.owner:
        raise Rejected("not_this_account", f"{ref.id} is no version of {ref.owner}")
    return int(found["version"])


def _held(key: Mapping[str, Any]) -> range:
    return range(max(1, int(key.get("min_available_version") or 0)), int(key["latest_version"]) + 1)


def _living(key: Mapping[str, Any]) -> range:
    return range(max(1, int(key["min_decryption_version"])), int(key["latest_version"]) + 1)


def _state(key: Mapping[str, Any], version: int) -> State:
    if version not in _held(key):
        return State.ABSENT
    return State.ACTIVE if version in _living(key) else State.SUSPENDED


def _moment(made: object) -> str:
    if isinstance(made, Mapping):
        return str(made.get("creation_time"))
    return datetime.fromtimestamp(int(str(made)), UTC).isoformat()

"""A version of a secret in an Azure Key Vault: a copy of a value, not a door that the value opens.

Disabling a version lets nobody read it, and can be undone; Key Vault deletes no single version, only a secret with all
of them. Whatever the value opens is closed by its own issuer, in a run of that kind: here nothing is ever proven dead,
and only stated to be out of reach. Whoever names no version is given the newest: so that one is never touched.
A version is named NAME:VERSION. The rotator's own application needs the role Key Vault Secrets Officer, or an access
policy with list, get and set for secrets: a Key Vault can be asked for none of them but the first.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any, ClassVar

from rotator.credential import CredentialRef, Leaked, Secret
from rotator.errors import Rejected, Uncertain
from rotator.families.azure import FAMILY, Tenant, refusal, told
from rotator.families.azure_permissions import of_vault
from rotator.kind import Kind
from rotator.permissions import Permission
from rotator.ports.connection import Connection
from rotator.ports.listing import Discovered
from rotator.ports.provider import Capability, State, Status, Verdict
from rotator.rest_kind import RestKind

API = "api-version=7.4"

_NAME = r"[A-Za-z0-9-]{1,127}"
_ID = re.compile(rf"({_NAME}):([0-9a-f]{{32}})")
_ADDRESS = re.compile(rf"https?://([^/]+)/secrets/({_NAME})(?:/([0-9a-f]{{32}}))?/?")


def connect(connection: Connection, name: str, rest: RestKind | None = None) -> AzureKeyVaultSecret:
    """Return the provider for one vault."""
    return AzureKeyVaultSecret(connection, name)


class AzureKeyVaultSecret(Kind):
    """Versions of one vault's secrets; `owner` is the secret's name in the vault."""

    family: ClassVar[str] = FAMILY
    capability: ClassVar[Capability] = Capability.DISABLE_ONLY
    no_knock: ClassVar[str] = "a copy has no door: what the value opens is tried by its own kind"
    sends_secret: ClassVar[bool] = False
    calls: ClassVar[Mapping[str, int]] = {"preserve": 2, "suspend": 2, "resume": 2}
    secret_field: str = "value"  # noqa: S105 - the name of a field

    def __init__(self, connection: Connection, name: str) -> None:
        super().__init__(connection, name)
        self._tenant = Tenant(connection)

    def identify(self, leaked: Leaked) -> CredentialRef:
        """Name the version that holds the value: each is read with our own credential, and compared here.

        Without the value, the report must name the version (NAME:VERSION, or its whole address). Raises
        Rejected("unreadable") for neither, Rejected("unknown_credential") when no enabled version holds that value.
        """
        name, version = self._told(leaked)
        if name is None or (leaked.secret is None and version is None):
            raise Rejected("unreadable", "name the secret, and its version or its value")
        for each in self._versions(name):
            if version in (None, _version(each)) and (leaked.secret is None or self._holds(name, each, leaked.secret)):
                return self._ref_of(name, f"{name}:{_version(each)}")
        raise Rejected("unknown_credential", f"no version of {name} that can be read holds this value")

    def inspect(self, ref: CredentialRef) -> Status:
        """Return whether the version can be read."""
        return _status(self._found(ref))

    def siblings(self, ref: CredentialRef) -> frozenset[CredentialRef]:
        """Return the secret's versions, disabled ones too."""
        return frozenset(ref.with_id(f"{ref.owner}:{_version(each)}") for each in self._versions(ref.owner))

    def discover(self) -> Iterator[Discovered]:
        """Yield the versions of every secret. Key Vault does not tell when one was last read: its logs do."""
        for secret in self._tenant.listed(self._tenant.vault, f"/secrets?{API}"):
            name = str(secret["id"]).rstrip("/").rpartition("/")[2]
            for each in self._versions(name):
                status = _status(each)
                yield Discovered(
                    self._ref_of(name, f"{name}:{_version(each)}"), {**status.facts, "state": status.state.value}
                )

    def preserve(self, ref: CredentialRef) -> Mapping[str, str]:
        """Return the version's dates, and which one is the newest."""
        versions = self._versions(ref.owner)
        newest = max(versions, key=_made, default=None)
        return {
            **_status(self._of(versions, ref)).facts,
            "versions": str(len(versions)),
            "newest": "none" if newest is None else _version(newest),
        }

    def suspend(self, ref: CredentialRef) -> None:
        """Disable it. Raises Rejected("still_newest") while whoever names no version is given it."""
        versions = self._versions(ref.owner)
        found = self._of(versions, ref)
        if found is None or not _enabled(found):
            return
        if all(_made(each) <= _made(found) for each in versions):
            raise Rejected(
                "still_newest", f"{ref.owner} still gives it to whoever names no version: add the new value first"
            )
        self._set(ref, enabled=False)

    def resume(self, ref: CredentialRef) -> None:
        """Enable it again."""
        self._set(ref, enabled=True)

    def verify(self, ref: CredentialRef, secret: Secret) -> Verdict:  # noqa: ARG002 - it is compared with nothing
        raise Rejected("no_knock", self.no_knock)

    def revoke(self, ref: CredentialRef) -> None:
        raise Rejected("unsupported", f"Key Vault deletes no single version of {ref.owner}")

    def permissions(self, whose: str | None) -> Sequence[Permission]:
        """Return what can be told of one secret, or of the vault: whether it is listed, and no more."""
        path = "/secrets" if whose is None else f"/secrets/{_checked(whose)}/versions"
        return of_vault(self._tenant, f"{path}?{API}&maxresults=1")

    def _set(self, ref: CredentialRef, *, enabled: bool) -> None:
        name, version = _named(ref)
        path = f"/secrets/{name}/{version}?{API}"
        made = told(self._tenant.change("PATCH", self._tenant.vault, path, {"attributes": {"enabled": enabled}}))
        if _attributes(made).get("enabled") is not enabled:
            raise Uncertain("answer_unreadable", f"Key Vault said yes, and not that {ref.id} is so now")

    def _told(self, leaked: Leaked) -> tuple[str | None, str | None]:
        """Return which secret and which version the report names. Raises Rejected for one of another vault."""
        self._must_belong(leaked)
        said = leaked.id or leaked.owner or ""
        if found := _ADDRESS.fullmatch(said):
            ours = self._tenant.address(self._tenant.vault).partition("//")[2]
            if found[1].lower() != ours.lower():
                raise Rejected("not_this_account", f"{found[1]} is not {ours}")
            return found[2], found[3]
        if found := _ID.fullmatch(said):
            return found[1], found[2]
        return (said, None) if re.fullmatch(_NAME, said) else (None, None)

    def _found(self, ref: CredentialRef) -> Mapping[str, Any] | None:
        return self._of(self._versions(ref.owner), ref)

    def _of(self, versions: list[Mapping[str, Any]], ref: CredentialRef) -> Mapping[str, Any] | None:
        _, version = _named(ref)
        return next((each for each in versions if _version(each) == version), None)

    def _versions(self, name: str) -> list[Mapping[str, Any]]:
        """Return a secret's versions; none when the vault has no such secret: its name is its own vault's."""
        try:
            return list(self._tenant.listed(self._tenant.vault, f"/secrets/{_checked(name)}/versions?{API}"))
        except Rejected as refused:
            if refused.reason != f"http_{HTTPStatus.NOT_FOUND}":
                raise
            return []

    def _holds(self, name: str, version: Mapping[str, Any], value: Secret) -> bool:
        if not _enabled(version):
            return False
        reply = self._tenant.read(self._tenant.vault, f"/secrets/{name}/{_version(version)}?{API}")
        if reply.status in {HTTPStatus.NOT_FOUND, HTTPStatus.FORBIDDEN}:
            return False  # disabled meanwhile, or not valid yet
        if not reply.ok:
            raise refusal(reply)
        return isinstance(reply.content, Mapping) and Secret(str(reply.content.get("value"))) == value


def _named(ref: CredentialRef) -> tuple[str, str]:
    found = _ID.fullmatch(ref.id)
    if found is None or found[1] != ref.owner:
        raise Rejected("unreadable", "a version is named NAME:VERSION")
    return found[1], found[2]


def _checked(name: str) -> str:
    if not re.fullmatch(_NAME, name):
        raise Rejected("unreadable", f"{name!r} is no secret's name")
    return name


def _version(listed: Mapping[str, Any]) -> str:
    return str(listed["id"]).rstrip("/").rpartition("/")[2]


def _attributes(listed: Mapping[str, Any]) -> Mapping[str, Any]:
    found = listed.get("attributes")
    return found if isinstance(found, Mapping) else {}


def _enabled(listed: Mapping[str, Any]) -> bool:
    return _attributes(listed).get("enabled") is not False


def _made(listed: Mapping[str, Any]) -> int:
    return int(_attributes(listed).get("created") or 0)


def _status(listed: Mapping[str, Any] | None) -> Status:
    if listed is None:
        return Status(State.ABSENT)
    made = _made(listed)
    facts = {"created_at": datetime.fromtimestamp(made, UTC).isoformat()} if made else {}
    return Status(State.ACTIVE if _enabled(listed) else State.SUSPENDED, facts)

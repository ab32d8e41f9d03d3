"""Key-value secrets, version 2, of Vault and OpenBao: the document's fields are the secret's keys.

`name` is the secret's path; the mount comes from the connection's `mount` setting ("secret" unless set), and a path
that begins with it, as people write it, means the same.

KV has no stages, so a new document waits at `<name>.rotator-staged/<token's digest>`: beneath the same prefix, so
that whoever is counted as a reader of the place is counted as a reader of what waits for it. Promotion copies it to
`<name>` by the server's own check-and-set, notes the version there, and destroys the waiting copy. An empty shell of
it stays, so that the same token never stages twice; it holds the number of the version that it became, no material.
A token that delivers needs, for `<name>` and `<name>.rotator-staged/*`: create, read and update on MOUNT/data/…,
read and update on MOUNT/metadata/…, update on MOUNT/delete/… and MOUNT/destroy/….
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from urllib.parse import quote, unquote

from rotator.credential import Secret
from rotator.errors import Rejected, RotatorError, Uncertain
from rotator.families.one_method import PermittedForEach, PermittedStore
from rotator.families.vault import Reply, Vault
from rotator.families.vault_needs import KV
from rotator.families.vault_permissions import ANY_NAME, Places, Unknown, granted, unasked
from rotator.families.vault_uses import spends
from rotator.permissions import Permission
from rotator.ports.connection import Connection

FAMILY = "vault"

DEFAULT_MOUNT = "secret"
_STAGED = "staged-"
_PROMOTED_AS = "rotator_promoted_as"
_CAS_MISMATCH = "did not match the current version"


def connect(connection: Connection) -> PermittedStore:
    """Return the store of one mount."""
    vault, mount = Vault(connection), _Mount(connection)
    return PermittedForEach(lambda: VaultKv(vault.exchange(), mount))


class _Mount:
    """Where the secrets are, and whether that is known to be a place for them."""

    def __init__(self, connection: Connection) -> None:
        self.path = str(connection.settings.get("mount") or DEFAULT_MOUNT).strip("/")
        self.is_fit = False


@dataclass(frozen=True, slots=True)
class _Entry:
    """What stands at a path: the newest version's number (0: none ever), and its data unless it is deleted."""

    number: int
    data: Mapping[str, Any] | None
    promoted_as: str | None

    @property
    def version(self) -> str | None:
        return str(self.number) if self.data is not None else None


class VaultKv:
    """Secrets of one mount, for one method."""

    def __init__(self, vault: Vault, mount: _Mount) -> None:
        self._vault, self._mount = vault, mount

    def current(self, name: str) -> str | None:
        """Return the newest version's number; a deleted one holds nothing."""
        return self._newest(self._path(name)).version

    def staged(self, name: str, token: str) -> str | None:
        """Return the version staged under the token, promoted since or not."""
        version = _STAGED + _digest(token)
        return version if self._newest(self._waiting(name, version)).number else None

    def stage(self, name: str, document: Secret, token: str) -> str:
        """Write the document where it waits, unless something was ever written there."""
        self._refuse_unfit_mount()
        version = _STAGED + _digest(token)
        reply = self._write(self._waiting(name, version), _fields(document), expected=0)
        if not reply.says(_CAS_MISMATCH):
            reply.accepted()
        return version

    def read(self, name: str, version: str) -> Secret:
        """Return the document of a version; of a staged one that was promoted, what it became."""
        data = self._read(name, version)
        if data is None:
            raise Rejected("not_found", f"{name} has no readable version {version}")
        return Secret(json.dumps(data, sort_keys=True))

    def promote(self, name: str, version: str, expected: str | None) -> str:
        """Copy the waiting document to the name if `expected` is still current there; then destroy the waiting copy.

        A copy that is already current is recognised by its content, so a crash after the write is mended by repeating.
        Raises Uncertain once the write may have happened, until the waiting copy is gone.
        """
        data = self._read(name, version)
        now = self._newest(self._path(name))
        if data is None or (now.data != data and now.version != expected):
            raise Rejected("store_changed", f"{name} holds {_named(now.version)}, not {_named(expected)}")
        number = now.number if now.data == data else self._overwrite(name, data, now.number)
        try:
            self._clear(name, version, number)
        except RotatorError as error:
            raise Uncertain("staged_copy_remains", f"{name} is promoted; {error.reason}") from None
        return str(number)

    def demote(self, name: str, version: str, previous: str | None) -> None:
        """Write the previous document again as the newest, or delete the promoted version when there was none."""
        now = self._newest(self._path(name))
        if now.version != version:
            return
        if previous is None:
            # The version is named, so what another hand writes meanwhile stays.
            self._change("delete", self._path(name), {"versions": [now.number]})
            return
        data = self._read(name, previous)
        if data is None:
            raise Rejected("not_found", f"{name} no longer keeps version {previous}")
        reply = self._write(self._path(name), data, expected=now.number)
        if not reply.says(_CAS_MISMATCH):
            reply.accepted()

    def permissions(self, whose: str | None) -> Sequence[Permission]:
        """Return what the policies of the rotator's own token grant for a name; of all names nobody can tell."""
        if whose is None:
            return unasked(KV, Places((), stand_in="*"), "granted for each path: name one")
        path = self._path(whose)
        place: dict[str, str | Unknown] = {"mount": self._mount.path, "name": unquote(path), "any": ANY_NAME}
        if why := spends(self._vault):
            return unasked(KV, Places((place,), named=True), why)
        try:
            self._refuse_unfit_mount()
            now = self._newest(path)
        except Rejected as refused:
            if refused.reason == "not_kv_v2":
                raise
            place |= dict.fromkeys(("held", "deleted", "absent", "empty"), Unknown())
        else:
            stands = ("held",) if now.version else ("empty", "deleted" if now.number else "absent")
            place |= dict.fromkeys(stands, unquote(path))
        return granted(self._vault, KV, Places((place,), named=True))

    def _overwrite(self, name: str, data: Mapping[str, Any], expected: int) -> int:
        """Write by check-and-set. Whoever was faster may have been this same promotion, begun by another worker."""
        reply = self._write(self._path(name), data, expected)
        if not reply.says(_CAS_MISMATCH):
            return int(reply.accepted().data["version"])
        now = self._newest(self._path(name))
        if now.data != data:
            raise Rejected("store_changed", f"{name} changed while it was promoted")
        return now.number

    def _clear(self, name: str, version: str, number: int) -> None:
        waiting = self._waiting(name, version)
        # The note comes first: without it, nothing would lead from the destroyed copy to the version it became.
        self._change("metadata", waiting, {"custom_metadata": {_PROMOTED_AS: str(number)}})
        self._change("destroy", waiting, {"versions": [1]})

    def _read(self, name: str, version: str) -> Mapping[str, Any] | None:
        if not version.startswith(_STAGED):
            return self._at(self._path(name), version)
        waiting = self._newest(self._waiting(name, version))
        if waiting.data is not None:
            return waiting.data
        return None if waiting.promoted_as is None else self._at(self._path(name), waiting.promoted_as)

    def _at(self, path: str, version: str) -> Mapping[str, Any] | None:
        return _entry(self._vault.read("GET", f"{self._mount.path}/data/{path}?version={quote(version, safe='')}")).data

    def _newest(self, path: str) -> _Entry:
        return _entry(self._vault.read("GET", f"{self._mount.path}/data/{path}"))

    def _write(self, path: str, data: Mapping[str, Any], expected: int) -> Reply:
        body = {"options": {"cas": expected}, "data": dict(data)}
        return self._vault.change("POST", f"{self._mount.path}/data/{path}", body)

    def _change(self, kind: str, path: str, body: Mapping[str, object]) -> None:
        self._vault.change("POST", f"{self._mount.path}/{kind}/{path}", body).accepted()

    def _path(self, name: str) -> str:
        path = name.strip("/").removeprefix(f"{self._mount.path}/")
        if {"", ".", ".."} & set(path.split("/")):
            raise Rejected("bad_name", f"{name} is not a path beneath a mount")
        return quote(path)

    def _waiting(self, name: str, version: str) -> str:
        return f"{self._path(name)}.rotator-staged/{quote(version.removeprefix(_STAGED), safe='')}"

    def _refuse_unfit_mount(self) -> None:
        """Ask once whether the mount is KV version 2: version 1 would take the same calls and keep nonsense."""
        if self._mount.is_fit:
            return
        mount = self._vault.read("GET", f"sys/internal/ui/mounts/{self._mount.path}").accepted().data
        if mount.get("type") != "kv" or (mount.get("options") or {}).get("version") != "2":
            raise Rejected("not_kv_v2", f"{self._mount.path} is not a mount of KV version 2")
        self._mount.is_fit = True


def _entry(reply: Reply) -> _Entry:
    """Read an answer about one path; a deleted version answers 404 with its number."""
    if reply.status != HTTPStatus.NOT_FOUND or reply.errors:
        reply.accepted()
    metadata = reply.data.get("metadata") or {}
    noted = (metadata.get("custom_metadata") or {}).get(_PROMOTED_AS)
    return _Entry(int(metadata.get("version") or 0), reply.data.get("data"), noted)


def _fields(document: Secret) -> Mapping[str, Any]:
    fields = json.loads(document.reveal())
    if not isinstance(fields, dict):
        raise Rejected("unreadable", "a KV secret is made of named fields")
    return fields


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()[:32]


def _named(version: str | None) -> str:
    return "nothing" if version is None else f"version {version}"

"""Secrets of GitHub Actions, which nobody can read back: they follow a place beside them that can be read.

`name` is OWNER/REPO:NAME, OWNER/REPO:NAME@ENVIRONMENT for an environment's, each with #FIELD where a workflow expects
one field alone (`acme/shop:AWS_SECRET_ACCESS_KEY#aws_secret_access_key`); without it the whole document is the secret.
The value is sealed for the repository's own key before it leaves (libsodium's sealed box), so GitHub's interface never
sees it in the open. What it says afterwards is when the secret was written: that is stated, never read back. Whether a
workflow works with it, only a consumer can tell.

The connection's token needs the repository permission "Secrets: write", and "Environments: write" for environments; a
classic one the scope `repo`, and a user who may push (for environments: an administrator).
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from http import HTTPStatus
from typing import Any
from urllib.parse import quote, urlsplit

from nacl.encoding import Base64Encoder
from nacl.exceptions import CryptoError
from nacl.public import PublicKey, SealedBox

from rotator.credential import Secret
from rotator.errors import BadInput, Rejected, Unavailable, asking
from rotator.families.github import API, HEADERS, is_own, later_of
from rotator.families.github_permissions import of_secrets
from rotator.families.http_wire import Reply, Wire
from rotator.families.one_method import CallTime
from rotator.families.own_token import in_header, own_token
from rotator.families.own_words import heard, unreadable
from rotator.permissions import Permission
from rotator.ports.connection import Connection
from rotator.ports.store import WriteOnly

FAMILY = "github"

_NAME = re.compile(
    r"(?P<repository>[A-Za-z0-9._-]+/[A-Za-z0-9._-]+):(?P<name>[A-Za-z_][A-Za-z0-9_]*)"
    r"(?:@(?P<environment>[^#\s][^#]*))?(?:#(?P<field>\w+))?"
)


def connect(connection: Connection) -> WriteOnly:
    """Return the place of one GitHub account. Raises BadInput for an address that is none."""
    return GithubActionsSecret(connection)


class GithubActionsSecret:
    """Secrets of repositories and their environments."""

    def __init__(self, connection: Connection) -> None:
        self._address = (connection.endpoint_url or API).rstrip("/")
        if urlsplit(self._address).scheme not in ("http", "https") or not urlsplit(self._address).hostname:
            raise BadInput("this is no address of GitHub's API", connection.name, f"leave it out: it is {API}")
        self._connection = connection
        self._wire = Wire(self._address, connection.settings.get("ca_file"))

    def current(self, name: str) -> str | None:
        """Return when GitHub says that it was written last, to the second."""
        found, time = _read_name(name), CallTime()
        reply = self._read(found.path, time)
        if reply.status == HTTPStatus.NOT_FOUND:
            self._told(self._read(found.key_path, time), name, "key")  # a repository that nobody sees is no empty place
            return None
        return str(self._told(reply, name, "updated_at")["updated_at"])

    def write(self, name: str, document: Secret) -> str:
        found, time = _read_name(name), CallTime()
        key = self._told(self._read(found.key_path, time), name, "key", "key_id")
        body = {"encrypted_value": _sealed(_chosen(document, found.field), str(key["key"])), "key_id": key["key_id"]}
        reply = self._send("PUT", found.path, time, body)
        if reply.status not in (HTTPStatus.CREATED, HTTPStatus.NO_CONTENT):
            raise _refusal(reply, name)
        return str(self._told(self._read(found.path, time), name, "updated_at")["updated_at"])

    def erase(self, name: str) -> None:
        reply = self._send("DELETE", _read_name(name).path, CallTime())
        if reply.status not in (HTTPStatus.NO_CONTENT, HTTPStatus.NOT_FOUND):
            raise _refusal(reply, name)

    def permissions(self, whose: str | None) -> Sequence[Permission]:
        """Look at the list, and say what GitHub tells of the token's rights to change it."""
        time = CallTime()
        if whose is None:
            return of_secrets(lambda path: self._read(path, time), None)
        found = _read_name(whose)
        at, of_environment = found.within, found.of_environment
        return of_secrets(lambda path: self._read(path, time), found.repository, at, of_environment=of_environment)

    def _read(self, path: str, time: CallTime) -> Reply:
        with asking():
            reply = self._send("GET", path, time)
        return heard(reply, own=is_own(reply))

    def _told(self, reply: Reply, name: str, *needed: str) -> Mapping[str, Any]:
        if not reply.ok:
            with asking():
                raise _refusal(reply, name)
        if not isinstance(reply.content, Mapping) or not set(needed) <= reply.content.keys():
            raise unreadable(reply)
        return reply.content

    def _send(self, method: str, path: str, time: CallTime, body: object = None) -> Reply:
        token = in_header(own_token(self._connection))
        headers = {**HEADERS, "Authorization": f"Bearer {token}"}
        reply = self._wire.send(method, self._address + path, headers, body, within_s=time.left_for(method))
        if (later := later_of(reply)) is not None:
            raise later
        return replace(reply, shown=(token,))


class _Named:
    """Where a secret stands, and which field of the document it is."""

    def __init__(self, found: re.Match[str]) -> None:
        self.repository, self.of_environment = found["repository"], found["environment"] is not None
        within = f"/environments/{quote(found['environment'], safe='')}" if self.of_environment else "/actions"
        self.within = f"/repos/{self.repository}{within}/secrets"
        self.path = f"{self.within}/{found['name']}"
        self.key_path = f"{self.within}/public-key"
        self.field = found["field"]


def _read_name(name: str) -> _Named:
    found = _NAME.fullmatch(name)
    if found is None or found["name"].upper().startswith("GITHUB_"):
        raise Rejected("bad_name", f"{name} is not OWNER/REPO:NAME, with @ENVIRONMENT and #FIELD where they are wanted")
    return _Named(found)


def _chosen(document: Secret, field: str | None) -> bytes:
    if field is None:
        return document.reveal().encode()
    try:
        fields = json.loads(document.reveal())
    except ValueError:
        fields = None
    if not isinstance(fields, dict) or not isinstance(fields.get(field), str):
        raise Rejected("no_such_field", f"the document has no field {field}")
    return str(fields[field]).encode()


def _sealed(value: bytes, key: str) -> str:
    try:
        box = SealedBox(PublicKey(key.encode(), Base64Encoder))
        return box.encrypt(value, Base64Encoder).decode()
    except (ValueError, TypeError, CryptoError):
        raise Unavailable("no_public_key", "GitHub's key for sealing is none") from None


def _refusal(reply: Reply, name: str) -> Exception:
    if reply.status == HTTPStatus.NOT_FOUND:  # GitHub hides behind a 404 what a token may not see
        return Rejected("not_this_account", f"{name}: nothing there that our own token may see")
    return reply.refusal()

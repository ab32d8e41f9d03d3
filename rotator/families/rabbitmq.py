"""What speaks to RabbitMQ as the rotator (its management interface), and how it keeps a password.

A stored password is base64 of a salt of four bytes and the hash of salt and password (rabbitmq.com, "Passwords"). The
salt tells one password of a user from the next; chosen here, it lets the server see a new password at logins alone.
"""

from __future__ import annotations

import hashlib
import hmac
from base64 import b64decode, b64encode
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any
from urllib.parse import quote, urlsplit

from rotator.credential import Secret
from rotator.errors import Rejected, RotatorError, Unavailable, asking
from rotator.families import amqp_knock, server_login
from rotator.families.http_wire import Reply, Wire
from rotator.families.server_login import own_login, read_address
from rotator.ports.connection import Connection
from rotator.ports.provider import Verdict

SETTINGS = server_login.SETTINGS | {"amqp"}
"""Keys of `[[connections]]` that this family knows."""

FAMILY = "rabbitmq"
SALT_BYTES = 4
ALGORITHM = "rabbit_password_hashing_sha256"

_HASHES = {ALGORITHM: "sha256", "rabbit_password_hashing_sha512": "sha512", "rabbit_password_hashing_md5": "md5"}
_SCHEMES = {"https": True, "http": False}


class RabbitMq:
    """Reach one cluster. Safe for many threads at once."""

    def __init__(self, connection: Connection) -> None:
        read_address(connection, _SCHEMES, 15671)
        self._address = str(connection.endpoint_url).rstrip("/")
        parts = urlsplit(self._address)
        usual = f"amqps://{parts.hostname}:5671" if parts.scheme == "https" else f"amqp://{parts.hostname}:5672"
        door = str(connection.settings.get("amqp") or usual)
        self._door = read_address(connection, {"amqps": True, "amqp": False}, 5671, "amqp", door)
        self._connection = connection
        self._wire = Wire(self._address, connection.settings.get("ca_file"))

    def own(self) -> tuple[str, Secret]:
        """Return the rotator's own name and password. Raises Rejected("no_credential")."""
        own = own_login(self._connection)
        if own.name is None:
            raise Rejected("no_credential", f"connection {self._connection.name} names no `user`")
        return own.name, own.password

    def knock(self, name: str, password: Secret) -> Verdict:
        """Log in as an application would."""
        return amqp_knock.knock(self._door, name, password)

    def users(self) -> list[Mapping[str, Any]]:
        """Return all users."""
        found = self._asked("/api/users").content
        return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []

    def user(self, name: str) -> Mapping[str, Any] | None:
        """Return one user, None where there is none."""
        reply = self._asked(f"/api/users/{quote(name, safe='')}", none=True)
        return reply.content if isinstance(reply.content, dict) and reply.ok else None

    def own_tags(self) -> tuple[str, ...]:
        """Return the tags of the rotator's own user, which say what it may do; none where they do not let it ask."""
        try:
            found = self._asked("/api/whoami").content
        except Rejected as error:
            if error.reason != "permission_denied":
                raise
            return ()
        tags = found.get("tags") if isinstance(found, dict) else None
        return tuple(map(str, tags)) if isinstance(tags, list) else tuple(str(tags or "").split(","))

    def connections(self, name: str) -> int:
        """Return how many connections the user has."""
        found = self._asked(f"/api/connections/username/{quote(name, safe='')}").content
        return len(found) if isinstance(found, list) else 0

    def put_user(self, name: str, stored: str, algorithm: str, tags: object) -> None:
        """Write a user's password and tags, which can only be written together."""
        words = ",".join(map(str, tags)) if isinstance(tags, list) else str(tags or "")
        body = {"password_hash": stored, "hashing_algorithm": algorithm, "tags": words}
        self._changed("PUT", f"/api/users/{quote(name, safe='')}", body)

    def close_connections(self, name: str) -> None:
        """Close all connections of the user, on all nodes."""
        self._changed("DELETE", f"/api/connections/username/{quote(name, safe='')}", None)

    def _asked(self, path: str, *, none: bool = False) -> Reply:
        with asking():
            reply = self._send("GET", path, None)
        if none and reply.status == HTTPStatus.NOT_FOUND and _said(reply, "error") == "Object Not Found":
            return reply
        if reply.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            raise Unavailable(f"http_{reply.status}", self._address)
        if not reply.ok or not isinstance(reply.content, list | dict):
            raise _refused(reply)
        return reply

    def _changed(self, method: str, path: str, body: object) -> None:
        reply = self._send(method, path, body)
        if not reply.ok:
            raise _refused(reply)

    def _send(self, method: str, path: str, body: object) -> Reply:
        name, password = self.own()
        basic = b64encode(f"{name}:{password.reveal()}".encode()).decode()
        headers = {"Authorization": f"Basic {basic}", "X-Reason": "rotator: this user's password was exposed"}
        return self._wire.send(method, self._address + path, headers, body)


def _said(reply: Reply, key: str) -> str:
    return str(reply.content.get(key, "")) if isinstance(reply.content, dict) else ""


def _refused(reply: Reply) -> RotatorError:
    # A user without the tag gets 401 as well: "Not administrator user".
    if reply.status == HTTPStatus.UNAUTHORIZED and _said(reply, "reason").startswith("Not "):
        return Rejected("permission_denied", _said(reply, "reason"))
    return (
        reply.refusal()
        if not reply.ok
        else Rejected("not_rabbitmq", "the answer is not one of its management interface")
    )


def stored(password: Secret, tag: str, algorithm: str = ALGORITHM) -> str:
    """Return what the server shall store. Raises ValueError when the tag is no salt."""
    salt = bytes.fromhex(tag)
    digest = hashlib.new(_HASHES[algorithm], salt + password.reveal().encode(), usedforsecurity=False).digest()
    return b64encode(salt + digest).decode()


def tag_of(user: Mapping[str, Any]) -> str | None:
    """Name a user's password by its salt; None where it has none."""
    kept = str(user.get("password_hash") or "")
    return b64decode(kept)[:SALT_BYTES].hex() if kept else None


def is_of(user: Mapping[str, Any], password: Secret) -> bool:
    """Tell whether this is the user's password."""
    tag, algorithm = tag_of(user), str(user.get("hashing_algorithm"))
    if tag is None or algorithm not in _HASHES:
        return False
    return hmac.compare_digest(stored(password, tag, algorithm), str(user["password_hash"]))

"""What servers share that one enters with a name and a password: addresses, logins, ids, and the end of every call."""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import socket
import ssl
import string
import struct
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from rotator.credential import CredentialRef, Issued, Secret, read_document
from rotator.errors import BadInput, Rejected, Unavailable
from rotator.ports.connection import CALL_DEADLINE_S, CONNECT_TIMEOUT_S, READ_TIMEOUT_S, Connection

SETTINGS = frozenset({"user", "tls", "ca_file"})
"""Keys of `[[connections]]` that all of these families know."""

SECRET_FIELD = "password"  # noqa: S105 - the name of a field
NAME_FIELD = "username"

_ALPHABET = string.ascii_letters + string.digits
_LENGTH = 40
"""Characters of a new password: 238 bits, and nothing that a connection string would have to quote."""
_URI = re.compile(r"[a-z][a-z0-9+.-]*://(?P<name>[^:/@\s]*):(?P<password>\S*)@[^@\s]*", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class ServerAddress:
    """Where a server listens. `tls` is None where the connection says that it is not encrypted."""

    host: str
    port: int
    tls: ssl.SSLContext | None
    ca_file: str | None
    database: str

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


def read_address(
    connection: Connection,
    encrypted: Mapping[str, bool],
    port: int,
    key: str = "endpoint_url",
    given: str | None = None,
) -> ServerAddress:
    """Read an address: `endpoint_url`, or what is `given` under another key.

    `encrypted` says which schemes there are, and whether they mean TLS unless `tls` says no. Raises BadInput.
    """
    where = f"connection {connection.name}"
    mend = f"{key} = {next(iter(encrypted))}://HOST:{port}"
    try:
        parts = urlsplit(given or connection.endpoint_url or "")
        host, named = parts.hostname, parts.port
    except ValueError:
        raise BadInput(f"`{key}` is not an address", where, mend) from None
    if host is None or parts.scheme not in encrypted:
        raise BadInput(f"`{key}` is missing or not one of {', '.join(encrypted)}", where, mend)
    if parts.password is not None:
        raise BadInput(f"`{key}` holds a password", where, "refer to it with `credential`")
    tls, ca_file = connection.settings.get("tls", True), connection.settings.get("ca_file")
    if not isinstance(tls, bool):
        raise BadInput("`tls` is neither true nor false", where, "leave it out: the server is then checked")
    try:
        context = ssl.create_default_context(cafile=str(ca_file) if ca_file else None)
    except OSError:
        raise BadInput("`ca_file` cannot be read", where, "give an absolute path of PEM certificates") from None
    is_encrypted = encrypted[parts.scheme] and tls
    known = str(ca_file) if ca_file else None
    return ServerAddress(host, named or port, context if is_encrypted else None, known, parts.path.strip("/"))


@dataclass(frozen=True, slots=True)
class Login:
    """A name and its password. `name` is None where only the password is known."""

    name: str | None
    password: Secret


def login_in(secret: Secret) -> Login:
    """Read what a report took for the secret: a whole connection string, or the password alone."""
    found = _URI.fullmatch(secret.reveal().strip())
    if found is None:
        return Login(None, secret)
    return Login(unquote(found["name"]) or None, Secret(unquote(found["password"])))


def own_login(connection: Connection) -> Login:
    """Return the rotator's own login, read anew: the document that it delivers, or the password of the setting `user`.

    Raises Rejected("no_credential").
    """
    own, name = connection.credential(), connection.settings.get("user")
    if own is None:
        raise Rejected("no_credential", f"connection {connection.name} has no `credential`")
    if not own.reveal().lstrip().startswith("{"):
        return Login(None if name is None else str(name), own)
    try:
        _, password, public = read_document(own, SECRET_FIELD)
    except ValueError:
        raise Rejected("no_credential", f"connection {connection.name}: not a document of this kind") from None
    return Login(public.get(NAME_FIELD) or (None if name is None else str(name)), password)


def own_named(connection: Connection) -> tuple[str, Secret]:
    """Return the rotator's own name and password, where a server wants both. Raises Rejected("no_credential")."""
    own = own_login(connection)
    if own.name is None:
        raise Rejected("no_credential", f"connection {connection.name} names no `user`")
    return own.name, own.password


def new_password() -> Secret:
    """Make a password that nobody can guess."""
    return Secret("".join(secrets.choice(_ALPHABET) for _ in range(_LENGTH)))


def tagged(name: str, tag: str) -> str:
    """Return the id of one password of a name: a changed password is another credential, and has another id."""
    return f"{name}:{tag}"


def untagged(credential_id: str) -> tuple[str, str]:
    """Return (name, tag) of an id; the tag is empty where the id is a name alone."""
    name, colon, tag = credential_id.rpartition(":")
    return (name, tag) if colon else (credential_id, "")


def issued(ref: CredentialRef, name: str, tag: str, password: Secret) -> Issued:
    """Return a new password as it will be delivered."""
    return Issued(ref.with_id(tagged(name, tag)), password, {NAME_FIELD: name})


@contextlib.contextmanager
def door(address: ServerAddress) -> Iterator[socket.socket]:
    """Stand before a server's door, not yet encrypted, and leave whatever comes. Raises Unavailable without an answer.

    What is no answer in its protocol (a ValueError, an IndexError, a struct.error) counts as none.
    """
    try:
        plain = socket.create_connection((address.host, address.port), CONNECT_TIMEOUT_S)
    except OSError:
        raise Unavailable("unreachable", str(address)) from None
    with plain, cut_off(plain.fileno(), CALL_DEADLINE_S - CONNECT_TIMEOUT_S):
        plain.settimeout(READ_TIMEOUT_S)
        try:
            yield plain
        except (OSError, EOFError, ValueError, IndexError, struct.error):
            raise Unavailable("connection_lost", str(address)) from None


def exactly(wire: socket.socket, size: int) -> bytes:
    """Receive so many bytes. Raises EOFError when fewer come."""
    parts = bytearray()
    while len(parts) < size:
        part = wire.recv(size - len(parts))
        if not part:
            raise EOFError
        parts += part
    return bytes(parts)


@contextlib.contextmanager
def cut_off(descriptor: int, seconds: float) -> Iterator[None]:
    """Shut the socket after so many seconds, whatever a library waits for: an answer that drips is never late."""
    with socket.socket(fileno=os.dup(descriptor)) as held:
        timer = threading.Timer(seconds, _shut, [held])
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()


def _shut(held: socket.socket) -> None:
    with contextlib.suppress(OSError):
        held.shutdown(socket.SHUT_RDWR)

"""Read private keys as reports and stores hold them, and name them, without asking anybody."""

from __future__ import annotations

import base64
import binascii
import json
import re

import asyncssh

from rotator.credential import CredentialRef, Issued, Leaked, Secret
from rotator.errors import Rejected
from rotator.families.authorized_keys import fingerprint, is_fingerprint
from rotator.ports.connection import Connection

_PEM = re.compile(r"(-----BEGIN ([A-Z0-9 ]*PRIVATE KEY)-----)(.*?)(-----END \2-----)", re.DOTALL)
_LOCKED = "Passphrase must be specified"
"""asyncssh has no exception of its own for it."""
_MAGIC = b"openssh-key-v1\0"
SECRET_FIELD = "private_key"  # noqa: S105 - the name of a field
MARK = "rotator:"

_ALGORITHM = "ssh-ed25519"
_ID_SHOWN = 8


def read_private_key(secret: Secret) -> asyncssh.SSHKey:
    """Read a private key: PEM, PEM on one line, or the JSON document in which rotator delivers one.

    Raises Rejected("unreadable") when it is cut off, garbled, or protected by a passphrase. An OpenSSH key holds its
    public half twice; a private half that does not fit it is garbled, and its refusal would prove nothing.
    """
    pem = _pem(secret.reveal())
    try:
        key = asyncssh.import_private_key(pem)
    except ValueError as error:
        if _LOCKED in str(error):
            raise Rejected("unreadable", _protected(pem)) from None
        raise Rejected("unreadable", "the private key is cut off or garbled") from None
    claimed = _public_half(pem)
    if claimed is not None and claimed != key.public_data:
        raise Rejected("unreadable", "the private key does not fit its public half")
    return key


def fingerprint_of(key: asyncssh.SSHKey) -> str:
    """Return the fingerprint of a key's public half."""
    return fingerprint(key.public_data)


def own_key(connection: Connection) -> asyncssh.SSHKey:
    """Return the key that the rotator comes in with, read anew.

    Raises Rejected("no_own_key") or Rejected("own_key_unreadable").
    """
    own = connection.credential()
    if own is None:
        raise Rejected("no_own_key", f"connection {connection.name} names no credential")
    try:
        return read_private_key(own)
    except Rejected as error:
        raise Rejected("own_key_unreadable", error.detail) from None


def made(ref: CredentialRef, comment: str) -> Issued:
    """Make an Ed25519 key in place of another."""
    key = asyncssh.generate_private_key(_ALGORITHM, comment=comment)
    public = key.export_public_key().decode().strip()
    return Issued(ref.with_id(fingerprint_of(key)), Secret(key.export_private_key().decode()), {"public_key": public})


def naming(ref: CredentialRef) -> str:
    """Return a comment that names the key which a new one replaces."""
    return MARK + ref.id.removeprefix("SHA256:")[:_ID_SHOWN]


def name_of(leaked: Leaked) -> str:
    """Return the fingerprint of what leaked, from the material or from the id beside it; both must agree.

    Raises Rejected("unreadable").
    """
    given = leaked.id if leaked.id and is_fingerprint(leaked.id) else None
    if leaked.secret is None:
        if given is None:
            raise Rejected("unreadable", "neither a private key nor a fingerprint (SHA256:...)")
        return given
    derived = fingerprint_of(read_private_key(leaked.secret))
    if given not in (None, derived):
        raise Rejected("unreadable", f"the private key is {derived}, the id beside it says {given}")
    return derived


def _pem(text: str) -> str:
    if text.lstrip().startswith("{"):
        try:
            text = str(json.loads(text)[SECRET_FIELD])
        except (ValueError, KeyError, TypeError):
            raise Rejected("unreadable", f"the document has no {SECRET_FIELD}") from None
    found = _PEM.search(text.replace("\\r", "").replace("\\n", "\n"))
    if found is None:
        raise Rejected("unreadable", "no whole private key: its first or last line is missing")
    begin, _, body, end = found.groups()
    body = body if "\n" in body else "\n".join(body.split())
    return "\n".join([begin, *(line.strip() for line in body.strip("\r\n").split("\n")), end, ""])


def _protected(pem: str) -> str:
    public = _public_half(pem)
    known = f"; it is {fingerprint(public)}, which can be given as an id" if public else ""
    return f"the private key is protected by a passphrase{known}"


def _public_half(pem: str) -> bytes | None:
    """Return the public key that an OpenSSH private key shows openly, or None for other formats."""
    if "OPENSSH" not in pem:
        return None
    try:
        data = base64.b64decode("".join(pem.splitlines()[1:-1]))
    except binascii.Error:
        return None
    if not data.startswith(_MAGIC):
        return None
    position = len(_MAGIC)
    for _ in ("cipher", "derivation", "its options"):
        position += 4 + int.from_bytes(data[position : position + 4], "big")
    position += 4  # the number of keys
    length = int.from_bytes(data[position : position + 4], "big")
    return data[position + 4 : position + 4 + length] or None

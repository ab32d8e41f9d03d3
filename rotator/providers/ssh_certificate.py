"""SSH user certificates, revoked by the hosts' lists of revoked keys. The settings: `families/ssh_revocation.py`.

The material is the private key and its certificate, one after the other or as a JSON document of both. What is revoked
is the key: a thief who has it could get, or hold already, another certificate for it. A host refuses a certificate that
has expired in the same words as one that was revoked.
"""

from __future__ import annotations

import json
import re

import asyncssh

from rotator.credential import Secret
from rotator.errors import Rejected
from rotator.families.ssh_keys import read_private_key
from rotator.families.ssh_revocation import Bearer, RevokedByList
from rotator.ports import Connection
from rotator.rest_kind import RestKind

FAMILY = "ssh"

_CERTIFICATE = re.compile(r"[a-z0-9@.-]+-cert-v01@openssh\.com[ \t]+[A-Za-z0-9+/]+=*")


def connect(connection: Connection, name: str, rest: RestKind | None = None) -> RevokedByList:
    """Return the provider for one connection. Raises BadInput when its settings cannot be used."""
    return RevokedByList(connection, name, read)


def read(secret: Secret) -> Bearer:
    """Read a private key with its certificate. Raises Rejected("unreadable") when one is missing or not the other's."""
    key = read_private_key(secret)
    text = secret.reveal()
    if text.lstrip().startswith("{"):
        text = str(json.loads(text).get("certificate", ""))
    found = _CERTIFICATE.search(text)
    if found is None:
        raise Rejected(
            "unreadable", "no certificate beside the private key: hosts that ask for one refuse it in any case"
        )
    try:
        certificate = asyncssh.import_certificate(found[0])
    except ValueError:
        raise Rejected("unreadable", "the certificate is cut off or garbled") from None
    if certificate.key.public_data != key.public_data:
        raise Rejected("unreadable", "the certificate is for another key")
    return Bearer(key, certificate)

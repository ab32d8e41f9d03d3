"""What lets somebody in at an SSH host: a private key, and a certificate for it where hosts ask for one."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

import asyncssh

from rotator.credential import Secret
from rotator.errors import Rejected
from rotator.families.ssh_keys import read_private_key

_CERTIFICATE = re.compile(r"[a-z0-9@.-]+-cert-v01@openssh\.com[ \t]+[A-Za-z0-9+/]+=*")


@dataclass(frozen=True, slots=True)
class Bearer:
    """What lets somebody in: a private key, with its certificate where the hosts ask for one."""

    key: asyncssh.SSHKey
    certificate: asyncssh.SSHCertificate | None = None

    @property
    def accounts(self) -> tuple[str, ...]:
        """Return the accounts that the certificate names, none without one."""
        return tuple(getattr(self.certificate, "principals", ()))


def certified(secret: Secret) -> Bearer:
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

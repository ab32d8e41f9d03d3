"""SSH user certificates, revoked by the hosts' lists of revoked keys. The settings: `families/ssh_revocation.py`.

The material is the private key and its certificate, one after the other or as a JSON document of both. What is revoked
is the key: a thief who has it could get, or hold already, another certificate for it. A host refuses a certificate that
has expired in the same words as one that was revoked.
"""

from __future__ import annotations

from rotator.families.ssh_bearer import certified
from rotator.families.ssh_revocation import RevokedByList
from rotator.ports.connection import Connection
from rotator.rest_kind import RestKind

FAMILY = "ssh"


def connect(connection: Connection, name: str, rest: RestKind | None = None) -> RevokedByList:
    """Return the provider for one connection. Raises BadInput when its settings cannot be used."""
    return RevokedByList(connection, name, certified)

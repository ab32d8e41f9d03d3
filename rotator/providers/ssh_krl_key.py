"""SSH keys that a command or a directory lets in rather than `authorized_keys`, revoked by the hosts' lists.

What the settings mean: `families/ssh_revocation.py`.
"""

from __future__ import annotations

from rotator.credential import Secret
from rotator.families.ssh_bearer import Bearer
from rotator.families.ssh_keys import read_private_key
from rotator.families.ssh_revocation import RevokedByList
from rotator.ports.connection import Connection
from rotator.rest_kind import RestKind

FAMILY = "ssh"


def connect(connection: Connection, name: str, rest: RestKind | None = None) -> RevokedByList:
    """Return the provider for one connection. Raises BadInput when its settings cannot be used."""
    return RevokedByList(connection, name, read)


def read(secret: Secret) -> Bearer:
    """Read a private key. Raises Rejected("unreadable")."""
    return Bearer(read_private_key(secret))

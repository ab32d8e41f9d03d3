"""Files on this machine.

    folder = "/etc/shop/secrets"

`folder` is where the files stand that a delivery may write; nothing outside it is touched. No credential is used: the
rotator is whoever it runs as.
"""

from __future__ import annotations

from pathlib import Path

from rotator.errors import BadInput
from rotator.ports.connection import Connection

FAMILY = "file"
SETTINGS = frozenset({"folder"})
"""Keys of `[[connections]]` that this family alone knows."""


def folder_of(connection: Connection) -> Path:
    """Return the folder of a connection. Raises BadInput where it names none."""
    given = connection.settings.get("folder")
    if not isinstance(given, str) or not Path(given).is_absolute():
        raise BadInput("`folder` is not an absolute path", f"connection {connection.name}", 'folder = "/etc/shop"')
    return Path(given)

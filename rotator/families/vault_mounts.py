"""Where things stand on a Vault server: an owner is written MOUNT/NAME, since one server has many mounts of a type."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

from rotator.errors import Rejected
from rotator.families.vault import Reply, Vault

AUTH, SECRETS = "sys/auth", "sys/mounts"
"""The two tables of mounts. The rotator's own token needs `read` on the one that a kind asks."""

_SEGMENT = re.compile(r"(?!\.\.?$)[^/\x00-\x1f]+")


def at(owner: str) -> tuple[str, str]:
    """Return the mount's path and the name at it, each ready to stand in a call's path.

    Raises Rejected("not_this_account") for what cannot be such a place.
    """
    mount, _, name = owner.rpartition("/")
    if not _stands(owner) or not mount:
        raise Rejected("not_this_account", f"{owner!r} is no MOUNT/NAME on this server")
    return quote(mount), quote(name, safe="")


def mount_at(owner: str) -> str:
    """Return a mount's path, ready to stand in a call's path, where the owner is the mount itself.

    Raises Rejected("not_this_account") for what cannot be one.
    """
    if not _stands(owner):
        raise Rejected("not_this_account", f"{owner!r} is no mount on this server")
    return quote(owner)


def _stands(path: str) -> bool:
    return all(_SEGMENT.fullmatch(part) for part in path.split("/"))


def mounts(vault: Vault, table: str, kind: str) -> list[str]:
    """Return the paths of the mounts of one type, without their last slash."""
    told = vault.read("GET", table).accepted().data
    return sorted(path.rstrip("/") for path, mount in told.items() if mount.get("type") == kind)


def names(vault: Vault, path: str) -> list[str]:
    """List what stands under a path; nothing there is an empty list."""
    reply = vault.read("LIST", path)
    if reply.status == HTTPStatus.NOT_FOUND and not nowhere(reply):
        return []
    return [str(key) for key in reply.accepted().data.get("keys") or ()]


def owners(vault: Vault, table: str, kind: str, folder: str) -> Iterator[str]:
    """Yield MOUNT/NAME for all that stands in one folder of the mounts of a type: their roles, their keys."""
    for mount in mounts(vault, table, kind):
        prefix = f"auth/{quote(mount)}" if table == AUTH else quote(mount)
        for name in names(vault, f"{prefix}/{folder}"):
            yield f"{mount}/{name}"


def nowhere(reply: Reply) -> bool:
    """Tell whether there is nothing mounted where the call went."""
    return reply.says("no handler for route") or reply.says("unsupported path")


def kept(fields: Mapping[str, Any], names: tuple[str, ...]) -> dict[str, str]:
    """Put some fields of an answer into plain words; what is empty is left out."""
    return {name: str(fields[name]) for name in names if fields.get(name)}

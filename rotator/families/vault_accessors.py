"""Who holds which token: what a Vault server knows of its tokens, read by their accessors and never by the tokens."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from rotator.credential import Secret
from rotator.errors import Unavailable
from rotator.families.vault import BEGINS_S, Reply, Vault

MARKER_KEY = "rotator_marker"


@dataclass(frozen=True, slots=True)
class Holder:
    """What never changes about a token: whose it is, the marker that its minting left, where it came from.

    `path` is where it was minted or logged in, `role` the AppRole's name, `created_at` in ISO 8601, `entity` the
    identity behind it, "" where there is none, all as the server tells them. An `orphan` outlives whoever made it.
    """

    owner: str
    marker: str | None
    path: str = ""
    role: str | None = None
    created_at: str = ""
    entity: str = ""
    orphan: bool = False


def owner_of(token: Mapping[str, Any]) -> str:
    """Name the principal that holds a token: its display name, without the prefix that the server adds.

    Tokens without a name have nothing in common: each is an owner by itself, under its accessor as the server would
    write it in a display name, so that a replacement of that name has the same owner.
    """
    name = str(token.get("display_name") or "").removeprefix("token-")
    if name and name != "token":
        return name
    return re.sub(r"[^a-zA-Z0-9-]", "-", str(token["accessor"])).strip("-")


def lookup(vault: Vault, accessor: str) -> Mapping[str, Any] | None:
    """Return what the server says of a token, None when it knows no such accessor."""
    reply = vault.read("POST", "auth/token/lookup-accessor", {"accessor": accessor})
    return None if is_absent(reply) else reply.accepted().data


def is_absent(reply: Reply) -> bool:
    """Tell whether a lookup was refused because there is no such token: OpenBao says it with 400, Vault with 403."""
    return reply.says("invalid accessor") or reply.status == HTTPStatus.NOT_FOUND


class Accessors:
    """Every token of the server, with its holder.

    The server has no list by owner: it lists accessors alone (which needs `sudo` on auth/token/accessors), and each
    must be looked up. What a lookup tells never changes, so each is made once in the process's life; after that a
    reading costs one call and the lookups of the tokens made since.
    """

    def __init__(self, vault: Vault) -> None:
        self._vault = vault
        self._holders: dict[str, Holder] = {}
        self._lock = threading.Lock()
        self._own: tuple[Secret, str | None] | None = None

    def own(self) -> str | None:
        """Return the accessor of the rotator's own token, asked once for each token; a batch token has none."""
        token = self._vault.own_token()
        known = self._own
        if known is None or known[0] != token:
            told = self._vault.read("GET", "auth/token/lookup-self", token=token).accepted().data
            known = self._own = (token, str(told.get("accessor") or "") or None)
        return known[1]

    def read(self) -> Mapping[str, Holder]:
        """Return the holder of every token that lives now.

        Raises Unavailable("accessors_not_all_read") when there is more to read than one call's time allows: what was
        read is kept, so asking again goes on from there.
        """
        if not self._lock.acquire(timeout=BEGINS_S):
            raise Unavailable("accessors_being_read", "another thread reads the server's tokens", retry_after=1)
        try:
            until = time.monotonic() + BEGINS_S
            listed = self._vault.read("LIST", "auth/token/accessors")
            alive = set() if listed.status == HTTPStatus.NOT_FOUND else set(listed.accepted().data["keys"])
            self._holders = {accessor: self._holders[accessor] for accessor in alive & self._holders.keys()}
            for accessor in alive - self._holders.keys():
                if time.monotonic() > until:
                    left = len(alive) - len(self._holders)
                    raise Unavailable("accessors_not_all_read", f"{left} of {len(alive)} to go", retry_after=1)
                if (token := lookup(self._vault, accessor)) is not None:
                    self._holders[accessor] = _holder(token)
            return dict(self._holders)
        finally:
            self._lock.release()


def _holder(token: Mapping[str, Any]) -> Holder:
    meta = token.get("meta") or {}
    path, created = str(token.get("path") or ""), str(token.get("issue_time") or "")
    entity, orphan = str(token.get("entity_id") or ""), bool(token.get("orphan"))
    return Holder(owner_of(token), meta.get(MARKER_KEY), path, meta.get("role_name"), created, entity, orphan)

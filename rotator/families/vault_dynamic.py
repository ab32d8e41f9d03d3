"""Roles of the database engine of Vault or OpenBao that hand out logins: made beside what is there, tried, taken away.

The rotator's own token needs: create, read, update and delete on MOUNT/roles/ROLE, read on MOUNT/creds/ROLE and
MOUNT/config/DATABASE, update on sys/leases/revoke.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from rotator.credential import Secret
from rotator.errors import BadInput, Rejected, Unavailable
from rotator.families.vault import FAMILY, Vault
from rotator.families.vault_mounts import at
from rotator.ports.connection import Connection

TTL_S, MOST_S = 3600, 86400
ASKS: Mapping[str, str] = {
    "through": "the connection of the Vault or OpenBao",
    "into": "MOUNT/ROLE: the database engine, and what the new role is called there",
    "database": "what the engine calls this database",
}


@dataclass(frozen=True, slots=True)
class EngineRole:
    """A role of an engine: of which server, of which of its databases, and by which statements its logins live."""

    vault: Vault
    server: str
    mount: str
    name: str
    body: Mapping[str, Any]

    @property
    def path(self) -> str:
        return f"{self.mount}/roles/{self.name}"

    @property
    def creds(self) -> str:
        """Return what consumers read."""
        return f"{self.mount}/creds/{self.name}"

    def thing(self) -> dict[str, str]:
        """Return what has to be known to find it again, and to tell it from another."""
        what = f"{self.server}:{self.path}"
        return {"what": what, "through": self.server, "path": self.path, "is": _digest(self.body)}

    def is_there(self) -> bool:
        """Tell whether it is there already. Raises Rejected for one that is another."""
        found = self.vault.read("GET", self.path)
        if found.status == HTTPStatus.NOT_FOUND:
            return False
        self._must_be_the_same(found.accepted().data)
        return True

    def make(self) -> None:
        """Make it. Raises Rejected, also where our own token may not look at what it made."""
        self.vault.change("POST", self.path, self.body).accepted()
        self._must_be_the_same(self.vault.read("GET", self.path).accepted().data)

    @contextlib.contextmanager
    def login(self) -> Iterator[tuple[str, Secret]]:
        """Take one login, and have it revoked at the end of the block; it is gone then, or that raises.

        Raises Unavailable("no_login_made") where the engine fails, which tells no more to who asks.
        """
        try:
            reply = self.vault.read("GET", self.creds).accepted()
        except Unavailable as error:
            what = f"{self.creds} ({error.detail}): may the engine's own user grant all of it? its log says why"
            raise Unavailable("no_login_made" if error.reason == "server_error" else error.reason, what) from None
        user, password = str(reply.data["username"]), Secret(str(reply.data["password"]))
        try:
            yield user, password
        finally:
            lease = {"lease_id": reply.body.get("lease_id"), "sync": True}
            self.vault.change("POST", "sys/leases/revoke", lease).accepted()

    def _must_be_the_same(self, found: Mapping[str, Any]) -> None:
        if other := sorted(each for each, value in self.body.items() if found.get(each) != value):
            what = f"{self.path} is there, and has another {', '.join(other)}: take another name"
            raise Rejected("another_role", what)


def engine_role(
    through: Connection, into: str, database: str, creates: Sequence[str], ends: Sequence[str]
) -> EngineRole:
    """Return a role as it is to be, with logins of an hour. Raises BadInput, or Rejected for no MOUNT/ROLE."""
    if through.family != FAMILY:
        what = f"a connection of {FAMILY} is wanted"
        raise BadInput(what, f"through={through.name}", f"it is one of {through.family}")
    mount, name = at(into)
    body = {"db_name": database, "creation_statements": list(creates), "revocation_statements": list(ends)}
    return EngineRole(Vault(through), through.name, mount, name, {**body, "default_ttl": TTL_S, "max_ttl": MOST_S})


def take_away(through: Connection, thing: Mapping[str, str]) -> bool:
    """Delete a role that was made; return whether it was there. Raises Rejected for one that is another by now."""
    vault = Vault(through)
    found = vault.read("GET", thing["path"])
    if found.status == HTTPStatus.NOT_FOUND:
        return False
    if _digest(found.accepted().data) != thing["is"]:
        raise Rejected("another_role", f"{thing['path']} is not the one that was made")
    vault.change("DELETE", thing["path"], {}).accepted()
    return True


def _digest(body: Mapping[str, Any]) -> str:
    said = [body.get(each) for each in ("db_name", "creation_statements", "revocation_statements", "max_ttl")]
    return hashlib.sha256(json.dumps(said).encode()).hexdigest()

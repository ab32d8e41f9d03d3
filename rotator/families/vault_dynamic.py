"""Roles of the database engine of Vault or OpenBao that hand out logins: made beside what is there, tried, taken away.

A role that was just made is nobody's yet, so each lease of it is of who tries it: a login whose answer was lost is
found in their list, and revoked.
The rotator's own token needs: create, read, update and delete on MOUNT/roles/ROLE, read on MOUNT/creds/ROLE and
MOUNT/config/DATABASE, update on sys/leases/revoke, list and sudo on sys/leases/lookup/MOUNT/creds/ROLE.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from http import HTTPStatus
from typing import Any
from urllib.parse import unquote

from rotator.credential import Secret
from rotator.errors import BadInput, Rejected, Unavailable
from rotator.families.vault import FAMILY, Vault
from rotator.families.vault_mounts import at, names
from rotator.ports.connection import Connection

TTL_S, MOST_S = 3600, 86400
ASKS: Mapping[str, str] = {
    "through": "the connection of the Vault or OpenBao",
    "into": "MOUNT/ROLE: the database engine, and what the new role is called there",
    "database": "what the engine calls this database",
}


class Passing(StrEnum):
    """What is there for a moment: a login that is about to be taken, and one that was, by its name."""

    TRIAL = "trial"
    LOGIN = "login"


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

    def trial(self) -> dict[str, str]:
        """Return what has to be known to find a login that is about to be taken.

        Raises Rejected where one lives already, and where leases are not shown: a lost one would not be found.
        """
        if leases(self.vault, self.creds):
            what = f"logins of an earlier {self.path} live still: take another name, or wait for their end"
            raise Rejected("another_role", what)
        what = f"a login to try {self.server}:{self.creds}"
        return {"sort": Passing.TRIAL, "what": what, "through": self.server, "creds": self.creds}

    @contextlib.contextmanager
    def login(self, named: Callable[[Mapping[str, str]], None]) -> Iterator[tuple[str, Secret]]:
        """Take one login, and have it revoked at the end of the block; it is gone then, or that raises.

        `named` is told by what it is found, before anything is done with it. Raises Unavailable("no_login_made") where
        the engine fails, which tells no more to who asks; Uncertain where the answer is lost.
        """
        reply = self.vault.obtain(self.creds)
        if reply.status == HTTPStatus.INTERNAL_SERVER_ERROR:
            what = f"{self.creds} (HTTP {reply.status}): may the engine's own user grant all of it? its log says why"
            raise Unavailable("no_login_made", what)
        data = reply.accepted().data
        user, password, lease = str(data["username"]), Secret(str(data["password"])), str(reply.body["lease_id"])
        what = f"login {user} of {self.server}:{self.creds}"
        named({"sort": Passing.LOGIN, "what": what, "through": self.server, "lease": lease, "user": user})
        try:
            yield user, password
        finally:
            _revoke(self.vault, lease)

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


def leases(vault: Vault, creds: str) -> list[str]:
    """Return the leases of a role, by their ids. Raises Rejected("permission_denied") where they are not shown."""
    path = f"sys/leases/lookup/{creds}"
    try:
        return [f"{unquote(creds)}/{each}" for each in names(vault, f"{path}/")]
    except Rejected as refusal:
        what = f"{refusal.detail}: without list and sudo on {path} a login whose answer is lost would not be found"
        raise Rejected(refusal.reason, what) from None


def take_away(through: Connection, thing: Mapping[str, str], lives: Callable[[str], bool]) -> bool:
    """Take away a role that was made, or the login that tried it; return whether it was there.

    `lives` tells of an account's name whether the database has it. Raises Rejected("another_role") for a role that is
    another by now, Rejected("lives_on") for a login that is revoked and there.
    """
    vault = Vault(through)
    match thing.get("sort"):
        case Passing.LOGIN:
            _revoke(vault, thing["lease"])
            if lives(thing["user"]):
                raise Rejected("lives_on", f"its lease is revoked, and the database has {thing['user']} still")
            return True
        case Passing.TRIAL:
            there = leases(vault, thing["creds"])
            for each in there:
                _revoke(vault, each)
            return bool(there)
        case _:
            return _deleted(vault, thing)


def _deleted(vault: Vault, thing: Mapping[str, str]) -> bool:
    found = vault.read("GET", thing["path"])
    if found.status == HTTPStatus.NOT_FOUND:
        return False
    if _digest(found.accepted().data) != thing["is"]:
        raise Rejected("another_role", f"{thing['path']} is not the one that was made")
    vault.change("DELETE", thing["path"], {}).accepted()
    return True


def _revoke(vault: Vault, lease: str) -> None:
    """End a lease, and wait until the database has dropped its login; that it is gone already is no error."""
    vault.change("POST", "sys/leases/revoke", {"lease_id": lease, "sync": True}).accepted()


def _digest(body: Mapping[str, Any]) -> str:
    said = [body.get(each) for each in ("db_name", "creation_statements", "revocation_statements", "max_ttl")]
    return hashlib.sha256(json.dumps(said).encode()).hexdigest()

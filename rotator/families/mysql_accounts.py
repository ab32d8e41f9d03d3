"""Accounts of MariaDB as the server keeps them: one has several ways in, which are read and written all at once."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from rotator.errors import Rejected
from rotator.families.mysql import Session
from rotator.families.mysql_knock import NATIVE
from rotator.ports.provider import State

_TAG = 8
_HASH = re.compile(r"\*[0-9A-F]{40}")
_PLUGIN = re.compile(r"\w+")
_ACCOUNTS = "select User as name, Host as host, Priv as priv from mysql.global_priv"


@dataclass(frozen=True, slots=True)
class Clause:
    """One way in."""

    plugin: str
    text: str

    @property
    def tag(self) -> str | None:
        """Name a native password; None for any other way."""
        return self.text[1 : 1 + _TAG].lower() if self.plugin == NATIVE and _HASH.fullmatch(self.text) else None


@dataclass(frozen=True, slots=True)
class Account:
    """One account, with its ways in, in their order."""

    name: str
    host: str
    clauses: tuple[Clause, ...]
    locked: bool
    changed: int

    def __str__(self) -> str:
        return f"{self.name}@{self.host}"

    @property
    def tags(self) -> list[str]:
        return [clause.tag for clause in self.clauses if clause.tag]

    @property
    def state(self) -> State:
        return State.SUSPENDED if self.locked else State.ACTIVE

    def facts(self) -> dict[str, str]:
        ways = ",".join(clause.plugin for clause in self.clauses)
        changed = datetime.fromtimestamp(self.changed, UTC).isoformat() if self.changed else "unknown"
        return {"account": str(self), "ways_in": ways, "account_changed_at": changed}


def every_account(session: Session) -> list[Account]:
    """Return every account of the server; roles are none."""
    found = [_read(row) for row in session.read(_ACCOUNTS)]
    return [each for each in found if each is not None]


def account_of(session: Session, label: str) -> Account | None:
    """Return the account that is called NAME@HOST, None where there is none."""
    name, _, host = label.rpartition("@")
    rows = session.read(_ACCOUNTS + " where User = %s and Host = %s", name, host)
    return _read(rows[0]) if rows else None


def _read(row: Mapping[str, Any]) -> Account | None:
    """Read an account; None for a role. `auth_or` lists the ways in; an empty one there is the account's own."""
    priv = json.loads(row["priv"])
    if priv.get("is_role"):
        return None
    ways = [way or priv for way in priv.get("auth_or") or [priv]]
    clauses = tuple(Clause(way.get("plugin") or NATIVE, way.get("authentication_string") or "") for way in ways)
    changed = int(priv.get("password_last_changed") or 0)
    return Account(row["name"], row["host"], clauses, bool(priv.get("account_locked")), changed)


def write(session: Session, account: Account, clauses: list[Clause]) -> None:
    """Tell the server all ways in. Raises Rejected where one of them cannot be said again as it stands."""
    words, values = [], [account.name, account.host]
    for clause in clauses:
        if not _PLUGIN.fullmatch(clause.plugin):
            raise Rejected("unknown_way_in", f"{account} has one whose name cannot be written")
        words.append(clause.plugin + (" USING %s" if clause.text else ""))
        values += [clause.text] if clause.text else []
    session.change(f"ALTER USER %s@%s IDENTIFIED VIA {' OR '.join(words)}", *values)

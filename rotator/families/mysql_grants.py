"""What a MariaDB account may do, read as statements that give another account the same.

`SHOW GRANTS` tells rights and roles, and with them the hash of the password, which goes no further than here; limits
and what is asked of the way in stand in mysql.global_priv. Who asks needs SELECT on the database `mysql`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from rotator.errors import Rejected
from rotator.families.mysql import Session

_TEXTS = re.compile(r"'(?:[^'\\]|''|\\.)*'")
_LIMITS = {
    "max_questions": "MAX_QUERIES_PER_HOUR",
    "max_updates": "MAX_UPDATES_PER_HOUR",
    "max_connections": "MAX_CONNECTIONS_PER_HOUR",
    "max_user_connections": "MAX_USER_CONNECTIONS",
    "max_statement_time": "MAX_STATEMENT_TIME",
}
_ASKS = {1: "SSL", 2: "X509"}
_NAMED = {"x509_subject": "SUBJECT", "x509_issuer": "ISSUER", "ssl_cipher": "CIPHER"}
_DEFINES = ("CREATE VIEW", "CREATE ROUTINE", "EVENT", "TRIGGER", "ALL PRIVILEGES")


@dataclass(frozen=True, slots=True)
class Grants:
    """What an account has: each right as `GRANT … TO` begins, and its option; the default role; limits and demands."""

    rights: frozenset[tuple[str, str]]
    default_role: str
    ways: str

    def statements(self, account: str, password: str) -> Iterator[str]:
        """Yield what makes an account of the same rights; both are written into the statements as they are given.

        It is locked till it is whole: who is refused half way leaves an account, since nothing here is one transaction.
        """
        yield f"CREATE USER {account} IDENTIFIED BY {password}{self.ways} ACCOUNT LOCK"
        for right, option in sorted(self.rights):
            yield f"{right} TO {account}{option}"
        if self.default_role:
            yield f"SET DEFAULT ROLE {_name(self.default_role)} FOR {account}"
        yield f"ALTER USER {account} ACCOUNT UNLOCK"

    @property
    def define(self) -> bool:
        """Tell whether one may make what runs with its maker's rights: views, routines, events, triggers."""
        return any(word in right.partition(" ON ")[0] for right, _ in self.rights for word in _DEFINES)


def grants_of(session: Session, name: str, host: str) -> Grants:
    """Return what an account has. Raises Rejected("unknown_credential") where there is none."""
    said = session.read("select Priv as priv from mysql.global_priv where User = %s and Host = %s", name, host)
    if not said:
        raise Rejected("unknown_credential", f"there is no account {name}@{host}")
    priv = json.loads(said[0]["priv"])
    lines = [str(next(iter(row.values()))) for row in session.read("show grants for %s@%s", name, host)]
    account = f"{_name(name)}@{_name(host)}"
    return Grants(frozenset(_rights(lines, account)), str(priv.get("default_role") or ""), _ways(priv))


def is_there(session: Session, name: str, host: str) -> bool:
    """Tell whether there is such an account."""
    return bool(session.read("select 1 as it from mysql.global_priv where User = %s and Host = %s", name, host))


def locked(session: Session, part: str, host: str) -> list[str]:
    """Return the accounts at a host that let nobody in, and have something in their name."""
    found = session.read(
        "select User as name, Priv as priv from mysql.global_priv where Host = %s and locate(%s, User) > 0", host, part
    )
    return sorted(str(each["name"]) for each in found if json.loads(each["priv"]).get("account_locked"))


def _rights(lines: list[str], account: str) -> Iterator[tuple[str, str]]:
    for line in lines:
        right, found, rest = line.rpartition(f" TO {account}")
        if not found:
            if line.startswith("SET DEFAULT ROLE "):
                continue
            raise Rejected("grant_unreadable", "the server tells a grant in words that are not known here")
        rest = _TEXTS.sub("", rest)
        option = next((f" WITH {each} OPTION" for each in ("GRANT", "ADMIN") if f"{each} OPTION" in rest), "")
        if right != "GRANT USAGE ON *.*" or option:
            yield right, option


def _ways(priv: Mapping[str, Any]) -> str:
    """Return what is asked of the connection, and the limits."""
    kind = priv.get("ssl_type") or 0
    named = [f"{word} {_text(priv[key])}" for key, word in _NAMED.items() if priv.get(key)] if kind not in _ASKS else []
    asks = _ASKS.get(kind) or " AND ".join(named)
    limits = [f"{word} {priv[key]}" for key, word in _LIMITS.items() if priv.get(key)]
    return (f" REQUIRE {asks}" if asks else "") + (f" WITH {' '.join(limits)}" if limits else "")


def _name(name: str) -> str:
    return "`" + name.replace("`", "``") + "`"


def _text(value: object) -> str:
    return "'" + str(value).replace("\\", "\\\\").replace("'", "''") + "'"

"""The inventory as it is kept: what people imported, each change of it for good, and what issuers listed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, bindparam, insert, select, text, update

from rotator import clock
from rotator.credential import CredentialRef
from rotator.flow.inventory import NAMES, Act, Change, Key, Said, changes, is_meant, key
from rotator.ledger import rows, tables
from rotator.ledger.database import Database
from rotator.ports.listing import Discovered

_inventory, _history, _listed = tables.inventory, tables.inventory_history, tables.listed
_ONE_IMPORT_AT_A_TIME = text("LOCK TABLE inventory, listed IN SHARE ROW EXCLUSIVE MODE")
_CHANGE = (
    update(_inventory)
    .where(_inventory.c.key == bindparam("a_key"))
    .values({name: bindparam(name) for name in ("said", "at", "by", "file")})
)
_SEEN_AGAIN = (
    update(_listed)
    .where(_listed.c.key == bindparam("a_key"))
    .values(facts=bindparam("facts"), last_seen_at=bindparam("last_seen_at"), gone_at=None)
)
_GONE = update(_listed).where(_listed.c.key == bindparam("a_key")).values(gone_at=bindparam("at"))


@dataclass(frozen=True, slots=True)
class Stated:
    """One entry that was imported: its match, the keys that it states, who last changed it, when, and from where."""

    match: Mapping[str, str]
    said: Mapping[str, Any]
    at: float
    by: str
    file: str


@dataclass(frozen=True, slots=True)
class Changed:
    """One change of an entry, as it was kept. `before` is None where the entry came new."""

    match: Mapping[str, str]
    at: float
    by: str
    file: str
    before: Mapping[str, Any] | None
    after: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Listed:
    """One credential that an issuer listed. `gone_at` is when a later list did not have it, None while it does."""

    ref: CredentialRef
    facts: Mapping[str, str]
    first_seen_at: float
    last_seen_at: float
    gone_at: float | None


@dataclass(frozen=True, slots=True)
class Kept:
    """What became of a list: how many are new, were known, and are not on it any more."""

    new: int
    known: int
    gone: int


class Inventory:
    """Import, keep what issuers list, and read both."""

    def __init__(self, database: Database, clock: Callable[[], float] = clock.now) -> None:
        self._database, self._clock = database, clock

    def plan(self, said: Iterable[Said]) -> list[Change]:
        """Return what an import would change; change nothing."""
        with self._database.read() as connection:
            return changes(_there(connection), said)

    def take(self, said: Sequence[Said], by: str) -> list[Change]:
        """Import; return what changed. What is the same already is left alone, with who said it and when."""
        with self._database.write() as connection:
            _alone(connection)
            found = changes(_there(connection), said)
            now = self._clock()
            added = [_row(each, now, by) for each in found if each.act is Act.ADDED]
            changed = [_row(each, now, by) for each in found if each.act is Act.CHANGED]
            if added:
                connection.execute(insert(_inventory), [_of_entry(each) for each in added])
            if changed:
                connection.execute(_CHANGE, [{"a_key": each["key"], **_of_entry(each)} for each in changed])
            if added or changed:
                connection.execute(insert(_history), [*added, *changed])
        return found

    def stated(self) -> list[Stated]:
        """Return every entry that was imported, by its match."""
        with self._database.read() as connection:
            found = [
                Stated(json.loads(match), json.loads(said), at, by, file)
                for match, said, at, by, file in connection.execute(
                    select(_inventory.c.match, _inventory.c.said, _inventory.c.at, _inventory.c.by, _inventory.c.file)
                )
            ]
        return sorted(found, key=lambda each: key(each.match))

    def history(self, meant: str) -> list[Changed]:
        """Return every change of the entries that a person means, the oldest first."""
        query = select(
            _history.c.match, _history.c.at, _history.c.by, _history.c.file, _history.c.before, _history.c.after
        ).order_by(_history.c.id)
        with self._database.read() as connection:
            return [
                Changed(match, at, by, file, json.loads(before) if before else None, json.loads(after))
                for written, at, by, file, before, after in connection.execute(query)
                if is_meant(meant, match := json.loads(written))
            ]

    def keep(self, kind: str, connection_name: str, found: Iterable[Discovered]) -> Kept:
        """Keep the whole list of one kind on one connection; nothing that people said is touched."""
        now = self._clock()
        with self._database.write() as connection:
            _alone(connection)
            is_of = (_listed.c.connection == connection_name, _listed.c.provider == kind)
            before = connection.execute(select(_listed.c.key, _listed.c.gone_at).where(*is_of))
            known = {str(row[0]): row[1] for row in before}
            seen = {_hash(_match(each.ref)): each for each in found}
            new = [_of_listed(at, each, now) for at, each in seen.items() if at not in known]
            again = [
                {"a_key": at, "facts": rows.text(rows.plain(each.facts)), "last_seen_at": now}
                for at, each in seen.items()
                if at in known
            ]
            gone = [{"a_key": at, "at": now} for at, was in known.items() if at not in seen and was is None]
            for statement, values in ((insert(_listed), new), (_SEEN_AGAIN, again), (_GONE, gone)):
                if values:
                    connection.execute(statement, values)
        return Kept(len(new), len(again), len(gone))

    def listed(self) -> list[Listed]:
        """Return what issuers listed and was kept, those included that are gone, by name."""
        with self._database.read() as connection:
            found = [
                Listed(
                    CredentialRef(row["provider"], row["connection"], row["owner"], row["credential"]),
                    json.loads(row["facts"]),
                    row["first_seen_at"],
                    row["last_seen_at"],
                    row["gone_at"],
                )
                for row in connection.execute(select(_listed)).mappings()
            ]
        return sorted(found, key=lambda each: each.ref)

    def known(self) -> list[CredentialRef]:
        """Return what is known to exist: listed, and not gone."""
        columns = (_listed.c.provider, _listed.c.connection, _listed.c.owner, _listed.c.credential)
        with self._database.read() as connection:
            found = connection.execute(select(*columns).where(_listed.c.gone_at.is_(None))).all()
        return [CredentialRef(*row) for row in sorted(map(tuple, found))]


def _there(connection: Connection) -> dict[Key, Mapping[str, Any]]:
    query = select(_inventory.c.match, _inventory.c.said)
    return {key(json.loads(match)): json.loads(said) for match, said in connection.execute(query)}


def _alone(connection: Connection) -> None:
    """Let nobody else import meanwhile; on SQLite every writer is alone."""
    if connection.dialect.name != "sqlite":
        connection.execute(_ONE_IMPORT_AT_A_TIME)


def _hash(match: Mapping[str, str]) -> str:
    """Return the key of a match, which may be longer than an index takes."""
    return hashlib.sha256(rows.text({name: match[name] for name in NAMES if name in match}).encode()).hexdigest()


def _match(ref: CredentialRef) -> dict[str, str]:
    return {name: str(rows.plain(getattr(ref, name))) for name in NAMES}


def _row(change: Change, now: float, by: str) -> dict[str, Any]:
    return {
        "key": _hash(change.match),
        "match": rows.text(change.match),
        "at": now,
        "by": rows.plain(by),
        "file": rows.plain(change.where),
        "before": None if change.before is None else rows.text(change.before),
        "after": rows.text(change.after),
    }


def _of_entry(row: Mapping[str, Any]) -> dict[str, Any]:
    return {**{name: row[name] for name in ("key", "match", "at", "by", "file")}, "said": row["after"]}


def _of_listed(at: str, found: Discovered, now: float) -> dict[str, Any]:
    name = _match(found.ref)
    return {
        "key": at,
        "provider": name["provider"],
        "connection": name["connection"],
        "owner": name["owner"],
        "credential": name["id"],
        "facts": rows.text(rows.plain(found.facts)),
        "first_seen_at": now,
        "last_seen_at": now,
        "gone_at": None,
    }

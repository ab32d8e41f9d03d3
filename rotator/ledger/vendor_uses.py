"""What access logs told of what vendors hold, in the ledger: a row for each log and credential, each reading a record.

A log is known by its content, or by its records where it comes in another form: read again, what it told is replaced by
what it tells now, beside what was read with it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, RowMapping, Select, delete, func, insert, select

from rotator import clock
from rotator.credential import CredentialRef
from rotator.flow.access import Seen, Sign
from rotator.flow.vendor_use import NEAR_S, Cut, Log, Use
from rotator.ledger import acts, pauses, rows, tables, vendors
from rotator.ledger.database import Database
from rotator.ledger.pauses import Pauses

SEEN = "uses_seen"
"""What the record of a reading says that was done."""
_AT_ONCE = 500
_log, _use, _run = tables.vendor_log, tables.vendor_use, tables.run


class VendorUses:
    """Keep and read them."""

    def __init__(self, database: Database, clock: Callable[[], float] = clock.now) -> None:
        self._database, self._clock = database, clock

    def keep(self, vendor: str, logs: Sequence[Log], uses: Sequence[Use], record: Mapping[str, Any]) -> None:
        """Keep what logs told of a vendor, in place of what these told before; `record` is what evidence says of it.

        Raises BadInput for no such vendor.
        """
        now = self._clock()
        with self._database.write() as connection:
            open_one = pauses.pause_of(connection, vendor)
            if open_one is not None:  # incidents before vendors, as everybody locks them
                acts.lock(connection, [open_one.incident])
            vendors.one(connection, vendor, software=False, lock=True)
            again = frozenset().union(*(each.known_by for each in logs))
            there = _logs(connection, vendor).get(vendor, ())
            known = [each.digest for each in there if not again.isdisjoint(each.known_by)]
            for table in (_use, _log):
                for some in _some(known):
                    connection.execute(delete(table).where(table.c.vendor == vendor, table.c.digest.in_(some)))
            if logs:
                connection.execute(insert(_log), [_row_of_log(vendor, each, now) for each in logs])
            if uses:
                connection.execute(insert(_use), [_row(vendor, each) for each in uses])
            told = {"at": now, "act": SEEN, **record, "kept": digests(connection, vendor).get(vendor, "")}
            vendors.act(connection, vendor, told, open_one.incident if open_one is not None else None)

    def logs(self, vendor: str | None = None) -> dict[str, list[Log]]:
        """Return the logs that were read for one vendor, or for each, by name."""
        with self._database.read() as connection:
            return _logs(connection, vendor)

    def uses(self, vendor: str | None = None) -> dict[str, list[Use]]:
        """Return what each log tells of each credential of one vendor, or of each, by name."""
        found: dict[str, list[Use]] = {}
        with self._database.read() as connection:
            for row in connection.execute(_of(select(_use), vendor)).mappings():
                found.setdefault(row["vendor"], []).append(_use_of(row))
        return found

    def cuts(self, vendor: str) -> list[Cut]:
        """Return the pauses of a vendor, with what was to die by each."""
        kept, said = Pauses(self._database), pauses.held_as(vendor)
        every = [(each, kept.spoken_of(each)) for each in kept.every(vendor)]
        return [Cut(of.at, of.restored_at, frozenset(each.removeprefix(said) for each in told)) for of, told in every]

    def once_held(self, vendor: str) -> list[CredentialRef]:
        """Return what a vendor held when a plan was made that answers it."""
        query = select(_run.c.provider, _run.c.connection, _run.c.owner, _run.c.credential).distinct()
        with self._database.read() as connection:
            return [CredentialRef(*row) for row in connection.execute(query.where(_run.c.vendor == vendor))]


def digests(connection: Connection, vendor: str | None = None) -> dict[str, str]:
    """Return the digest of all that logs told of each vendor, or of one, as it is kept; of whom none did, nothing."""
    found: dict[str, list[str]] = {}
    for table in (_log, _use):
        for row in connection.execute(_of(select(table), vendor)).mappings():
            found.setdefault(row["vendor"], []).append(repr(_told(row)))
    return {name: hashlib.sha256(repr(sorted(told)).encode()).hexdigest() for name, told in found.items()}


def _told(row: RowMapping) -> tuple[Any, ...]:
    """Return what a row tells; one of before its log's `records` were known tells what it told then."""
    return tuple(value for name, value in row.items() if name != "records" or value)


def used_since(database: Database, dead: Mapping[CredentialRef, float]) -> set[CredentialRef]:
    """Return those that logs show in use after a moment, in epoch seconds, at which each was dead: they are alive."""
    named = (_use.c.provider, _use.c.connection, _use.c.owner, _use.c.credential)
    query = select(*named, func.max(_use.c.accepted_at)).where(_use.c.accepted_at.is_not(None)).group_by(*named)
    with database.read() as connection:
        last = {CredentialRef(*of): at for *of, at in connection.execute(query)}
    return {ref for ref, at in dead.items() if last.get(ref, at) > at + NEAR_S}


def _logs(connection: Connection, vendor: str | None) -> dict[str, list[Log]]:
    found: dict[str, list[Log]] = {}
    for row in connection.execute(_of(select(_log), vendor)).mappings():
        of = {name: value for name, value in row.items() if name != "vendor"}
        found.setdefault(row["vendor"], []).append(Log(**of))
    return found


def _of(query: Select[Any], vendor: str | None) -> Select[Any]:
    table = query.get_final_froms()[0]
    found = query if vendor is None else query.where(table.c.vendor == vendor)
    return found.order_by(table.c.vendor, table.c.digest)


def _row_of_log(vendor: str, log: Log, now: float) -> dict[str, Any]:
    name = str(rows.plain(log.name))[:255]
    of = {"begins_at": log.begins_at, "ends_at": log.ends_at, "since": log.since, "records": log.records}
    return {"vendor": vendor, "digest": log.digest, "name": name, **of, "read_at": now}


def _row(vendor: str, use: Use) -> dict[str, Any]:
    ref = use.ref
    of = {"provider": ref.provider, "connection": ref.connection, "owner": ref.owner, "credential": ref.id}
    signs = [[each.sign.name, each.words, each.at, each.file] for each in use.signs]
    told = {name: getattr(use, name) for name in ("calls", "refused", "first_at", "last_at", "accepted_at", "accepted")}
    return {"vendor": vendor, "digest": use.digest, **of, **told, "signs": rows.text(rows.plain(signs))}


def _use_of(row: RowMapping) -> Use:
    return Use(
        ref=CredentialRef(row["provider"], row["connection"], row["owner"], row["credential"]),
        digest=row["digest"],
        calls=row["calls"],
        refused=row["refused"],
        first_at=row["first_at"],
        last_at=row["last_at"],
        accepted_at=row["accepted_at"],
        accepted=row["accepted"],
        signs=tuple(Seen(Sign[name], words, at, file) for name, words, at, file in json.loads(row["signs"])),
    )


def _some(every: Sequence[str]) -> Iterator[Sequence[str]]:
    return (every[start : start + _AT_ONCE] for start in range(0, len(every), _AT_ONCE))

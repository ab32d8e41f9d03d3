"""The registry of vendors in the ledger: what files said of each, what it is known to run, each change as evidence.

A vendor's chain is `vendor.NAME`. What is said of a dataset, which is no vendor's, is in the service's own.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, func, insert, select, update

from rotator import clock
from rotator.errors import BadInput
from rotator.flow.inventory import Act
from rotator.flow.registry import Change, Listed, Said, Sort, as_told, changes, dataset_of, vendor_of
from rotator.flow.vendor import Attestation, Dataset, Software, Vendor
from rotator.ledger import acts, names, rows, service, tables
from rotator.ledger.database import Database
from rotator.ledger.evidence import chained

CHAIN = "vendor."
"""What the name of a vendor's chain begins with."""
REGISTERED = "vendor_registered"
DATASET = "dataset_described"
SOFTWARE = "software_told"
ATTESTED = "vendor_attested"
_IMPORTING = 491286122
"""The advisory lock of PostgreSQL under which one imports at a time. No table is locked: who acts has rows of it."""
_vendor, _software, _dataset = tables.vendor, tables.software, tables.dataset
_FIELD, _LINE = "\t", "\n"


@dataclass(frozen=True, slots=True)
class SoftwareList:
    """A list of what a vendor runs: what it is called, its file's SHA-256, and how many components it has.

    `at`, in epoch seconds, is when it says that it was made, or when it was given where it does not tell.
    """

    vendor: str
    source: str
    at: float
    digest: str
    components: int


class Vendors:
    """Import, keep what they run, and read both."""

    def __init__(self, database: Database, clock: Callable[[], float] = clock.now) -> None:
        self._database, self._clock = database, clock

    def every(self, *, software: bool = True) -> list[Vendor]:
        """Return every vendor by its name; without what it runs where nobody asks for that: it may be much."""
        with self._database.read() as connection:
            return every(connection, software=software)

    def one(self, name: str) -> Vendor:
        """Return a vendor. Raises BadInput where none is registered by this name."""
        with self._database.read() as connection:
            return one(connection, name)

    def datasets(self) -> dict[str, Dataset]:
        """Return what is known of each dataset, by its name."""
        with self._database.read() as connection:
            return {name: dataset_of(name, told) for name, told in _datasets(connection)}

    def lists(self, vendor: str | None = None) -> list[SoftwareList]:
        """Return the lists of what vendors run, of one or of all, by vendor and source."""
        length, written = func.length, _software.c.components
        count = length(written) - length(func.replace(written, _LINE, ""))
        query = select(_software.c.vendor, _software.c.source, _software.c.at, _software.c.digest, count)
        if vendor is not None:
            query = query.where(_software.c.vendor == vendor)
        with self._database.read() as connection:
            found = connection.execute(query.order_by(_software.c.vendor, _software.c.source)).all()
            return [SoftwareList(*row) for row in found]

    def told(self) -> dict[tuple[Sort, str], Mapping[str, Any]]:
        """Return what files said, of vendors and datasets, as they said it."""
        with self._database.read() as connection:
            return _there(connection)

    def act(self, connection: Connection, name: str, record: Mapping[str, Any], incident: str | None = None) -> None:
        """Append what was done to a vendor's chain; see the function of this name."""
        act(connection, name, record, incident)

    def plan(self, said: Iterable[Said]) -> list[Change]:
        """Return what an import would change; change nothing."""
        with self._database.read() as connection:
            return changes(_there(connection), said)

    def take(self, said: Sequence[Said], by: str) -> list[Change]:
        """Import; return what changed, of which each is evidence. What is the same already is left alone."""
        with self._database.write() as connection:
            _alone(connection)
            found = changes(_there(connection), said)
            now, by = self._clock(), rows.plain(by)
            # Vendors first: the service's chain is locked last.
            for each in sorted(found, key=lambda change: (change.sort is Sort.DATASET, change.name)):
                if each.act is not Act.SAME:
                    _keep(connection, each, by, now)
        return found

    def runs(self, name: str, found: Listed, by: str) -> int:
        """Keep what a vendor runs by one list, in place of an earlier one so called; return how many it names.

        No time to come is believed. Raises BadInput for no such vendor, and for a source that seems to be a secret.
        """
        acts.refuse_material(found.source)
        runs = (map(_kept, (each.ecosystem, each.name, each.version)) for each in found.software)
        written = sorted({*map(_FIELD.join, runs)})
        components = "".join(f"{each}{_LINE}" for each in written)
        source, digest, made = str(rows.plain(found.source)), found.digest, found.made
        is_it = (_software.c.vendor == name) & (_software.c.source == source)
        with self._database.write() as connection:
            one(connection, name, software=False, lock=True)
            now = self._clock()  # once nobody else acts on it: by that it is known what came last
            before = connection.execute(select(_software.c.digest).where(is_it)).scalar()
            at = made if made is not None and made <= now else now
            values = {"at": at, "digest": digest, "components": components}
            if before is None:
                connection.execute(insert(_software).values(vendor=name, source=source, **values))
            else:
                connection.execute(update(_software).where(is_it).values(**values))
            told = {"at": now, "act": SOFTWARE, "by": rows.plain(by), "source": source, "digest": digest}
            told |= {"components": len(written), "made": made, "instead_of": before}
            act(connection, name, {**told, "kept": hashlib.sha256(components.encode()).hexdigest()})
        return len(written)

    def attest(self, name: str, attestation: Attestation, by: str) -> bool:
        """Keep an attestation of a vendor; return whether it is new. Raises BadInput for no such vendor."""
        with self._database.write() as connection:
            _alone(connection)
            one(connection, name, software=False, lock=True)
            before = _there(connection)[Sort.VENDOR, name]
            told, there = as_told(attestation), before.get("attestations", [])
            if told in there:
                return False
            now, after = self._clock(), {**before, "attestations": [*there, told]}
            values = {"told": rows.text(rows.plain(after)), "at": now, "by": rows.plain(by)}
            connection.execute(update(_vendor).where(_vendor.c.name == name).values(**values))
            act(connection, name, {**told, "at": now, "act": ATTESTED, "by": rows.plain(by)})
        return True


def every(connection: Connection, *, software: bool = False) -> list[Vendor]:
    """Return every vendor by its name, with what it runs where that is asked for."""
    runs = _run_by(connection) if software else {}
    return [vendor_of(name, told, runs.get(name, ())) for name, told in _told(connection)]


def one(connection: Connection, name: str, *, software: bool = True, lock: bool = False) -> Vendor:
    """Return a vendor; `lock` it until the transaction ends. Raises BadInput where none is registered by this name."""
    query = select(_vendor.c.told).where(_vendor.c.name == name)
    told = connection.execute(query.with_for_update() if lock else query).scalar()
    if told is None:
        near = names.near(name, list(connection.execute(select(_vendor.c.name)).scalars()))
        mend = f"did you mean `{near}`?" if near else "`rotator vendor list` shows them"
        raise BadInput("no vendor is registered by this name", name, mend)
    return vendor_of(name, json.loads(told), _run_by(connection, name).get(name, ()) if software else ())


def act(connection: Connection, name: str, record: Mapping[str, Any], incident: str | None = None) -> None:
    """Append what was done to a vendor's chain, and to that of the incident for which it was done, first.

    The vendor is registered: its row is locked until the transaction ends.
    """
    told = {**record, "vendor": name}
    if incident is not None:
        told["incident"] = incident
        acts.act(connection, incident, told)
    query = select(_vendor.c.length, _vendor.c.head).where(_vendor.c.name == name)
    length, head = connection.execute(query.with_for_update()).one()
    added, length, head = chained(CHAIN + name, length, head, [rows.plain(told)])
    connection.execute(insert(tables.evidence), added)
    connection.execute(update(_vendor).where(_vendor.c.name == name).values(length=length, head=head))


def _alone(connection: Connection) -> None:
    """Let nobody else change the registry meanwhile; on SQLite every writer is alone."""
    if connection.dialect.name != "sqlite":
        connection.execute(select(func.pg_advisory_xact_lock(_IMPORTING)))


def _keep(connection: Connection, change: Change, by: str, now: float) -> None:
    before = change.before or {}
    record = {
        "at": now,
        "by": by,
        "file": change.where,
        "before": {each: before[each] for each in change.keys if each in before},
        "after": {each: change.after[each] for each in change.keys if each in change.after},
        "is_new": change.before is None,
    }
    if change.sort is Sort.DATASET:
        described = dataset_of(change.name, change.after)
        values = {"sensitivity": described.sensitivity.value, "manifest": described.manifest, "why": described.why}
        _put(connection, _dataset, change, values)
        service.note(connection, {**record, "act": DATASET, "dataset": change.name})
        return
    _put(connection, _vendor, change, {"told": rows.text(rows.plain(change.after)), "at": now, "by": by})
    act(connection, change.name, {**record, "act": REGISTERED})


def _put(connection: Connection, table: Any, change: Change, values: Mapping[str, Any]) -> None:
    if change.before is None:
        connection.execute(insert(table).values(name=change.name, **values))
    else:
        connection.execute(update(table).where(table.c.name == change.name).values(**values))


def _there(connection: Connection) -> dict[tuple[Sort, str], Mapping[str, Any]]:
    found: dict[tuple[Sort, str], Mapping[str, Any]] = {(Sort.VENDOR, name): told for name, told in _told(connection)}
    return found | {(Sort.DATASET, name): told for name, told in _datasets(connection)}


def _told(connection: Connection) -> list[tuple[str, Mapping[str, Any]]]:
    query = select(_vendor.c.name, _vendor.c.told).order_by(_vendor.c.name)
    return [(name, json.loads(told)) for name, told in connection.execute(query)]


def _datasets(connection: Connection) -> list[tuple[str, Mapping[str, Any]]]:
    return [
        (row["name"], {each: row[each] for each in ("sensitivity", "manifest", "why") if row[each]})
        for row in connection.execute(select(_dataset).order_by(_dataset.c.name)).mappings()
    ]


def _run_by(connection: Connection, vendor: str | None = None) -> dict[str, list[Software]]:
    """Return what vendors run, by all lists, each component as often as lists name it."""
    query = select(_software.c.vendor, _software.c.source, _software.c.components)
    if vendor is not None:
        query = query.where(_software.c.vendor == vendor)
    found: dict[str, list[Software]] = {}
    for name, source, written in connection.execute(query.order_by(_software.c.vendor, _software.c.source)):
        of = found.setdefault(name, [])
        for line in written.split(_LINE)[:-1]:
            ecosystem, package, version = line.split(_FIELD)
            of.append(Software(ecosystem, package, version, source))
    return found


def _kept(word: str) -> str:
    """Return a word of others as a line of the list keeps it."""
    return "".join(each if each.isprintable() else " " for each in str(rows.plain(word)))

"""What is known of datasets: each manifest, and what the last check of it found. Reports and gates read it here."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import ColumnElement, Connection, RowMapping, Table, func, or_, select

from rotator.errors import BadInput
from rotator.ledger import tables
from rotator.manifests.comparing import Difference
from rotator.manifests.entry import Counts

_manifest, _check = tables.manifest, tables.manifest_check
_BUCKET = "s3://"


@dataclass(frozen=True, slots=True)
class Source:
    """Where a dataset is: a folder's path, `s3://BUCKET/PREFIX` through a connection, or `-`; read on which machine."""

    place: str
    host: str
    connection: str = ""

    def is_at(self, other: Source) -> bool:
        """Tell whether both are one place: a bucket is one from whichever machine it is read."""
        is_so = (self.place, self.connection) == (other.place, other.connection)
        return is_so and (self.host == other.host or self.place.startswith(_BUCKET))


@dataclass(frozen=True, slots=True)
class Manifest:
    """What is known of a recording. `size` is in bytes; times are in epoch seconds."""

    name: str
    source: Source
    at: float
    by: str
    incident: str
    counts: Counts
    digest: str
    id: str


@dataclass(frozen=True, slots=True)
class Check:
    """What a check found: how many of each sort, the first of them by name, and the digest of what was there.

    `read_at` is when reading began; None where an earlier release checked it. Where a file told what was there,
    `read_by` is who had read it, by that file as `read_at` is; `by` and `at` are who gave it, and when. Else it is "".
    """

    name: str
    number: int
    source: Source
    at: float
    by: str
    incident: str
    digest: str
    same: int
    counts: Mapping[str, int]
    named: Mapping[str, list[str]]
    read_by: str = ""
    read_at: float | None = None

    @property
    def seen_at(self) -> float:
        """Return of when it tells: what was altered later is not in it. No file tells of a time after it came."""
        return self.at if self.read_at is None else min(self.read_at, self.at)

    @property
    def is_as_recorded(self) -> bool:
        """Tell whether all of it was seen to be the same."""
        return not any(self.counts.values())


@dataclass(frozen=True, slots=True)
class Dataset:
    """A manifest with the last check of it, if there was one; `differed` is the last one before that differed.

    Only what is told of an incident has that: what was put in order there was not in order all the time.
    """

    manifest: Manifest
    check: Check | None
    differed: Check | None = None


def standing(connection: Connection, name: str) -> Check | None:
    """Return the last check of a dataset where it was recorded, None where nobody has checked it there since.

    A gate that waits for a checked dataset asks this: of what is altered there no copy elsewhere tells. A bucket is
    one from whichever machine it is read. Raises BadInput for no manifest.
    """
    there = (_check.c.name == name, *_is_at(_check, one(connection, name).source))
    query = select(_check).where(*there).order_by(_check.c.number.desc()).limit(1)
    row = connection.execute(query).mappings().first()
    return None if row is None else check_of(row)


def recorded_before(connection: Connection, source: Source, at: float) -> Manifest | None:
    """Return the newest manifest of a place that was whole before a moment, in epoch seconds; None where none was."""
    there = (*_is_at(_manifest, source), _manifest.c.recorded_at < at)
    query = select(_manifest).where(*there).order_by(_manifest.c.recorded_at.desc(), _manifest.c.name).limit(1)
    row = connection.execute(query).mappings().first()
    return None if row is None else manifest_of(row)


def _is_at(of: Table, source: Source) -> list[ColumnElement[bool]]:
    there = [of.c.source == source.place, of.c.connection == source.connection]
    return there if source.place.startswith(_BUCKET) else [*there, of.c.host == source.host]


def lock(connection: Connection, names: Collection[str]) -> None:
    """Have checks of these manifests be over, or begin once the transaction ends: by name, as who locks several does.

    Who checks one locks it before its incident, and so must who waits for what is found.
    """
    query = select(_manifest.c.name).where(_manifest.c.name.in_(names)).order_by(_manifest.c.name)
    connection.execute(query.with_for_update()).all()


def of_incident(connection: Connection, incident: str) -> tuple[Dataset, ...]:
    """Return the datasets that were recorded or checked for an incident, each with the last check of it for that."""
    checks = _last(connection, incident=incident)
    recorded = select(_manifest.c.name).where(_manifest.c.incident == incident)
    found = sorted({*checks, *connection.execute(recorded).scalars()})
    told = datasets(connection, found, checks) if found else ()
    differed = {name: _differed(connection, incident, each) for name, each in checks.items()}
    return tuple(replace(each, differed=differed.get(each.manifest.name)) for each in told)


def datasets(
    connection: Connection, of: list[str] | None = None, checks: Mapping[str, Check] | None = None
) -> list[Dataset]:
    query = select(_manifest).where(_manifest.c.recorded_at.is_not(None)).order_by(_manifest.c.name)
    if of is not None:
        query = query.where(_manifest.c.name.in_(of))
    last = checks if checks is not None else _last(connection)
    found = map(manifest_of, connection.execute(query).mappings())
    return [Dataset(each, last.get(each.name)) for each in found]


def _last(connection: Connection, of: list[str] | None = None, incident: str = "") -> dict[str, Check]:
    newest = select(_check.c.name, func.max(_check.c.number).label("number")).group_by(_check.c.name)
    if of is not None:
        newest = newest.where(_check.c.name.in_(of))
    if incident:
        newest = newest.where(_check.c.incident == incident)
    last = newest.subquery()
    query = select(_check).join(last, (last.c.name == _check.c.name) & (last.c.number == _check.c.number))
    return {row["name"]: check_of(row) for row in connection.execute(query).mappings()}


def _differed(connection: Connection, incident: str, last: Check) -> Check | None:
    """Return the last check of an incident before the last one of all that found a difference."""
    earlier = (_check.c.name == last.name, _check.c.incident == incident, _check.c.number < last.number)
    unlike = or_(*(_check.c[each.value] > 0 for each in Difference))
    query = select(_check).where(*earlier, unlike).order_by(_check.c.number.desc()).limit(1)
    row = connection.execute(query).mappings().first()
    return None if row is None else check_of(row)


def one(connection: Connection, name: str) -> Manifest:
    row = connection.execute(select(_manifest).where(_manifest.c.name == name)).mappings().first()
    if row is None:
        raise BadInput("no manifest is called so", name, "`rotator manifest list` shows them")
    if row["recorded_at"] is None:
        raise BadInput("this manifest was begun and is not whole", name, "record it again, under the same name")
    return manifest_of(row)


def _source_of(row: RowMapping | dict[str, Any]) -> Source:
    return Source(row["source"], row["host"], row["connection"])


def manifest_of(row: RowMapping | dict[str, Any]) -> Manifest:
    return Manifest(
        name=row["name"],
        source=_source_of(row),
        at=row["recorded_at"],
        by=row["recorded_by"],
        incident=row["incident"] or "",
        counts=Counts(**{each: row[each] for each in ("files", "links", "others", "unread", "size")}),
        digest=row["digest"],
        id=row["id"],
    )


def check_of(row: RowMapping | dict[str, Any]) -> Check:
    return Check(
        name=row["name"],
        number=row["number"],
        source=_source_of(row),
        at=row["at"],
        by=row["by"],
        incident=row["incident"] or "",
        digest=row["digest"],
        same=row["same"],
        counts={each.value: row[each.value] for each in Difference},
        named=json.loads(row["named"]),
        read_by=row["read_by"],
        read_at=row["read_at"],
    )

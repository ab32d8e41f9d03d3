"""Manifests of datasets in the ledger: recorded once, checked as often as wanted, and each of it evidence.

Their lines come in parts, each in a transaction of its own: who answers an incident waits for none of them. What they
digest to stands in the chain, which is signed: lines that were altered are never taken for what was recorded.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import secrets
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict
from typing import Any

from sqlalchemy import Connection, RowMapping, delete, func, insert, select, update

from rotator import clock
from rotator.errors import BadInput
from rotator.ledger import datasets, names, rows, tables
from rotator.ledger.acts import act
from rotator.ledger.database import Database
from rotator.ledger.datasets import Check, Dataset, Manifest, Source
from rotator.ledger.evidence import chained
from rotator.manifests.comparing import Compared, Difference
from rotator.manifests.entry import Entry, Written, entry_of

CHAIN = "manifest."
"""What the name of a manifest's chain begins with."""
RECORDED = "dataset_recorded"
CHECKED = "dataset_checked"
_LINES = 5_000
_manifest, _part, _check = tables.manifest, tables.manifest_part, tables.manifest_check


class Manifests:
    """Record and read manifests."""

    def __init__(self, database: Database, clock: Callable[[], float] = clock.now) -> None:
        self._database, self._clock = database, clock

    def begin(self, name: str, source: Source, by: str, incident: str = "") -> str:
        """Take a name for a recording that begins; return by what its parts are known.

        One that was begun and never ended is taken over. Raises BadInput where the name is recorded, or for no such
        incident.
        """
        recording = secrets.token_hex(8)
        told = {"id": recording, **_row_of(source), "began_at": self._clock(), "recorded_by": rows.plain(by)}
        with self._database.write() as connection:
            told["incident"] = names.incident(connection, incident) if incident else None
            before = _row(connection, name)
            if before is None:
                connection.execute(insert(_manifest).values(name=name, **told))
            else:
                _refuse_recorded(before)
                connection.execute(delete(_part).where(_part.c.recording == before["id"]))
                connection.execute(update(_manifest).where(_manifest.c.name == name).values(**told))
        return recording

    def keep(self, recording: str, found: Iterable[Entry]) -> Written:
        """Keep the lines of a recording, in the order of their paths; return what they come to."""
        written = Written()
        lines = (each.line for each in written.through(found))
        for number in itertools.count():
            some = "".join(itertools.islice(lines, _LINES))
            if not some:
                break
            values = {"recording": recording, "number": number, "lines": zlib.compress(some.encode())}
            with self._database.write() as connection:
                connection.execute(insert(_part).values(**values))
        return written

    def end(self, name: str, recording: str, written: Written) -> Manifest:
        """Say that a recording is whole. Raises BadInput where another has taken its name meanwhile."""
        with self._database.write() as connection:
            row = _row(connection, name, lock=True)
            if row is None or row["id"] != recording:
                raise BadInput("somebody else began to record it meanwhile", name, "record it under another name")
            now, counts = self._clock(), asdict(written.counts)
            connection.execute(
                update(_manifest)
                .where(_manifest.c.name == name)
                .values(recorded_at=now, digest=written.digest, **counts)
            )
            told = {"at": now, "act": RECORDED, "by": row["recorded_by"], "manifest": name, **_told(row), **counts}
            told["digest"] = written.digest
            _append(connection, row, told)
            return datasets.manifest_of({**row, **counts, "recorded_at": now, "digest": written.digest})

    def checked(
        self,
        manifest: Manifest,
        source: Source,
        compared: Compared,
        digest: str,
        *,
        by: str,
        began_at: float | None = None,
        incident: str = "",
        read: tuple[str, float] | None = None,
    ) -> Check:
        """Keep what a check found; `digest` is of what was there, and `read` who read that and when, if a file told it.

        `began_at` is when reading began here, in epoch seconds: it took hours, maybe, and tells of nothing later.

        Raises BadInput for no such incident, or for what was read before the last check there: it is no news of it.
        """
        with self._database.write() as connection:
            row = _row(connection, manifest.name, lock=True)
            assert row is not None, "what was read is never taken away"  # noqa: S101
            of = names.incident(connection, incident) if incident else None
            last = select(func.coalesce(func.max(_check.c.number), 0)).where(_check.c.name == manifest.name)
            counts = {each.value: compared.counts[each] for each in Difference}
            named = {each.value: found for each, found in compared.named.items()}
            kept = {
                "name": manifest.name,
                "number": connection.execute(last).scalar_one() + 1,
                "at": self._clock(),
                "by": rows.plain(by),
                **_row_of(source),
                "incident": of,
                "digest": digest,
                "same": compared.same,
                **counts,
            }
            elsewhere = {} if began_at is None else {"read_at": began_at}
            if read is not None:
                _refuse_older(connection, manifest, source, read[1])
                elsewhere = {"read_by": rows.plain(read[0]), "read_at": read[1]}
            row_of = {"read_by": "", "read_at": None, **kept, **elsewhere}
            connection.execute(insert(_check).values(**row_of, named=json.dumps(named, sort_keys=True)))
            told = {**kept, **elsewhere, "act": CHECKED, "manifest": manifest.name, "recorded": manifest.digest}
            told["named"] = named
            _append(
                connection, row, {each: value for each, value in told.items() if each not in {"name", "number"}}, of
            )
            return datasets.check_of({**row_of, "named": json.dumps(named)})

    def listed(self) -> list[Dataset]:
        """Return every manifest by its name, with the last check of each."""
        with self._database.read() as connection:
            return datasets.datasets(connection)

    def one(self, name: str) -> Manifest:
        """Return a manifest. Raises BadInput for none, or one that is not whole."""
        with self._database.read() as connection:
            return datasets.one(connection, name)

    def checks(self, name: str) -> list[Check]:
        """Return every check of a manifest, the newest first. Raises BadInput for no manifest."""
        query = select(_check).where(_check.c.name == name).order_by(_check.c.number.desc())
        with self._database.read() as connection:
            datasets.one(connection, name)
            return [datasets.check_of(row) for row in connection.execute(query).mappings()]

    def entries(self, manifest: Manifest) -> Iterator[Entry]:
        """Yield what was recorded. Raises BadInput, at the end, where that is not what the evidence says was."""
        written = Written()
        yield from written.through(self._kept(manifest))
        with self._database.read() as connection:
            if written.digest != manifest.digest or not _is_recorded(connection, manifest):
                what = "this manifest is not the one that was recorded: somebody altered it in the ledger"
                raise BadInput(
                    what, manifest.name, "nothing can be checked by it; `rotator evidence export` has the chain"
                )

    def _kept(self, manifest: Manifest) -> Iterator[Entry]:
        for number in itertools.count():
            query = select(_part.c.lines).where(_part.c.recording == manifest.id, _part.c.number == number)
            with self._database.read() as connection:
                lines = connection.execute(query).scalar()
            if lines is None:
                return
            try:
                yield from map(entry_of, zlib.decompress(lines).decode().split("\n")[:-1])
            except (ValueError, zlib.error):
                return  # what is left differs from what was recorded, which is told at the end

    def altered(self) -> list[str]:
        """Return the names of the manifests whose lines are not what was recorded."""
        found = []
        for each in self.listed():
            try:
                for _ in self.entries(each.manifest):
                    pass
            except BadInput:
                found.append(each.manifest.name)
        return found


def _row(connection: Connection, name: str, *, lock: bool = False) -> RowMapping | None:
    query = select(_manifest).where(_manifest.c.name == name)
    return connection.execute(query.with_for_update() if lock else query).mappings().first()


def _refuse_recorded(row: RowMapping) -> None:
    if row["recorded_at"] is not None:
        what = "a manifest of this name is recorded, and never replaced: checks stand on it"
        raise BadInput(what, row["name"], f"take another name, as {row['name'][:62]}-2")


def _refuse_older(connection: Connection, manifest: Manifest, source: Source, read_at: float) -> None:
    last = datasets.standing(connection, manifest.name) if manifest.source.is_at(source) else None
    if last is not None and read_at < last.seen_at:
        what = "it was read before the last check there, and tells nothing of what that found"
        raise BadInput(what, manifest.name, "read it anew: `rotator manifest read`")


def _is_recorded(connection: Connection, manifest: Manifest) -> bool:
    """Tell whether the chain says so of a manifest: what, where and when it was, and is whole up to what was signed."""
    evidence, signed = tables.evidence, tables.signed
    chain, heads = CHAIN + manifest.name, [""]
    told: dict[str, Any] = {}
    query = select(evidence.c.body, evidence.c.hash).where(evidence.c.chain == chain).order_by(evidence.c.seq)
    for body, head in connection.execute(query):
        record = json.loads(body)
        if head != hashlib.sha256(body.encode()).hexdigest() or record.get("previous") != heads[-1]:
            return False
        told = told or record
        heads.append(head)
    query = select(signed.c.length, signed.c.head).where(signed.c.chain == chain)
    if any(heads[length : length + 1] != [head] for length, head in connection.execute(query)):
        return False
    known = {"at": manifest.at, "by": manifest.by, "digest": manifest.digest}
    known |= {**_row_of(manifest.source), **asdict(manifest.counts)}
    return all(told.get(name) == value for name, value in known.items())


def _append(connection: Connection, row: RowMapping, told: Mapping[str, Any], incident: str | None = None) -> None:
    """Append to a manifest's own chain, and to that of the incident for which it was done."""
    of = incident if incident is not None else row["incident"] if told["act"] == RECORDED else None
    if of is not None:
        act(connection, of, {**told, "incident": of})
    added, length, head = chained(
        CHAIN + row["name"], row["length"], row["head"], [rows.plain({**told, "incident": of})]
    )
    connection.execute(insert(tables.evidence), added)
    connection.execute(update(_manifest).where(_manifest.c.name == row["name"]).values(length=length, head=head))


def _row_of(source: Source) -> dict[str, str]:
    return {"source": rows.plain(source.place), "host": rows.plain(source.host), "connection": source.connection}


def _told(row: RowMapping) -> dict[str, Any]:
    return {each: row[each] for each in ("source", "host", "connection")}

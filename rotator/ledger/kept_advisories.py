"""Records of advisories as they were fetched, received or given, with when: at 2 am their server may be down.

Of each id there is one, and each that is kept is in the chain of advisories. What one said of a compromise stays, in
whatever words it is told again: nobody lowers that. Of a record is kept what tells whom it
concerns and what happened; one in which a secret seems to stand is not kept.
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, RowMapping, delete, insert, select

from rotator import clock
from rotator.errors import BadInput
from rotator.intake.fields import mapping
from rotator.intake.shapes import holds_material
from rotator.ledger import advisory_chain, rows, tables
from rotator.ledger.database import Database
from rotator.packages.advisory import Advisory, moment, read
from rotator.packages.advisory_record import essence, lasting

SERVER = "the server of `[advisories]`"
_DAY_S = 86400.0
"""For so long what is had again as it is kept is not kept anew."""
_kept = tables.kept_advisory


class How(StrEnum):
    """How a record was had."""

    FETCHED = "fetched"
    RECEIVED = "received"
    GIVEN = "given"


_WORDS = {How.FETCHED: "fetched", How.RECEIVED: "received", How.GIVEN: "given as a file"}


class KeptAdvisories:
    """Keep and read them."""

    def __init__(self, database: Database, clock: Callable[[], float] = clock.now) -> None:
        self._database, self._clock = database, clock

    def keep(self, name: str, record: Mapping[str, object]) -> None:
        """Keep a record that was fetched."""
        self._keep(name, record, How.FETCHED, SERVER, lambda _: True)

    def keep_newer(self, name: str, record: Mapping[str, object], by: str) -> bool:
        """Keep a record that arrived, unless a server or a sender told a later one; tell whether it is the newest.

        Senders repeat what they sent, in any order, and others may send it again for them.
        """
        return self._keep(name, record, How.RECEIVED, by, lambda row: _is_newest(record, row))

    def keep_given(self, name: str, record: Mapping[str, object], by: str) -> None:
        """Keep a record that a person gave, unless one was fetched or received: that one is believed."""
        self._keep(name, record, How.GIVEN, by, _was_given)

    def keep_from_file(self, name: str, record: Mapping[str, object], how: How, at: float, by: str) -> None:
        """Keep a record of a file that an earlier release kept, unless what is here is as good; `at` is the file's."""

        def is_better(row: RowMapping) -> bool:
            return how is not How.GIVEN and (row["how"] == How.GIVEN or row["at"] < at)

        self._keep(name, record, how, by, is_better, at)

    def read(self, name: str, *, fetched: bool = False) -> tuple[tuple[Advisory, ...], str] | None:
        """Return what is kept of an id, and in words how it was had and when; None where nothing is, or it is damaged.

        With `fetched` alone what a server or a sender told, and nothing that a person gave.
        """
        with self._database.read() as connection:
            row = _row(connection, name)
        if row is None or (fetched and row["how"] == How.GIVEN):
            return None
        found = _advisories(row)
        at = datetime.fromtimestamp(row["at"], UTC).isoformat(timespec="seconds")
        return (found, f"{_WORDS[How(row['how'])]} at {at}") if found else None

    def every(self) -> list[Advisory]:
        """Return every event that is kept, by the name it was asked for by."""
        with self._database.read() as connection:
            found = connection.execute(select(_kept).order_by(_kept.c.name)).mappings().all()
        return list({each.id: each for row in found for each in _advisories(row)}.values())

    def mark(self) -> int:
        """Return what is another number once a record was kept, or one arrived."""
        with self._database.read() as connection:
            return advisory_chain.length(connection)

    def _keep(  # noqa: PLR0917 - a record, and how it was had
        self,
        name: str,
        record: Mapping[str, object],
        how: How,
        by: str,
        replaces: Callable[[RowMapping], bool],
        at: float | None = None,
    ) -> bool:
        if holds_material(json.dumps(essence(record), sort_keys=True)):
            return True
        now = self._clock()
        with self._database.write() as connection:
            advisory_chain.alone(connection)
            before = _row(connection, name)
            if before is not None and not replaces(before):
                return False
            said = essence(record) if before is None else lasting(record, mapping(json.loads(before["record"])))
            text = str(rows.plain(json.dumps(said, sort_keys=True)))
            row = {"name": name, "how": how.value, "at": now if at is None else at, "record": text}
            if before is not None and _is_same(before, row):
                return True
            connection.execute(delete(_kept).where(_kept.c.name == name))
            connection.execute(insert(_kept).values(**row))
            advisory_chain.note_kept(connection, row, by, now)
        return True


def _row(connection: Connection, name: str) -> RowMapping | None:
    return connection.execute(select(_kept).where(_kept.c.name == name)).mappings().first()


def _advisories(row: RowMapping) -> tuple[Advisory, ...]:
    try:
        found = read(row["name"], io.BytesIO(row["record"].encode()))
    except BadInput:
        return ()
    return found if all(row["name"] in each.names for each in found) else ()


def _is_same(before: RowMapping, row: Mapping[str, Any]) -> bool:
    return all(before[each] == row[each] for each in ("how", "record")) and row["at"] - before["at"] < _DAY_S


def _was_given(row: RowMapping) -> bool:
    return bool(row["how"] == How.GIVEN)


def _is_newest(record: Mapping[str, object], before: RowMapping) -> bool:
    there = None if _was_given(before) else _changed(mapping(json.loads(before["record"])))
    return there is None or ((changed := _changed(record)) is not None and changed >= there)


def _changed(record: Mapping[str, object]) -> datetime | None:
    """Return when a record says that it was changed; of what is to come none: it would be the newest for ever."""
    at = moment(record.get("modified"))
    return at if at is not None and at.timestamp() <= clock.now() else None

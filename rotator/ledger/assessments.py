"""The terms of vendors' triage that people set, as they stand; each change is in the vendor's chain."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from sqlalchemy import delete, insert, select

from rotator import clock
from rotator.errors import BadInput
from rotator.flow.vendor_terms import Judged, Name
from rotator.ledger import rows, tables, vendors
from rotator.ledger.acts import said_for_good
from rotator.ledger.database import Database

SET, CLEARED = "term_set", "term_cleared"
_term = tables.term


class Assessments:
    """Set, clear and read terms."""

    def __init__(self, database: Database, clock: Callable[[], float] = clock.now) -> None:
        self._database, self._clock = database, clock

    def set(self, vendor: str, judged: Judged) -> Judged | None:
        """Keep a value with its reason in place of an earlier one, which is returned; the moment is now.

        Raises BadInput for no such vendor, without a reason, and where a secret seems to stand in it.
        """
        return self._keep(vendor, judged, is_set=True)

    def clear(self, vendor: str, judged: Judged) -> Judged:
        """Take a value back, which is returned. Raises BadInput where none was set, and as `set` does."""
        before = self._keep(vendor, judged, is_set=False)
        assert before is not None, "what nobody set was refused"  # noqa: S101
        return before

    def every(self, notices: Iterable[str]) -> dict[str, list[Judged]]:
        """Return what was set for these notices, and for every one, by vendor."""
        query = select(_term).where(_term.c.notice.in_(["", *notices])).order_by(_term.c.vendor, _term.c.name)
        found: dict[str, list[Judged]] = {}
        with self._database.read() as connection:
            for row in connection.execute(query).mappings():
                found.setdefault(row["vendor"], []).append(_judged(row))
        return found

    def _keep(self, vendor: str, judged: Judged, *, is_set: bool) -> Judged | None:
        said_for_good(judged.by, judged.reason, judged.notice)
        by, reason = str(rows.plain(judged.by)), str(rows.plain(judged.reason.strip()))
        which = (_term.c.vendor == vendor) & (_term.c.notice == judged.notice) & (_term.c.name == judged.name.value)
        with self._database.write() as connection:
            vendors.one(connection, vendor, software=False, lock=True)
            row = connection.execute(select(_term).where(which)).mappings().first()
            if row is None and not is_set:
                of = f"for {judged.notice}" if judged.notice else "for every notice"
                what = f"nobody set {judged.name} of {vendor} {of}"
                raise BadInput(what, "--clear", "`rotator vendor triage` shows what is set, and for which notice")
            before = None if row is None else _judged(row)
            connection.execute(delete(_term).where(which))
            now = self._clock()
            if is_set:
                key = {"vendor": vendor, "notice": judged.notice, "name": judged.name.value}
                connection.execute(insert(_term).values(**key, value=judged.value, at=now, by=by, reason=reason))
            told = {"at": now, "act": SET if is_set else CLEARED, "by": by, "reason": reason, "term": judged.name.value}
            told |= {"notice": judged.notice, "before": before.value if before else None}
            vendors.act(connection, vendor, told | ({"value": judged.value} if is_set else {}))
        return before


def _judged(row: Any) -> Judged:
    return Judged(Name(row["name"]), row["value"], row["by"], row["at"], row["reason"], row["notice"])

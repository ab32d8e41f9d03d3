"""Which runs a question to the ledger is about: all of an incident's, or a few of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, FromClause, RowMapping, Table, select

from rotator.ledger import tables

_BY = 500
"""So many names stand in one question: every database takes that many."""


@dataclass(frozen=True, slots=True)
class Which:
    """The runs of an incident; of `names` alone, where they are given, at most 500, whatever incident has them."""

    incident: str
    names: tuple[str, ...] | None = None

    def match(self, name: ColumnElement[str], incident: ColumnElement[str]) -> ColumnElement[bool]:
        """Match by a run's name, or its incident. Never by both: SQLite would take the incident, and read all of it."""
        return incident == self.incident if self.names is None else name.in_(self.names)

    def of(self, run: FromClause) -> ColumnElement[bool]:
        """Match them in the table of runs."""
        return self.match(run.c.id, run.c.incident)

    def beside(self, connection: Connection, table: Table) -> Iterable[RowMapping]:
        """Return the rows of a table that belong to them."""
        query: Any = select(table)
        if self.names is not None:
            return connection.execute(query.where(table.c.run.in_(self.names))).mappings()
        query = query.join(tables.run, tables.run.c.id == table.c.run)
        return connection.execute(query.where(tables.run.c.incident == self.incident)).mappings()


def parts(names: Iterable[str]) -> Iterator[tuple[str, ...]]:
    """Return each name once, in parts that may be asked for together."""
    every = tuple(dict.fromkeys(names))
    for start in range(0, len(every), _BY):
        yield every[start : start + _BY]

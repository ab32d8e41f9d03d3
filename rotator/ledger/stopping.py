"""Stop everything, one incident or one connection, and let it go on: a person's brake. What is stopped: `stops.py`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from difflib import get_close_matches
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, insert, select, true, update

from rotator import clock
from rotator.errors import BadInput
from rotator.flow.run import BranchState
from rotator.ledger import gone, names, revisions, rows, tables
from rotator.ledger.acts import act, said
from rotator.ledger.database import Database
from rotator.ledger.notices import tell
from rotator.ledger.stops import ALL, CONNECTION, INCIDENT, Stop, find, over


class Stops:
    """Stop and let go on. Each is evidence in every incident that it concerns and that is not finished."""

    def __init__(self, database: Database, clock: Callable[[], float] = clock.now) -> None:
        self._database, self._clock = database, clock

    def stop(self, name: str | None, by: str, reason: str, connections: Iterable[str]) -> tuple[Stop, int]:
        """Stop what is named, everything when nothing is; return it, and how many unfinished runs it holds back.

        `connections` are the configured ones. Raises BadInput for what is not there, or is stopped already.
        """
        said(by, reason)
        with self._database.write() as connection:
            scope, found = _meant(connection, name, connections)
            if (known := _of(find(connection), scope, found)) is not None:
                raise BadInput(f"{known} (already)", name or "", f"{known.lifted_by} lets it go on")
            stop = Stop(scope, found, self._clock(), str(rows.plain(by)), str(rows.plain(reason)))
            connection.execute(
                insert(tables.stop).values(scope=stop.scope, name=stop.name, at=stop.at, by=stop.by, reason=stop.reason)
            )
            return stop, self._note(connection, stop, "stopped", by, reason)

    def lift(self, name: str | None, by: str, reason: str, connections: Iterable[str]) -> tuple[Stop, list[Stop]]:
        """Let what was stopped go on by itself; return it, and what is stopped still.

        Raises BadInput for what is not there, or is not stopped under that name.
        """
        said(by, reason)
        with self._database.write() as connection:
            scope, found = _meant(connection, name, connections)
            in_force = find(connection)
            known = _of(in_force, scope, found)
            if known is None:
                there_are = "; ".join(f"{each}: {each.lifted_by}" for each in in_force) or "nothing is stopped"
                raise BadInput(f"{found or 'everything'} is not stopped under this name", name or "", there_are)
            connection.execute(
                update(tables.stop)
                .where(tables.stop.c.scope == scope, tables.stop.c.name == found, tables.stop.c.lifted_at.is_(None))
                .values(rows.plain({"lifted_at": self._clock(), "lifted_by": by, "lifted_reason": reason}))
            )
            self._note(connection, known, "continued", by, reason)
            return known, [each for each in in_force if (each.scope, each.name) != (scope, found)]

    def apart(self, incident: str) -> list[str]:
        """Return what was merged into an incident: each has stops and gates of its own."""
        with self._database.read() as connection:
            return revisions.merged(connection, incident)

    def over(self, incident: str, run: str | None = None) -> list[Stop]:
        """Return what keeps an incident, or one run of it, from going on now: the oldest first."""
        with self._database.read() as connection:
            return over(connection, incident, run)

    def in_force(self) -> list[Stop]:
        """Return what is stopped now, the oldest first."""
        with self._database.read() as connection:
            return find(connection)

    def _note(self, connection: Connection, stop: Stop, what: str, by: str, reason: str) -> int:
        """Tell it in the chain of every incident that is concerned and at work; return how many runs that is."""
        concerned: dict[str, set[str]] = {}
        for run, incident in connection.execute(_unfinished(stop)):
            concerned.setdefault(incident, set()).add(run)
        if stop.scope == INCIDENT:
            concerned.setdefault(stop.name, set())
        without = gone.among(connection, [each for each in concerned if each != stop.name])
        for incident in sorted(concerned.keys() - without):
            told = {"by": by, "what": stop.what, "reason": reason}
            act(connection, incident, {"at": self._clock(), "act": what, **told})
            tell(connection, incident, what, told, self._clock())
        return sum(map(len, concerned.values()))


def _unfinished(stop: Stop) -> Select[Any]:
    branch, run = tables.branch, tables.run
    concerned: dict[str, ColumnElement[bool]] = {
        ALL: true(),
        INCIDENT: branch.c.incident == stop.name,
        CONNECTION: run.c.connection == stop.name,
    }
    return (
        select(branch.c.run, branch.c.incident)
        .join(run, run.c.id == branch.c.run)
        .where(branch.c.state != BranchState.DONE.value, run.c.requested_at.is_not(None), concerned[stop.scope])
        .distinct()
    )


def _of(stops: Sequence[Stop], scope: str, name: str) -> Stop | None:
    return next((each for each in stops if (each.scope, each.name) == (scope, name)), None)


def _meant(connection: Connection, name: str | None, connections: Iterable[str]) -> tuple[str, str]:
    """Return the scope and the name that a person meant. Raises BadInput where it is neither."""
    if name is None:
        return ALL, ""
    newest_first = names.incidents(connection)
    if name == names.LAST and newest_first:
        return INCIDENT, names.last(connection)
    if name in newest_first:
        return INCIDENT, name
    known = {*connections, *connection.execute(select(tables.run.c.connection).distinct()).scalars()}
    if name in known:
        return CONNECTION, name
    close = names.near(name, newest_first) or next(iter(get_close_matches(name, known, n=1)), None)
    mend = f"did you mean `{close}`?" if close else f"connections: {', '.join(sorted(known)) or 'none'}"
    raise BadInput("no incident or connection is called so", name, mend)

"""How far each channel to a SIEM has come in the evidence, and what its next events are made of.

The evidence is the outbox. A place is moved on after the receiver took what stands before it; who sends has the channel
to himself for a while, and a number that grows refuses who comes back too late.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import Connection, RowMapping, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from rotator import clock
from rotator.ledger import service, tables, vendors
from rotator.ledger.database import Database
from rotator.ledger.feed import Feed, Record
from rotator.siem.told import About, Credential, Told

TAKEN_S = 60.0
"""For how long who sends has a channel to himself: longer than any try takes."""
_AGAIN_S, _LATEST_S = 5.0, 300.0
REPLAYED = "siem_replayed"
COUNTED = 100_000
"""Records behind a channel's place that are counted: beyond it so many at least wait."""
_siem = tables.siem


@dataclass(frozen=True, slots=True)
class Stand:
    """A channel's place: `cursor` in the feed, empty for the beginning; what is older than `since` is passed over.

    Times in epoch seconds. `taken` grows with each try; `attempts` failed in a row, the last for `reason`.
    """

    name: str
    cursor: str
    since: float
    taken: int
    due_at: float
    attempts: int
    reason: str | None
    sent: int
    sent_at: float | None

    def before(self, told: Told) -> Stand:
        """Return the place as what it is told next leaves it.

        Behind the word that only later records are to be sent again all are new, whatever the clock said of who wrote
        them: on another machine it may be behind, and a restored ledger is sent from its beginning.
        """
        word = [told.body.get(name) for name in ("act", "name", "since")]
        return replace(self, since=0.0) if word == [REPLAYED, self.name, self.since] else self


class SiemPlaces:
    """The places of all channels."""

    def __init__(self, database: Database, clock: Callable[[], float] = clock.now) -> None:
        self._database, self._clock, self._feed = database, clock, Feed(database)

    def find(self, name: str) -> Stand | None:
        """Return where a channel stands; None for one that has not begun."""
        with self._database.read() as connection:
            row = connection.execute(select(_siem).where(_siem.c.name == name)).mappings().first()
        return None if row is None else Stand(**row)

    def begin(self, name: str) -> Stand:
        """Let a new channel begin behind everything that is committed now; one that has begun stays where it is."""
        self._put(name, self._feed.newest(), 0.0)
        found = self.find(name)
        assert found is not None  # noqa: S101 - it was put there
        return found

    def _put(self, name: str, cursor: str, since: float) -> None:
        row = {"name": name, "cursor": cursor, "since": since, "taken": 0, "due_at": 0.0, "attempts": 0, "sent": 0}
        with self._database.write() as connection:
            putting = postgresql.insert(_siem) if connection.dialect.name != "sqlite" else sqlite.insert(_siem)
            connection.execute(putting.values(row).on_conflict_do_nothing())

    def replay(self, name: str, since: float, by: str) -> None:
        """Have a channel sent all records from that time on again; none older. Who sends just now is refused after.

        It is evidence, since it also keeps records from a channel that has them still to come.
        """
        self._put(name, "", since)
        values = {"cursor": "", "since": since, "taken": _siem.c.taken + 1, "due_at": 0.0, "attempts": 0}
        with self._database.write() as connection:
            connection.execute(update(_siem).where(_siem.c.name == name).values(**values, reason=None))
            told = {"at": self._clock(), "act": REPLAYED, "by": by, "name": name, "since": since}
            service.note(connection, told)

    def next(self, stand: Stand, limit: int) -> list[Record]:
        """Return the records behind a place."""
        return self._feed.after(stand.cursor or None, limit)

    def take(self, stand: Stand) -> Stand | None:
        """Have a channel to oneself for a while; None where another has it, or it may not be tried yet."""
        now = self._clock()
        # Later than any pause of ours: who wrote that had a clock that was ahead.
        is_due = or_(_siem.c.due_at <= now, _siem.c.due_at > now + _LATEST_S)
        mine = (_siem.c.name == stand.name, _siem.c.taken == stand.taken, is_due)
        values = {"taken": stand.taken + 1, "due_at": now + TAKEN_S}
        with self._database.write() as connection:
            row = connection.execute(update(_siem).where(*mine).values(values).returning(*_siem.c)).mappings().first()
        return None if row is None else Stand(**row)

    def passed(self, taken: Stand, cursor: str, events: int) -> bool:
        """Move a place on: what stands before it was taken. False where another has the channel by now."""
        values = {"cursor": cursor, "since": taken.since, "due_at": 0.0, "attempts": 0, "reason": None}
        sent = {"sent": _siem.c.sent + events, **({"sent_at": self._clock()} if events else {})}
        return self._settled(taken, {**values, **sent})

    def failed(self, taken: Stand, reason: str, retry_after: float | None = None) -> bool:
        """Let it be tried again later, from the same place; `retry_after` in seconds, where it was asked for."""
        pause = max(min(_AGAIN_S * 2 ** min(taken.attempts, 10), _LATEST_S), min(retry_after or 0.0, _LATEST_S))
        due_at = self._clock() + pause
        return self._settled(taken, {"due_at": due_at, "attempts": taken.attempts + 1, "reason": reason})

    def _settled(self, taken: Stand, values: dict[str, object]) -> bool:
        mine = (_siem.c.name == taken.name, _siem.c.taken == taken.taken)
        with self._database.write() as connection:
            return bool(connection.execute(update(_siem).where(*mine).values(values)).rowcount)

    def lag(self, stand: Stand) -> tuple[int, float]:
        """Return how many records wait, up to COUNTED, and how many seconds ago the first of them was written."""
        count, first = self._feed.waiting(stand.cursor or None, COUNTED)
        if not first:
            return 0, 0.0
        now = self._clock()
        return count, max(now - _at(json.loads(first), now), 0.0)

    def told(self, records: Sequence[Record]) -> list[Told]:
        """Return records with what the ledger knows of the incidents and runs that they name."""
        bodies, now = [json.loads(each.body) for each in records], self._clock()
        runs = {name for each, body in zip(records, bodies, strict=True) if (name := _run(each.chain, body))}
        with self._database.read() as connection:
            of = [_incident(each, body) for each, body in zip(records, bodies, strict=True)]
            about = _incidents(connection, of)
            credentials = _credentials(connection, runs)
        return [
            Told(each.hash, _at(body, now), body, about.get(name), credentials.get(_run(each.chain, body)))
            for each, body, name in zip(records, bodies, of, strict=True)
        ]


def _at(body: dict[str, object], now: float) -> float:
    """Return when a record was written; of one that does not say it, that it is told now."""
    at = body.get("at")
    return float(at) if isinstance(at, int | float) else now


def _incident(record: Record, body: dict[str, object]) -> str:
    """Name the incident of a record; one of a vendor's chain says for which it was, if it was for one."""
    return str(body.get("incident") or "") if record.chain.startswith(vendors.CHAIN) else record.origin


def _run(chain: str, body: dict[str, object]) -> str:
    """Name the run of a record: a branch's chain begins with it, an act names it; empty for none."""
    named = body.get("run")
    return named if isinstance(named, str) else ".".join(chain.split(".")[:2]) if "." in chain else ""


def _incidents(connection: Connection, names: Iterable[str]) -> dict[str, About]:
    incident, hygiene, drill = tables.incident, tables.hygiene, tables.drill
    query = (
        select(incident.c.id, incident.c.title, incident.c.severity, hygiene.c.incident, drill.c.incident)
        .outerjoin(hygiene, hygiene.c.incident == incident.c.id)
        .outerjoin(drill, drill.c.incident == incident.c.id)
        .where(incident.c.id.in_(sorted(names)))
    )
    return {
        name: About(name, title, severity, routine=policy is not None, drill=played is not None)
        for name, title, severity, policy, played in connection.execute(query)
    }


def _credentials(connection: Connection, names: Iterable[str]) -> dict[str, Credential]:
    run = tables.run
    query = select(run.c.id, run.c.kind, run.c.connection, run.c.owner, run.c.credential)
    rows: Iterable[RowMapping] = connection.execute(query.where(run.c.id.in_(sorted(names)))).mappings()
    return {
        each["id"]: Credential(each["kind"], each["connection"], each["owner"], each["credential"]) for each in rows
    }

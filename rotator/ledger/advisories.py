"""Advisories that arrived by themselves: when each first did, and which vendors it touches; people are told once.

What came is in the service's own chain, and in that of each vendor that it touches. Nothing else is done for it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from sqlalchemy import Connection, RowMapping, delete, func, insert, select, update

from rotator import clock
from rotator.flow.incident import Severity
from rotator.flow.vendor_triage import Advice
from rotator.ledger import rows, service, tables, vendors
from rotator.ledger.database import Database
from rotator.ledger.messages import CRITICALITY, TITLE
from rotator.ledger.notices import tell
from rotator.notices.event import Event

ARRIVED = "advisory_arrived"
TOUCHES = "advisory_touches"
_ARRIVING = 491286125
"""The advisory lock of PostgreSQL under which one is settled at a time: two names may be one event."""
_LONGEST_ABOUT = 40
_SEVERITIES = {Advice.PAUSE: Severity.CRITICAL, Advice.PREPARE: Severity.HIGH, Advice.WATCH: Severity.MEDIUM}
_LOOKS, _LOOKED = "advisories", "looked "
_arrived, _noticed = tables.arrived_advisory, tables.noticed


@dataclass(frozen=True, slots=True)
class Touched:
    """A vendor that an advisory touches: how gravely, and what is recommended. `why` is the likeliest reason."""

    vendor: str
    priority: float
    advice: str
    why: str


@dataclass(frozen=True, slots=True)
class Arrived:
    """An advisory that arrived: `at` first, by `sender`, and as it was triaged last. Times in epoch seconds.

    `touched` are those of whom something speaks for it, the gravest first; of `unknown` vendors it is not known.
    """

    name: str
    names: frozenset[str]
    title: str
    sender: str
    at: float
    published_at: float | None = None
    touched: tuple[Touched, ...] = ()
    unknown: int = 0

    @property
    def severity(self) -> Severity:
        """Return how bad it is that it arrived: as bad as what is recommended of the vendor that it touches worst."""
        worst = {_SEVERITIES[Advice(each.advice)] for each in self.touched}
        return max(worst, key=list(Severity).index, default=Severity.LOW)

    @property
    def command(self) -> str:
        """Return what shows the whole triage."""
        return f"rotator vendor triage {self.name}"


class Advisories:
    """Settle what arrives, and read it."""

    def __init__(self, database: Database, clock: Callable[[], float] = clock.now) -> None:
        self._database, self._clock = database, clock

    def settle(self, found: Arrived) -> Arrived:
        """Keep an advisory with whom it touches, and tell people of those that it did not touch before.

        Under whichever of its names it came before, it is that one. Return it as it stands now.
        """
        now = self._clock()
        with self._database.write() as connection:
            if connection.dialect.name != "sqlite":
                connection.execute(select(func.pg_advisory_xact_lock(_ARRIVING)))
            before = next((each for each in _every(connection) if each.names & found.names), None)
            known = {each.vendor for each in before.touched} if before is not None else set()
            if before is not None:
                names, at = before.names | found.names, min(before.at, found.at)
                found = replace(found, name=before.name, names=names, at=at, sender=before.sender)
                if replace(found, title=before.title) == before:
                    return before
            _write(connection, found, is_new=before is None)
            new = [each for each in found.touched if each.vendor not in known]
            if new:
                _tell(connection, found, new, now)
            _note(connection, found, new, now)
        return found

    def since(self, at: float) -> list[Arrived]:
        """Return those that first arrived from a moment on, the newest first."""
        query = select(_arrived).where(_arrived.c.at >= at).order_by(_arrived.c.at.desc(), _arrived.c.name)
        with self._database.read() as connection:
            return [_of(row) for row in connection.execute(query).mappings()]

    def first(self, names: Collection[str]) -> Arrived | None:
        """Return of those that go by one of these names the one that arrived first; None where none did."""
        if not names:
            return None
        with self._database.read() as connection:
            found = [each for each in _every(connection) if not each.names.isdisjoint(names)]
        return min(found, key=lambda each: each.at, default=None)

    def looked_at(self) -> float | None:
        """Return when it was last asked which packages are newly bad; None where it never was."""
        query = select(_noticed.c.what).where(_noticed.c.incident == _LOOKS)
        with self._database.read() as connection:
            found = connection.execute(query).scalars().all()
        return max((float(each.removeprefix(_LOOKED)) for each in found), default=None)

    def looked(self, at: float) -> None:
        """Say that it was asked then."""
        with self._database.write() as connection:
            connection.execute(delete(_noticed).where(_noticed.c.incident == _LOOKS))
            connection.execute(insert(_noticed).values(incident=_LOOKS, what=f"{_LOOKED}{at:.3f}"))


def _tell(connection: Connection, found: Arrived, new: Sequence[Touched], now: float) -> None:
    facts: dict[str, object] = {
        "touched": [f"{each.vendor} {each.priority:g} {each.advice}" for each in new],
        "unlisted": found.unknown or None,
        "sender": found.sender,
        "command": found.command,
        TITLE: found.title,
        CRITICALITY: found.severity.value,
    }
    tell(connection, f"advisory.{found.name}"[:_LONGEST_ABOUT], Event.VENDORS_TOUCHED, facts, now)


def _note(connection: Connection, found: Arrived, new: Sequence[Touched], now: float) -> None:
    """Write it to the vendors' chains in the one order in which all lock them, and to the service's last."""
    came = {"at": now, "by": found.sender, "advisory": found.name, "arrived_at": found.at}
    for each in sorted(new, key=lambda one: one.vendor):
        told = {name: value for name, value in asdict(each).items() if name != "vendor"}
        vendors.act(connection, each.vendor, {**came, "act": TOUCHES, "published_at": found.published_at, **told})
    of_it = {"names": sorted(found.names), "published_at": found.published_at, "unknown": found.unknown}
    touches = [each.vendor for each in found.touched]
    service.note(connection, {**came, "act": ARRIVED, **of_it, "touches": touches, "new": len(new)})


def _write(connection: Connection, found: Arrived, *, is_new: bool) -> None:
    values: dict[str, Any] = {
        "names": json.dumps(sorted(found.names)),
        "title": found.title,
        "sender": found.sender,
        "at": found.at,
        "published_at": found.published_at,
        "touched": json.dumps([asdict(each) for each in found.touched]),
        "unknown": found.unknown,
    }
    if is_new:
        connection.execute(insert(_arrived).values(name=found.name, **rows.plain(values)))
    else:
        connection.execute(update(_arrived).where(_arrived.c.name == found.name).values(**rows.plain(values)))


def _every(connection: Connection) -> list[Arrived]:
    return [_of(row) for row in connection.execute(select(_arrived).order_by(_arrived.c.at)).mappings()]


def _of(row: RowMapping | Mapping[str, Any]) -> Arrived:
    return Arrived(
        row["name"],
        frozenset(json.loads(row["names"])),
        row["title"],
        row["sender"],
        row["at"],
        row["published_at"],
        tuple(Touched(**each) for each in json.loads(row["touched"])),
        row["unknown"],
    )

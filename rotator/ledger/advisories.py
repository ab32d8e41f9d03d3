"""Advisories that arrived by themselves: when each first did, and which vendors it touches; people are told once.

What came is in the chain of advisories, and in that of each vendor that it touches. Nothing else is done for it. An
ordinary vulnerability touches nobody before a person says so.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from sqlalchemy import Connection, RowMapping, delete, insert, or_, select, update

from rotator import clock
from rotator.flow.incident import Severity
from rotator.flow.vendor_triage import Advice
from rotator.ledger import advisory_chain, rows, tables, vendors
from rotator.ledger.database import Database
from rotator.ledger.messages import CRITICALITY, TITLE
from rotator.ledger.notices import tell
from rotator.notices.event import Event
from rotator.packages.nature import SILENT, Nature, Sign

TOUCHES = "advisory_touches"
_LONGEST_ABOUT, _AT_ONCE = 40, 50
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

    `touched` are those of whom something speaks for it, the gravest first; of `unknown` vendors it is not known. `sign`
    is what its records tell of; who took an ordinary vulnerability for a compromise is `escalated_by`, else "".
    """

    name: str
    names: frozenset[str]
    title: str
    sender: str
    at: float
    published_at: float | None = None
    touched: tuple[Touched, ...] = ()
    unknown: int = 0
    sign: Sign = SILENT
    escalated_by: str = ""
    escalated_why: str = ""

    @property
    def is_ordinary(self) -> bool:
        """Tell whether it is an ordinary vulnerability, of which nobody says otherwise: it touches no vendor."""
        return self.sign.nature is Nature.ORDINARY and not self.escalated_by

    @property
    def what(self) -> str:
        """Say what it is, and by which field of its record or by whose word."""
        if self.escalated_by:
            return f"a compromise, says {self.escalated_by}: {self.escalated_why}"
        return str(self.sign)

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
            advisory_chain.alone(connection)
            before = next(iter(_going_by(connection, found.names)), None)
            known = {each.vendor for each in before.touched} if before is not None else set()
            if before is not None:
                if before.escalated_by and found.is_ordinary:
                    return before  # it was triaged before somebody said so
                names, at = before.names | found.names, min(before.at, found.at)
                found = replace(found, name=before.name, names=names, at=at, sender=before.sender)
                if before.escalated_by:
                    found = replace(found, escalated_by=before.escalated_by, escalated_why=before.escalated_why)
                if replace(found, title=before.title) == before:
                    return before
            row = _write(connection, found, is_new=before is None)
            new = [each for each in found.touched if each.vendor not in known]
            if new:
                _tell(connection, found, new, now)
            _note(connection, found, new, now)
            is_escalated = bool(found.escalated_by) and (before is None or not before.escalated_by)
            _note_arrived(connection, found, row, len(new), now, is_escalated=is_escalated)
        return found

    def escalated(self) -> dict[str, tuple[str, str]]:
        """Return who takes an ordinary vulnerability for a compromise, and why, by each of its names."""
        columns = (_arrived.c.names, _arrived.c.escalated_by, _arrived.c.escalated_why)
        query = select(*columns).where(_arrived.c.escalated_by != "")
        with self._database.read() as connection:
            found = connection.execute(query).all()
        return {name: (by, why) for names, by, why in found for name in json.loads(names)}

    def since(self, at: float) -> list[Arrived]:
        """Return those that first arrived from a moment on, the newest first."""
        query = select(_arrived).where(_arrived.c.at >= at).order_by(_arrived.c.at.desc(), _arrived.c.name)
        with self._database.read() as connection:
            return [_of(row) for row in connection.execute(query).mappings()]

    def first(self, names: Collection[str]) -> Arrived | None:
        """Return of those that go by one of these names the one that arrived first; None where none did."""
        with self._database.read() as connection:
            return next(iter(_going_by(connection, names)), None)

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
    """Write it to the vendors' chains, in the one order in which all lock them."""
    came = {"at": now, "by": found.sender, "advisory": found.name, "arrived_at": found.at}
    for each in sorted(new, key=lambda one: one.vendor):
        told = {name: value for name, value in asdict(each).items() if name != "vendor"}
        vendors.act(connection, each.vendor, {**came, "act": TOUCHES, "published_at": found.published_at, **told})


def _note_arrived(
    connection: Connection, found: Arrived, row: Mapping[str, Any], new: int, now: float, *, is_escalated: bool
) -> None:
    came = {"at": now, "by": found.sender, "arrived_at": found.at, "published_at": found.published_at}
    of_it = {"names": sorted(found.names), "unknown": found.unknown, "what": found.what, "new": new}
    touches = [each.vendor for each in found.touched]
    word = {"by": found.escalated_by, "reason": found.escalated_why} if is_escalated else {}
    told = {**came, **of_it, "touches": touches, **word}
    advisory_chain.note_arrived(connection, row, told, is_escalated=is_escalated)


def _write(connection: Connection, found: Arrived, *, is_new: bool) -> dict[str, Any]:
    """Write its row, and return that."""
    values: dict[str, Any] = {
        "names": json.dumps(sorted(found.names)),
        "title": found.title,
        "sender": found.sender,
        "at": found.at,
        "published_at": found.published_at,
        "touched": json.dumps([asdict(each) for each in found.touched]),
        "unknown": found.unknown,
        "nature": found.sign.nature.value,
        "told_by": json.dumps([found.sign.field, found.sign.value]),
        "escalated_by": found.escalated_by,
        "escalated_why": found.escalated_why,
    }
    row = rows.plain(values)
    if is_new:
        connection.execute(insert(_arrived).values(name=found.name, **row))
    else:
        connection.execute(update(_arrived).where(_arrived.c.name == found.name).values(**row))
    return {"name": found.name, **row}


def _going_by(connection: Connection, names: Collection[str]) -> list[Arrived]:
    """Return those that go by one of these names, the one that arrived first before the others."""
    found: dict[str, Arrived] = {}
    asked = sorted(names)
    for start in range(0, len(asked), _AT_ONCE):
        some = map(json.dumps, asked[start : start + _AT_ONCE])
        has_one = or_(*(_arrived.c.names.contains(each, autoescape=True) for each in some))
        rows_of = connection.execute(select(_arrived).where(has_one)).mappings()
        found |= {each.name: each for each in map(_of, rows_of) if not each.names.isdisjoint(names)}
    return sorted(found.values(), key=lambda each: (each.at, each.name))


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
        Sign(Nature(row["nature"]), *json.loads(row["told_by"] or '["", ""]')),
        row["escalated_by"],
        row["escalated_why"],
    )

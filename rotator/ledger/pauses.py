"""Pauses in the ledger: a vendor is cut off by an incident, nothing new is made for it, until it is let in again.

A pause is written in the transaction that declares its incident. Of what it holds back see `pause_guard.py`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, RowMapping, func, insert, select, update

from rotator import clock
from rotator.credential import CredentialRef
from rotator.errors import BadInput
from rotator.flow.narrowing import Reach, together
from rotator.ledger import leak_safe, notices, pause_guard, pause_held, revisions, rows, tables, vendors
from rotator.ledger.database import Database
from rotator.ledger.pause_guard import IS_OPEN
from rotator.notices.event import Event

if TYPE_CHECKING:
    from rotator.ledger.enrolment import Then

PAUSED = "vendor_paused"
AGAIN = "vendor_paused_again"
RESTORED = "vendor_restored"
_pause = tables.pause


@dataclass(frozen=True, slots=True)
class Pause:
    """One pause. Times in epoch seconds; `checklist` is as it was then, `notices` are those for which it was.

    `datasets` are those that were reached then, with the manifest of each that the registry named, "" where it did not;
    `reach` is what all that it held reached. Both grow as it is paused again. `reach` is None of one that is older than
    what keeps it: plans name connections alone, and no record tells what the configuration said then.
    """

    vendor: str
    number: int
    incident: str
    at: float
    by: str
    reason: str
    checklist: str
    notices: tuple[str, ...] = ()
    restored_at: float | None = None
    restored_by: str | None = None
    restored_why: str | None = None
    datasets: Mapping[str, str] = field(default_factory=dict)
    reach: Reach | None = field(default_factory=Reach)

    @property
    def is_open(self) -> bool:
        """Tell whether the vendor is paused still."""
        return self.restored_at is None


class Pauses:
    """Read them. Each use of the ledger is one transaction."""

    def __init__(self, database: Database, clock: Callable[[], float] = clock.now) -> None:
        self._database, self._clock = database, clock

    def paused(self) -> set[str]:
        """Return the names of the vendors that are paused now."""
        with self._database.read() as connection:
            return paused(connection)

    def held(self) -> Mapping[tuple[str, str, str], str]:
        """Return which vendor that is paused now held each credential as it was, by its kind, connection and id."""
        with self._database.read() as connection:
            return pause_held.of_open(connection)

    def of(self, vendor: str) -> Pause | None:
        """Return the pause of a vendor that is open, None where it is not paused."""
        with self._database.read() as connection:
            return pause_of(connection, vendor)

    def every(self, vendor: str | None = None) -> list[Pause]:
        """Return every pause, of one vendor or of all, the newest first."""
        query = select(_pause).order_by(_pause.c.at.desc(), _pause.c.vendor)
        with self._database.read() as connection:
            found = connection.execute(query if vendor is None else query.where(_pause.c.vendor == vendor))
            return [_of(row) for row in found.mappings()]

    def told_under(self, pause: Pause) -> str:
        """Return the incident under which a pause is told now: its own may have been merged into another."""
        incident, found = tables.incident, pause.incident
        with self._database.read() as connection:
            while into := connection.execute(select(incident.c.merged_into).where(incident.c.id == found)).scalar():
                found = into
        return found

    def spoken_of(self, pause: Pause) -> set[str]:
        """Return what the incident of a pause has of its vendor, in the words of `held_as`.

        It is called as it was when it was paused, and as its issuer has named it since.
        """
        exposure, run, under = tables.exposure, tables.run, self.told_under(pause)
        said = held_as(pause.vendor)
        names = (run.c.provider, run.c.connection, run.c.owner, run.c.credential)
        with self._database.read() as connection:
            family = [under, *revisions.merged(connection, under)]
            query = (
                select(exposure.c.path, *names)
                .select_from(exposure.outerjoin(run, run.c.id == exposure.c.run))
                .where(exposure.c.incident.in_(family), exposure.c.path.startswith(said, autoescape=True))
            )
            found = set[str]()
            for path, *name in connection.execute(query):
                found |= {path} if name[0] is None else {path, f"{said}{CredentialRef(*name)}"}
            return found


def held_as(vendor: str) -> str:
    """Return how the place of an exposure begins that is one since a vendor holds it; the credential follows."""
    return f"vendor {vendor}: "


def paused(connection: Connection) -> set[str]:
    """Return the names of the vendors that are paused now."""
    return set(connection.execute(select(_pause.c.vendor).where(IS_OPEN)).scalars())


def pause_of(connection: Connection, name: str, *, lock: bool = False) -> Pause | None:
    """Return the pause of a vendor that is open, None where it is not paused; `lock` it until the transaction ends."""
    query = select(_pause).where(_pause.c.vendor == name, IS_OPEN)
    row = connection.execute(query.with_for_update() if lock else query).mappings().first()
    return None if row is None else _of(row)


def of_incident(connection: Connection, incident: str) -> tuple[Pause, ...]:
    """Return the pauses that an incident is, the oldest first."""
    query = select(_pause).where(_pause.c.incident == incident).order_by(_pause.c.at, _pause.c.vendor)
    return tuple(_of(row) for row in connection.execute(query).mappings())


def begin(
    connection: Connection, pause: Pause, record: Mapping[str, Any], held: Collection[CredentialRef] = ()
) -> Pause:
    """Write a pause, of whatever number, and its record; return it. Nothing new is made for its vendor from now on.

    Nor in place of what it `held`, as issuers name that. Raises BadInput where the vendor is paused already: two may
    have begun at once.
    """
    vendor = tables.vendor.c.name
    connection.execute(select(vendor).where(vendor == pause.vendor).with_for_update()).one()
    if (there := pause_of(connection, pause.vendor)) is not None:
        what = f"it is paused already, by {there.by} in {there.incident}"
        raise BadInput(what, pause.vendor, "pause it again: what it holds by now is added there")
    last = select(func.coalesce(func.max(_pause.c.number), 0)).where(_pause.c.vendor == pause.vendor)
    number = connection.execute(last).scalar_one() + 1
    written = {"notices": json.dumps(pause.notices), **_grown(pause.datasets, pause.reach)}
    kept = {**asdict(pause), "number": number, **written}
    connection.execute(insert(_pause).values(**rows.plain(kept)))
    told = {"at": pause.at, "act": PAUSED, "by": pause.by, "reason": pause.reason, "pause": number, **record}
    told |= {"notices": list(pause.notices), "checklist": json.loads(pause.checklist)}
    told |= {"datasets": pause.datasets, "reach": _words(pause.reach)}
    told["kept"] = pause_held.keep(connection, pause.vendor, number, held, pause.by, pause.at)
    vendors.act(connection, pause.vendor, told, pause.incident)
    facts = {"vendor": pause.vendor, "by": pause.by, "reason": pause.reason}
    notices.tell(connection, pause.incident, Event.PAUSED, facts, pause.at)
    pause_guard.end_what_begins(connection)
    return next(each for each in _all_of(connection, pause.vendor) if each.number == number)


def beginning(pause: Pause, record: Mapping[str, Any], held: Collection[CredentialRef]) -> Then:
    """Return what writes a pause in the transaction that declares its incident."""

    def begin_it(connection: Connection, incident: str, _digest: str) -> None:
        begin(connection, replace(pause, incident=incident), record, held)

    return begin_it


def again(
    connection: Connection, pause: Pause, found: Pause, record: Mapping[str, Any], held: Collection[CredentialRef]
) -> None:
    """Keep that somebody paused a vendor that is paused, and what was `found` since; what was kept before stays.

    The incident of the pause is locked by who calls. Raises BadInput where it is paused no more.
    """
    there = pause_of(connection, pause.vendor, lock=True)
    if there is None or there.number != pause.number:
        raise BadInput("it is not paused any more", pause.vendor, "somebody let it in again meanwhile: pause it anew")
    named = {name: manifest for name, manifest in there.datasets.items() if manifest}
    datasets = {**there.datasets, **found.datasets, **named}
    reach = together([there.reach, found.reach]) if there.reach and found.reach else None
    is_it = (_pause.c.vendor == pause.vendor, _pause.c.number == pause.number)
    connection.execute(update(_pause).where(*is_it).values(**_grown(datasets, reach)))
    told = {"at": found.at, "act": AGAIN, "by": found.by, "reason": found.reason, "pause": pause.number, **record}
    told |= {"datasets": datasets, "reach": _words(reach)}
    told["kept"] = pause_held.keep(connection, pause.vendor, pause.number, held, found.by, found.at)
    vendors.act(connection, pause.vendor, told, pause.incident)
    pause_guard.end_what_begins(connection)


def restore(  # noqa: PLR0917 - an act
    connection: Connection, pause: Pause, by: str, reason: str, at: float, record: Mapping[str, Any]
) -> None:
    """End a pause, with its record; what it held back goes on by itself. Raises BadInput where it is over already."""
    ended = rows.plain({"restored_at": at, "restored_by": by, "restored_why": reason})
    is_it = (_pause.c.vendor == pause.vendor, _pause.c.number == pause.number, IS_OPEN)
    if connection.execute(update(_pause).where(*is_it).values(ended)).rowcount != 1:
        raise BadInput("it is not paused any more", pause.vendor, "somebody let it in again meanwhile")
    told = {"at": at, "act": RESTORED, "by": by, "reason": reason, "pause": pause.number, **record}
    vendors.act(connection, pause.vendor, told, pause.incident)
    facts = {"vendor": pause.vendor, "by": by, "reason": reason}
    notices.tell(connection, pause.incident, Event.RESTORED, facts, at)
    connection.execute(leak_safe.WAKE)


def _all_of(connection: Connection, vendor: str) -> list[Pause]:
    return [_of(row) for row in connection.execute(select(_pause).where(_pause.c.vendor == vendor)).mappings()]


def _grown(datasets: Mapping[str, str], reach: Reach | None) -> dict[str, str]:
    return {name: json.dumps(told, sort_keys=True) for name, told in (("datasets", datasets), ("reach", _words(reach)))}


def _words(reach: Reach | None) -> dict[str, Any]:
    return {} if reach is None else asdict(reach)


def _of(row: RowMapping) -> Pause:
    known = json.loads(row["reach"])
    reach = Reach(**{name: tuple(told) for name, told in known.items()}) if known else None
    told = {"notices": tuple(json.loads(row["notices"])), "datasets": json.loads(row["datasets"]), "reach": reach}
    return Pause(**{**row, **told})

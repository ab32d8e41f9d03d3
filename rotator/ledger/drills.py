"""Drills: which incidents are one, what each has minted, and what keeps it from touching anything else.

A drill's row stands before anything is minted, and a canary's row before it is asked for: whatever is killed, what was
made can be found again.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, Connection, FromClause, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from rotator import clock
from rotator.credential import CredentialRef
from rotator.errors import BadInput
from rotator.flow.planned import Plan
from rotator.ledger import tables
from rotator.ledger.database import Database

if TYPE_CHECKING:
    from rotator.canary import Canary

_drill, _canary, _run = tables.drill, tables.canary, tables.run


@dataclass(frozen=True, slots=True)
class DrillRow:
    """One drill as it was begun, and how it ended. Times in epoch seconds; `slot` is the window it was due in."""

    incident: str
    name: str
    trigger: str
    by: str
    at: float
    slot: float | None = None
    page: bool = False
    ended_at: float | None = None
    outcome: str | None = None


@dataclass(frozen=True, slots=True)
class Minted:
    """What one drill mints. Implements `canary.Keeping`, each word of it in a transaction of its own."""

    database: Database
    drill: str

    def intend(self, canary: Canary) -> None:
        """Write it down before it is made."""
        with self.database.write() as connection:
            refuse_ended(connection, self.drill)
            number = len(canaries(connection, [self.drill])) + 1
            values = {name: getattr(canary, name) for name in ("kind", "connection", "owner", "marker", "credential")}
            told = {**values, "before": json.dumps(canary.before), "asked_at": canary.at}
            connection.execute(insert(_canary).values(drill=self.drill, number=number, **told))

    def made(self, marker: str, credential: str) -> None:
        """Write down which credential it is; a drill that was taken for left meanwhile has one to take away again."""
        with self.database.write() as connection:
            self._set(connection, marker, credential=credential, removed_at=None)
            ended = (_drill.c.incident == self.drill, _drill.c.ended_at.is_not(None))
            connection.execute(update(_drill).where(*ended).values(ended_at=None, outcome=None))

    def gone(self, marker: str) -> None:
        """Write down that nothing is left of it at its issuer."""
        with self.database.write() as connection:
            self._set(connection, marker, removed_at=clock.now())

    def _set(self, connection: Connection, marker: str, **values: object) -> None:
        is_it = (_canary.c.drill == self.drill, _canary.c.marker == marker)
        connection.execute(update(_canary).where(*is_it).values(**values))


def is_none(table: FromClause) -> ColumnElement[bool]:
    """Match rows of incidents that are no drills."""
    return table.c.incident.not_in(select(_drill.c.incident))


def is_one(table: FromClause) -> ColumnElement[bool]:
    """Match rows of drills, which are few: by their incidents, where an index has them."""
    return table.c.incident.in_(select(_drill.c.incident))


def find(connection: Connection, incident: str) -> DrillRow | None:
    """Return the drill that an incident is, None where it is real."""
    row = connection.execute(select(_drill).where(_drill.c.incident == incident)).mappings().first()
    return None if row is None else _drill_of(row)


def is_declared(connection: Connection, incident: str) -> bool:
    """Tell whether its incident is there: what was killed before that has made canaries at most."""
    return connection.execute(select(tables.incident.c.id).where(tables.incident.c.id == incident)).first() is not None


def named(connection: Connection, incidents: Collection[str]) -> Mapping[str, str]:
    """Return the name of each of these incidents that is a drill."""
    query = select(_drill.c.incident, _drill.c.name).where(_drill.c.incident.in_(sorted(incidents)))
    return {incident: name for incident, name in connection.execute(query)}  # noqa: C416 - rows


def is_quiet(connection: Connection, incident: str) -> bool:
    """Tell whether an incident is a drill for which nobody is to be woken."""
    found = connection.execute(select(_drill.c.page).where(_drill.c.incident == incident)).scalar()
    return found == 0


def refuse_foreign(connection: Connection, incident: str, plan: Plan) -> None:
    """Raise BadInput where the plan of a drill names anything that this drill did not mint."""
    if find(connection, incident) is None:
        return
    minted = {each.ref for each in canaries(connection, [incident]) if each.credential is not None}
    strange = [
        *(str(each.ref) for each in plan.runs if each.ref not in minted),
        *(each.key for each in plan.manual),
        *(each.key for each in plan.excluded),
    ]
    if strange:
        raise BadInput(
            f"a drill answers what it minted and nothing else, and this names {strange[0]}",
            incident,
            "if it leaked, declare it as an incident of its own",
        )


def refuse_merging(connection: Connection, incidents: Iterable[str]) -> None:
    """Raise BadInput where one of these is a drill: what is real would be told as one, or a drill as real."""
    for incident, name in named(connection, list(incidents)).items():
        raise BadInput(f"it is the drill {name}", incident, "a drill stays by itself")


def begin(connection: Connection, drill: DrillRow) -> None:
    """Write down that a drill begins, before anything is minted for it. Raises BadInput where its window had one."""
    values = {name: getattr(drill, name) for name in ("incident", "name", "trigger", "by", "at", "slot")}
    try:
        connection.execute(insert(_drill).values(**values, page=int(drill.page)))
    except IntegrityError:
        raise BadInput("it was begun in this window already", f"drill {drill.name}", "rotator drill list") from None


def refuse_ended(connection: Connection, incident: str) -> None:
    """Raise BadInput where a drill has ended: its process stood so long that another took it for left."""
    row = find(connection, incident)
    if row is not None and row.ended_at is not None:
        raise BadInput("it was ended meanwhile, as it stood too long", incident, "hold it again")


def end(connection: Connection, incident: str, outcome: str, at: float) -> bool:
    """Write down how a drill ended; False where somebody has before, or a canary may be left."""
    left = select(_canary.c.number).where(_canary.c.drill == incident, _canary.c.removed_at.is_(None)).exists()
    open_still = (_drill.c.incident == incident, _drill.c.ended_at.is_(None), ~left)
    return connection.execute(update(_drill).where(*open_still).values(ended_at=at, outcome=outcome)).rowcount == 1


def unended(connection: Connection) -> list[DrillRow]:
    """Return the drills that are under way, or were left."""
    query = select(_drill).where(_drill.c.ended_at.is_(None)).order_by(_drill.c.at, _drill.c.incident)
    return [_drill_of(row) for row in connection.execute(query).mappings()]


def every(connection: Connection) -> list[DrillRow]:
    """Return all drills, the latest first."""
    query = select(_drill).order_by(_drill.c.at.desc(), _drill.c.incident.desc())
    return [_drill_of(row) for row in connection.execute(query).mappings()]


def canaries(connection: Connection, incidents: Collection[str], *, left: bool = False) -> list[Canary]:
    """Return what these drills minted, or were about to; of which nobody has seen the end, if only that is asked."""
    query = select(_canary).where(_canary.c.drill.in_(sorted(incidents))).order_by(_canary.c.drill, _canary.c.number)
    still = query.where(_canary.c.removed_at.is_(None)) if left else query
    return [_canary_of(row) for row in connection.execute(still).mappings()]


def replacements(connection: Connection, incident: str) -> list[CredentialRef]:
    """Return what was minted in a drill's incident to replace its canaries, late mints of lost workers included."""
    late, found = tables.late, list[CredentialRef]()
    named = (_run.c.provider, _run.c.connection, _run.c.owner)
    made = select(*named, _run.c.replacement).where(_run.c.incident == incident, _run.c.replacement.is_not(None))
    lost = select(*named, late.c.credential).join(late, late.c.run == _run.c.id).where(_run.c.incident == incident)
    for query in (made, lost):
        found += [CredentialRef(*row) for row in connection.execute(query)]
    return sorted(set(found))


def of_owner(connection: Connection, ref: CredentialRef) -> set[str]:
    """Return the ids of all canaries that any drill ever minted for an owner."""
    owner = (_canary.c.kind, _canary.c.connection, _canary.c.owner)
    names = (ref.provider, ref.connection, ref.owner)
    is_it = (column == name for column, name in zip(owner, names, strict=True))
    query = select(_canary.c.credential).where(*is_it, _canary.c.credential.is_not(None))
    return set(connection.execute(query).scalars())


def last_slot(connection: Connection, name: str) -> float | None:
    """Return the latest window in which a scheduled drill of this name began."""
    return connection.execute(select(func.max(_drill.c.slot)).where(_drill.c.name == name)).scalar()


def _drill_of(row: Any) -> DrillRow:
    return DrillRow(**{**row, "page": bool(row["page"])})


def _canary_of(row: Any) -> Canary:
    from rotator.canary import Canary  # noqa: PLC0415 - only who drills waits for what mints one

    names = ("kind", "connection", "owner", "marker", "credential")
    return Canary(**{name: row[name] for name in names}, at=row["asked_at"], before=tuple(json.loads(row["before"])))

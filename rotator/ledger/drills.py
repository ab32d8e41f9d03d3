"""Drills: which incidents are one, what each has minted, and what keeps it from touching anything else.

A drill's row stands before anything is minted, and a canary's row before it is asked for: whatever is killed, what was
made can be found again.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, FromClause, func, insert, select, update

from rotator.credential import CredentialRef
from rotator.errors import BadInput
from rotator.flow.planned import Plan
from rotator.ledger import tables

_drill, _canary = tables.drill, tables.canary


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
class Canary:
    """One credential that a drill minted or was about to: `ref.id` is "" while nobody knows what came of it."""

    drill: str
    number: int
    ref: CredentialRef
    marker: str
    before: tuple[str, ...]
    asked_at: float
    removed_at: float | None = None


def is_none(table: FromClause) -> ColumnElement[bool]:
    """Match rows of incidents that are no drills."""
    return table.c.incident.not_in(select(_drill.c.incident))


def find(connection: Connection, incident: str) -> DrillRow | None:
    """Return the drill that an incident is, None where it is real."""
    row = connection.execute(select(_drill).where(_drill.c.incident == incident)).mappings().first()
    return None if row is None else _drill_of(row)


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
    minted = {each.ref for each in canaries(connection, [incident]) if each.ref.id}
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
    """Write down that a drill begins, before anything is minted for it."""
    values = {name: getattr(drill, name) for name in ("incident", "name", "trigger", "by", "at", "slot")}
    connection.execute(insert(_drill).values(**values, page=int(drill.page)))


def intend(connection: Connection, canary: Canary) -> None:
    """Write down what is about to be minted."""
    ref = canary.ref
    connection.execute(
        insert(_canary).values(
            drill=canary.drill,
            number=canary.number,
            kind=ref.provider,
            connection=ref.connection,
            owner=ref.owner,
            marker=canary.marker,
            before=json.dumps(canary.before),
            asked_at=canary.asked_at,
        )
    )


def minted(connection: Connection, canary: Canary, credential: str) -> None:
    """Write down which credential came of it."""
    _set(connection, canary, credential=credential)


def removed(connection: Connection, canary: Canary, at: float) -> None:
    """Write down that nothing is left of it at its issuer."""
    _set(connection, canary, removed_at=at)


def _set(connection: Connection, canary: Canary, **values: object) -> None:
    is_it = (_canary.c.drill == canary.drill, _canary.c.number == canary.number)
    connection.execute(update(_canary).where(*is_it).values(**values))


def end(connection: Connection, incident: str, outcome: str, at: float) -> bool:
    """Write down how a drill ended; False where somebody has before."""
    open_still = (_drill.c.incident == incident, _drill.c.ended_at.is_(None))
    return connection.execute(update(_drill).where(*open_still).values(ended_at=at, outcome=outcome)).rowcount == 1


def unended(connection: Connection) -> list[DrillRow]:
    """Return the drills that are under way, or were left."""
    query = select(_drill).where(_drill.c.ended_at.is_(None)).order_by(_drill.c.at, _drill.c.incident)
    return [_drill_of(row) for row in connection.execute(query).mappings()]


def every(connection: Connection) -> list[DrillRow]:
    """Return all drills, the latest first."""
    query = select(_drill).order_by(_drill.c.at.desc(), _drill.c.incident.desc())
    return [_drill_of(row) for row in connection.execute(query).mappings()]


def canaries(connection: Connection, incidents: Collection[str]) -> list[Canary]:
    """Return what these drills minted, or were about to."""
    query = select(_canary).where(_canary.c.drill.in_(sorted(incidents))).order_by(_canary.c.drill, _canary.c.number)
    return [_canary_of(row) for row in connection.execute(query).mappings()]


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
    ref = CredentialRef(row["kind"], row["connection"], row["owner"], row["credential"] or "")
    told = {name: row[name] for name in ("drill", "number", "marker", "asked_at", "removed_at")}
    return Canary(ref=ref, before=tuple(json.loads(row["before"])), **told)

"""The responses of a period, read from what the ledger knows of runs and tasks; steps are not asked.

A response is of the period in which it came to its incident. What has become of it since is told as it is now.
Scheduled hygiene answers no exposure, and a drill none that was real: none of them is here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, func, or_, select

from rotator.flow.proof import Evidence
from rotator.flow.punctuality import Duty
from rotator.flow.response import Response
from rotator.ledger import drills, duties, gone, pause_gates, tables
from rotator.ledger.database import Database
from rotator.ledger.duties import Survey
from rotator.ledger.pause_gates import Override

_hygiene, _incident, _run, _manual, _plan, _approval = (
    tables.hygiene,
    tables.incident,
    tables.run,
    tables.manual,
    tables.plan,
    tables.approval,
)
_FEW = 500
"""Names that are given to the database in one go."""
_came_at = func.coalesce(_plan.c.made_at, _incident.c.declared_at)
"""When a credential came: a release that kept no plans knows when its incident was declared."""


@dataclass(frozen=True, slots=True)
class Unapproved:
    """What began by one person alone, or by a standing order, and who has looked at it since, "" for nobody."""

    incident: str
    plan: str
    scope: str
    by: str
    at: float
    glass: str
    order: str
    reviewed_by: str


@dataclass(frozen=True, slots=True)
class Found:
    """What the ledger knows of a period."""

    responses: list[Response]
    unapproved: list[Unapproved]
    drills: list[Response] = field(default_factory=list)
    """How canaries were answered that a drill leaked in it: nothing else counts them."""
    without_evidence: int = 0
    """How many real incidents of it have no evidence any more, and are in nothing above."""
    duties: list[Duty] = field(default_factory=list)
    """What was noted in it as due by hygiene, which is no exposure."""
    survey: Survey | None = None
    """How old what hygiene selects was, by the newest survey in it."""
    overrides: list[Override] = field(default_factory=list)
    """Whose gates were opened against what was found, ever before its end: that is told for good."""


def find(database: Database, begin: float, end: float) -> Found:
    """Return what came to its incident, or began without approval, from `begin` on and before `end`, epoch seconds."""
    with database.read() as connection:
        due, survey = duties.find(connection, begin, end)
        return Found(
            responses=[*_runs(connection, _of_period(_RUN, _run, begin, end)), *_tasks(connection, begin, end)],
            unapproved=_unapproved(connection, begin, end),
            drills=drilled(connection, begin, end),
            overrides=pause_gates.overrides(connection, before=end),
            without_evidence=_without_evidence(connection, begin, end),
            duties=due,
            survey=survey,
        )


def came(connection: Connection, incidents: Sequence[str]) -> dict[str, list[float]]:
    """Return when credentials came to each of these incidents, in epoch seconds; of real ones alone."""
    found: dict[str, set[float]] = {}
    for start in range(0, len(incidents), _FEW):
        for table in (_run, _manual):
            query = _joined(select(table.c.incident, _came_at.label("at")), table).where(*_real(table)).distinct()
            for row in connection.execute(query.where(table.c.incident.in_(incidents[start : start + _FEW]))):
                found.setdefault(row.incident, set()).add(row.at)
    return {name: sorted(at) for name, at in found.items()}


def _without_evidence(connection: Connection, begin: float, end: float) -> int:
    found: set[str] = set()
    for table in (_run, _manual):
        query = _joined(select(table.c.incident), table).where(*_real(table), gone.is_gone(_incident.c.id)).distinct()
        found |= set(connection.execute(query.where(_came_at >= begin, _came_at < end)).scalars())
    return len(found)


def drilled(connection: Connection, begin: float, end: float, incident: str = "") -> list[Response]:
    """Return how the canaries of drills were answered that came to them in that time; of one drill alone, if asked."""
    query = _RUN.where(_run.c.incident == incident) if incident else _RUN
    return _runs(connection, _between(query, _run, begin, end).where(drills.is_one(_run)))


def of_vendors(database: Database, begin: float, end: float, vendor: str = "") -> tuple[list[Response], list[Response]]:
    """Return how what vendors held was answered that came in that time, in real incidents and in drills; or of one."""
    query = _RUN.where(_run.c.vendor == vendor if vendor else _run.c.vendor != "")
    with database.read() as connection:
        of_drills = _between(query, _run, begin, end).where(drills.is_one(_run))
        return _runs(connection, _of_period(query, _run, begin, end)), _runs(connection, of_drills)


def _of_period(query: Select[Any], table: Any, begin: float, end: float) -> Select[Any]:
    """Ask of real incidents alone."""
    return _between(query, table, begin, end).where(*_real(table))


def _real(table: Any) -> tuple[ColumnElement[bool], ...]:
    return (_incident.c.id.not_in(select(_hygiene.c.incident)), drills.is_none(table))


def _between(query: Select[Any], table: Any, begin: float, end: float) -> Select[Any]:
    """Ask with when it was detected and came; a release that kept no plans knows both of the incident alone."""
    asked = query.add_columns(
        func.coalesce(_plan.c.detected_at, _incident.c.detected_at).label("detected_at"),
        _came_at.label("declared_at"),
        _incident.c.exposed_at,
        _incident.c.severity,
    )
    there = (_came_at >= begin, _came_at < end, ~gone.is_gone(_incident.c.id))
    return _joined(asked, table).where(*there)


def _joined(query: Select[Any], table: Any) -> Select[Any]:
    of_it = and_(_plan.c.incident == table.c.incident, _plan.c.number == table.c.revision)
    return query.join(_incident, _incident.c.id == table.c.incident).outerjoin(_plan, of_it)


_RUN = select(
    _run.c.id,
    _run.c.incident,
    _run.c.kind,
    _run.c.connection,
    _run.c.owner,
    _run.c.credential,
    _run.c.strategy,
    _run.c.weight,
    _run.c.vendor,
    _run.c.consumers,
    _run.c.dismissed,
    _run.c.risk_accepted,
    _run.c.requested_at,
    _run.c.acknowledged_at,
    _run.c.contained_at,
    _run.c.dead_at,
    _run.c.evidence,
    _run.c.replaced_at,
    _run.c.converged_at,
    _run.c.let_in_at,
)


def _runs(connection: Connection, query: Select[Any]) -> list[Response]:
    return [
        Response(
            of=row.id,
            incident=row.incident,
            severity=row.severity,
            provider=row.kind,
            connection=row.connection,
            owner=row.owner,
            credential=row.credential,
            detected_at=row.detected_at,
            declared_at=row.declared_at,
            exposed_at=row.exposed_at,
            strategy=row.strategy,
            weight=row.weight,
            vendor=row.vendor,
            consumers=row.consumers != "[]",
            dismissed=row.dismissed,
            risk_accepted=row.risk_accepted,
            requested_at=row.requested_at,
            acknowledged_at=row.acknowledged_at,
            contained_at=row.contained_at,
            dead_at=row.dead_at if row.evidence == Evidence.PROVEN else None,
            stated=row.evidence == Evidence.STATED,
            replaced_at=row.replaced_at,
            converged_at=row.converged_at,
            is_let_in=row.let_in_at is not None and row.evidence == Evidence.NONE,
        )
        for row in connection.execute(query)
    ]


def _tasks(connection: Connection, begin: float, end: float) -> list[Response]:
    query = select(
        *(_manual.c[name] for name in ("id", "incident", "kind", "connection", "key", "reason", "dismissed"))
    )
    return [
        Response(
            of=row.id,
            incident=row.incident,
            severity=row.severity,
            provider=row.kind or "",
            connection=row.connection,
            owner="",
            credential=row.key,
            detected_at=row.detected_at,
            declared_at=row.declared_at,
            exposed_at=row.exposed_at,
            dismissed=row.dismissed,
            reason=row.reason,
        )
        for row in connection.execute(_of_period(query, _manual, begin, end))
    ]


def _unapproved(connection: Connection, begin: float, end: float) -> list[Unapproved]:
    alone = or_(_approval.c.glass != "", _approval.c.standing_order != "")
    there = (_approval.c.at >= begin, _approval.c.at < end, ~gone.is_gone(_approval.c.incident))
    query = select(_approval).where(alone, *there).order_by(_approval.c.id)
    return [
        Unapproved(
            incident=row.incident,
            plan=row.digest,
            scope=row.scope,
            by=row.by,
            at=row.at,
            glass=row.glass,
            order=row.standing_order,
            reviewed_by=row.reviewed_by or "",
        )
        for row in connection.execute(query)
    ]

"""The responses of a period, read from what the ledger knows of runs and tasks; steps are not asked.

A response is of the period in which it came to its incident. What has become of it since is told as it is now.
Scheduled hygiene answers no exposure, and a drill none that was real: none of them is here.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Select, and_, func, or_, select

from rotator.flow.proof import Evidence
from rotator.flow.response import Response
from rotator.ledger import drills, tables
from rotator.ledger.database import Database

_hygiene, _incident, _run, _manual, _plan, _approval = (
    tables.hygiene,
    tables.incident,
    tables.run,
    tables.manual,
    tables.plan,
    tables.approval,
)


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


def find(database: Database, begin: float, end: float) -> Found:
    """Return what came to its incident, or began without approval, from `begin` on and before `end`, epoch seconds."""
    with database.read() as connection:
        responses = [*_runs(connection, _of_period(_RUN, _run, begin, end)), *_tasks(connection, begin, end)]
        return Found(responses, _unapproved(connection, begin, end), drilled(connection, begin, end))


def drilled(connection: Connection, begin: float, end: float, incident: str = "") -> list[Response]:
    """Return how the canaries of drills were answered that came to them in that time; of one drill alone, if asked."""
    query = _RUN.where(_run.c.incident == incident) if incident else _RUN
    return _runs(connection, _between(query, _run, begin, end).where(drills.is_one(_run)))


def _of_period(query: Select[Any], table: Any, begin: float, end: float) -> Select[Any]:
    """Ask of real incidents alone."""
    real = (_incident.c.id.not_in(select(_hygiene.c.incident)), drills.is_none(table))
    return _between(query, table, begin, end).where(*real)


def _between(query: Select[Any], table: Any, begin: float, end: float) -> Select[Any]:
    """Ask with when it was detected and came; a release that kept no plans knows both of the incident alone."""
    of_it = and_(_plan.c.incident == table.c.incident, _plan.c.number == table.c.revision)
    came = func.coalesce(_plan.c.made_at, _incident.c.declared_at)
    return (
        query.add_columns(
            func.coalesce(_plan.c.detected_at, _incident.c.detected_at).label("detected_at"),
            came.label("declared_at"),
            _incident.c.exposed_at,
            _incident.c.severity,
        )
        .join(_incident, _incident.c.id == table.c.incident)
        .outerjoin(_plan, of_it)
        .where(came >= begin, came < end)
    )


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
    query = select(_approval).where(alone, _approval.c.at >= begin, _approval.c.at < end).order_by(_approval.c.id)
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

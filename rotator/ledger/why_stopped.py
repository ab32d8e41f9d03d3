"""Why a person stopped or dismissed what would go on, asked within a query; NULL when nobody did."""

from __future__ import annotations

import functools
from typing import Any

from sqlalchemy import ColumnElement, FromClause, and_, func, literal, or_, select

from rotator.flow.dismissal import DISMISSED
from rotator.flow.planned import Lane
from rotator.ledger import tables

_branch = tables.branch
_BESIDE = [Lane.REPLACE.value, Lane.HYGIENE.value]
"""The lanes in which secrets are delivered."""


def of(
    incident: ColumnElement[str],
    connection: ColumnElement[str],
    run: ColumnElement[str],
    lane: ColumnElement[str],
    *,
    outside: tuple[FromClause, ...] = (),
) -> ColumnElement[Any]:
    """Ask why a person dismissed or stopped it, beside rows of what is `outside`; NULL when nobody did.

    A connection's stop keeps from it what is delivered there, and no containment.
    """
    stop, delivery, told = tables.stop, tables.delivery, tables.run.alias("told")
    delivers = select(delivery.c.run).where(delivery.c.run == run, delivery.c.connection == stop.c.name).exists()
    dismissed = select(literal(DISMISSED) + told.c.dismissed).where(told.c.id == run, told.c.dismissed.is_not(None))
    asked = (
        select(stop.c.by + ": " + stop.c.reason)
        .where(
            stop.c.lifted_at.is_(None),
            or_(
                stop.c.scope == "all",
                and_(stop.c.scope == "incident", stop.c.name == incident),
                and_(stop.c.scope == "connection", stop.c.name == connection),
                and_(stop.c.scope == "connection", lane.in_(_BESIDE), delivers.correlate_except(delivery)),
            ),
        )
        .order_by(stop.c.id)
        .limit(1)
    )
    return func.coalesce(*(each.correlate(*outside).scalar_subquery() for each in (dismissed, asked)))


@functools.cache
def of_branch() -> ColumnElement[Any]:
    """Select, beside a branch, why a person stopped it, its incident or its connection; NULL when nobody did."""
    run = tables.run
    connection = select(run.c.connection).where(run.c.id == _branch.c.run).correlate(_branch).scalar_subquery()
    return of(_branch.c.incident, connection, _branch.c.run, _branch.c.lane, outside=(_branch,))

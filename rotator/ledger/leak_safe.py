"""Which new secrets a thief could read, asked of the ledger: living readers, open footholds, and who waits for them.

Nor does a vendor get one that is paused (`pause_guard.py`): who waits for that is woken with them.
"""

from __future__ import annotations

from sqlalchemy import ColumnElement, Exists, FromClause, and_, bindparam, or_, select, update

from rotator.claims import LEAK_SAFE, PAUSED
from rotator.flow.playbook_words import Strategy
from rotator.flow.run import AT_ONCE, BranchState
from rotator.ledger import pause_guard, tables

_branch = tables.branch

A_RUN, A_HOST = "run", "host"
"""Whose reading a person accepted."""


def blocked(run: ColumnElement[str]) -> Exists:
    """Match where a living exposed credential may read what the run delivers, or an open foothold consumes it.

    Nobody waits for those whose reading a person accepted. One inside the other, since SQLite else begins with every
    reader there is.
    """
    mine, delivery, reach, stands = tables.run.alias("mine"), tables.delivery, tables.reach, tables.stands
    reader = select(1).where(reach.c.connection == delivery.c.connection, *_reads_of(mine))
    read = select(1).where(delivery.c.run == mine.c.id, reader.correlate_except(reach).exists())
    at_foothold = select(1).where(*_footholds_at(stands)).correlate_except(tables.foothold, tables.incident)
    consumed = select(1).where(stands.c.run == mine.c.id, at_foothold.exists())
    return (
        select(1)
        .where(
            mine.c.id == run,
            or_(read.correlate_except(delivery).exists(), consumed.correlate_except(stands).exists()),
        )
        .correlate_except(mine)
        .exists()
    )


def _reads_of(mine: FromClause) -> tuple[ColumnElement[bool], ...]:
    """Match living readers that the run waits for: not itself, nor those stopped after it, nor those accepted."""
    reach, awaits = tables.reach, tables.awaits
    after = select(1).where(awaits.c.run == reach.c.run, awaits.c.lifeline == mine.c.id).correlate_except(awaits)
    return (
        reach.c.open > 0,
        or_(reach.c.open == tables.LIVES, mine.c.strategy != Strategy.REPLACE_FIRST.value),
        reach.c.run != mine.c.id,
        ~after.exists(),
        ~_is_accepted(mine.c.id, A_RUN, reach.c.run),
    )


def _is_accepted(run: ColumnElement[str], what: str, name: ColumnElement[str]) -> Exists:
    taken = tables.accepted
    mine = select(1).where(taken.c.run == run, taken.c.what == what, taken.c.name == name)
    return mine.correlate_except(taken).exists()


def _footholds_at(stands: FromClause) -> tuple[ColumnElement[bool], ...]:
    """Match footholds that are open, of any incident at work, where consumers live: none that a person accepted."""
    foothold, incident = tables.foothold, tables.incident
    return (
        foothold.c.host == stands.c.host,
        foothold.c.state == "open",
        incident.c.id == foothold.c.incident,
        incident.c.approved_at.is_not(None),
        ~_is_accepted(stands.c.run, A_HOST, stands.c.host),
    )


_mine = tables.run.alias("mine")
FIND_READERS = (
    select(tables.reach.c.run)
    .join(tables.delivery, tables.delivery.c.connection == tables.reach.c.connection)
    .join(_mine, _mine.c.id == tables.delivery.c.run)
    .where(_mine.c.id == bindparam("run_id"), *_reads_of(_mine))
    .distinct()
    .order_by(tables.reach.c.run)
)
"""The runs whose credentials still live and may read what a run delivers, but for those that a person accepted."""
FIND_REACHED = (
    select(tables.stands.c.host, tables.foothold.c.incident)
    .where(tables.stands.c.run == bindparam("run_id"), *_footholds_at(tables.stands))
    .order_by(tables.stands.c.host, tables.foothold.c.incident)
)
"""The open footholds that a run's new secret would reach, with their incidents, but for those a person accepted."""
IS_BLOCKED = select(blocked(bindparam("run_id")))
SAFE_AGAIN = and_(
    _branch.c.state == BranchState.HELD.value,
    _branch.c.due_at.is_(None),
    or_(
        and_(_branch.c.reason == LEAK_SAFE, ~blocked(_branch.c.run)),
        and_(_branch.c.reason.startswith(PAUSED, autoescape=True), ~pause_guard.is_kept(_branch.c.run)),
    ),
)
"""Branches that wait for living readers and have none left, or for a vendor that is not paused any more."""
FIND_TWO_READERS = (
    select(tables.reach.c.run).where(tables.reach.c.connection == bindparam("at"), tables.reach.c.open > 0).limit(2)
)
WAKE = update(_branch).where(SAFE_AGAIN).values(state=BranchState.OPEN.value, due_at=AT_ONCE)
WAKE_INCIDENT = WAKE.where(_branch.c.incident == bindparam("of_incident"))

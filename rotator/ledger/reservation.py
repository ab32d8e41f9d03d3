"""One mint per owner at a time: who has an owner's reservation, and who waits because that one is stopped.

A reservation is a row, given back with the draft that settles the mint. That of a branch at rest is dropped by whoever
wants it next, however that branch came to rest: it failed, is held, or a person skipped its step or took it back.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Connection, Insert, and_, bindparam, delete, literal, not_, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from rotator.claims import LEAK_SAFE, ONE_MINT, LostClaim, Other
from rotator.credential import CredentialRef
from rotator.flow.playbook_words import MINTING, Strategy, Subject, Verb
from rotator.flow.run import AT_ONCE, THROUGH, BranchState, Step, Work
from rotator.ledger import rows, statements, stops, tables, why_stopped
from rotator.ledger.database import Database
from rotator.ledger.moves_on import waits_for_mint

_branch, _mint = tables.branch, tables.mint
_RESTS = and_(
    _branch.c.state.in_([BranchState.DONE.value, BranchState.FAILED.value, BranchState.HELD.value]),
    _branch.c.holder.is_(None),
)
_DROP = delete(_mint).where(
    _mint.c.owner == bindparam("m_owner"), _mint.c.branch.in_(select(_branch.c.id).where(_RESTS))
)
_HOLDER = (
    select(_branch.c.id, _branch.c.run, _branch.c.incident, why_stopped.of_branch().label("stopped"))
    .join(_mint, _mint.c.branch == _branch.c.id)
    .where(_mint.c.owner == bindparam("m_owner"), not_(_RESTS))
)
_WAITS = and_(
    _branch.c.state == BranchState.HELD.value, _branch.c.due_at.is_(None), _branch.c.reason.startswith(ONE_MINT)
)
# Worded once: each dispatcher asks at each tick.
_WAITING = (
    select(_branch.c.id, *(tables.run.c[name] for name in ("provider", "connection", "owner")))
    .join(tables.run, tables.run.c.id == _branch.c.run)
    .where(_WAITS)
)


def _take(dialect: Any) -> Insert:
    """Insert the row unless there is one, for a claim that stands: one statement, as nearly all get it at once."""
    claim = select(literal(None)).where(
        _branch.c.id == bindparam("b_id"), _branch.c.fence == bindparam("b_fence"), _branch.c.holder.is_not(None)
    )
    wanted = claim.with_only_columns(bindparam("m_owner"), _branch.c.id)
    insert: Insert = (
        dialect.insert(_mint).from_select(["owner", "branch"], wanted).on_conflict_do_nothing().returning(_mint.c.owner)
    )
    return insert


_TAKE = {"sqlite": _take(sqlite), "postgresql": _take(postgresql)}


def owner_of(ref: CredentialRef) -> str:
    """Name whose reservation a credential is under."""
    return f"{ref.provider}/{ref.connection}/{ref.owner}"


def take(connection: Connection, work: Work) -> Other | None:
    """Reserve the owner for this branch; return who has it instead. Raises LostClaim: nobody would give it back."""
    if (delivering := _delivering(connection, work)) is not None:
        return Other(delivering, None)
    key = {"m_owner": owner_of(work.run.ref), "b_id": work.branch.id, "b_fence": work.branch.fence}
    statement = _TAKE[connection.dialect.name]
    if connection.execute(statement, key).first() is not None:
        return None
    if connection.execute(statements.FIND_CLAIM, key).first() is None:
        raise LostClaim
    connection.execute(_DROP, key)
    if connection.execute(statement, key).first() is not None:
        return None
    holder = connection.execute(_HOLDER, key).one_or_none()
    if holder is None or holder.id == work.branch.id:
        return None if holder is not None else Other("another run", None)
    return Other(holder.run, holder.stopped)


def _delivering(connection: Connection, work: Work) -> str | None:
    """Return the run that made what has leaked, while it is about to bring just that to its consumers.

    Both would deliver to the same places, and whoever is second finds them changed. None where it cannot any more: it
    rests, or has yet to see that its own replacement works, which this run stops first.
    """
    step, before = work.next_step, work.run.predecessor
    if before is None or step is None or step.verb not in MINTING:
        return None
    found = sorted(
        (rows.step_of(each) for each in connection.execute(statements.FIND_STEPS, {"run_id": before}).mappings()),
        key=lambda each: each.position,
    )
    ahead = [each for each in found if each.state not in THROUGH]
    promote = next((each for each in ahead if each.verb is Verb.PROMOTE), None)
    if promote is None:
        return None
    stops_first = work.run.strategy is not Strategy.REPLACE_FIRST
    looks = (
        each.verb is Verb.VERIFY and each.subject is Subject.REPLACEMENT
        for each in ahead
        if each.position < promote.position
    )
    moves = select(_branch.c.id).where(
        _branch.c.run == before,
        why_stopped.of_branch().is_(None),
        or_(
            _branch.c.state == BranchState.OPEN.value,
            and_(_branch.c.state == BranchState.HELD.value, _branch.c.reason == LEAK_SAFE, literal(stops_first)),
        ),
    )
    if (stops_first and any(looks)) or connection.execute(moves.limit(1)).first() is None:
        return None
    return before


def behind(connection: Connection, ref: CredentialRef, steps: Iterable[Step]) -> list[stops.Stop]:
    """Return the stops of the run for whose mint one of the steps is held; none where it waits for no such run."""
    if not any(map(waits_for_mint, steps)):
        return []
    holder = connection.execute(_HOLDER, {"m_owner": owner_of(ref)}).one_or_none()
    return [] if holder is None else stops.over(connection, holder.incident, holder.run)


def wake(database: Database) -> int:
    """Make due again what waited for a run that was stopped, and is not any more or has rested; return how many."""
    with database.read() as connection:
        found = connection.execute(_WAITING).all()
        free = [row.id for row in found if not _is_stopped(connection, row)]
    if not free:
        return 0
    with database.write() as connection:
        woken = update(_branch).where(_branch.c.id.in_(free), _WAITS)
        return connection.execute(woken.values(state=BranchState.OPEN.value, due_at=AT_ONCE)).rowcount


def _is_stopped(connection: Connection, row: Any) -> bool:
    owner = owner_of(CredentialRef(row.provider, row.connection, row.owner, ""))
    holder = connection.execute(_HOLDER, {"m_owner": owner}).one_or_none()
    return holder is not None and holder.stopped is not None

"""Due work: what the leading dispatcher sends, sends again, frees and wakes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import Integer, and_, bindparam, delete, insert, or_, select, update
from sqlalchemy.exc import IntegrityError

from rotator import clock
from rotator.flow.run import AT_ONCE, BranchState
from rotator.ledger import statements, tables
from rotator.ledger.database import Database

RESEND_S = 30.0
"""A message that nobody took for so long was lost: it is sent again. Taking one twice does no harm."""


@dataclass(frozen=True, slots=True)
class Claimed:
    """A claim as the dispatcher sees it: it is alive while (fence, beat) moves."""

    branch: str
    fence: int
    beat: int


# Asked many times a second, so built once.
_IS_DUE = and_(
    tables.branch.c.state.in_([BranchState.OPEN.value, BranchState.HELD.value]),
    tables.branch.c.due_at <= bindparam("now"),
    tables.branch.c.holder.is_(None),
    or_(tables.branch.c.sent_at.is_(None), tables.branch.c.sent_at < bindparam("lost_before")),
)
_ANY_DUE = select(tables.branch.c.id).where(_IS_DUE).limit(1)
_DUE = (
    select(tables.branch.c.id, tables.branch.c.lane)
    .where(_IS_DUE)
    .order_by(tables.branch.c.lane, tables.branch.c.priority.desc(), tables.branch.c.due_at)
    .limit(bindparam("most", type_=Integer))
)


class DueWork:
    """The dispatcher's view of the ledger."""

    def __init__(self, database: Database, clock: Callable[[], float] = clock.now) -> None:
        self._database, self._clock = database, clock

    def take_due(self, limit: int) -> list[tuple[str, str]]:
        """Mark due, unclaimed and unsent branches as sent; return (branch, lane), the most urgent first."""
        now, branch = self._clock(), tables.branch
        at = {"now": now, "lost_before": now - RESEND_S}
        with self._database.read() as connection:
            if connection.execute(_ANY_DUE, at).first() is None:
                return []
        with self._database.write() as connection:
            found = connection.execute(_DUE, {**at, "most": limit}).all()
            for start in range(0, len(found), 500):
                ids = [row.id for row in found[start : start + 500]]
                connection.execute(
                    update(branch).where(branch.c.id.in_(ids), branch.c.holder.is_(None)).values(sent_at=now)
                )
        return [(row.id, row.lane) for row in found]

    def claims(self) -> list[Claimed]:
        """Return every claim that is held now."""
        branch = tables.branch
        with self._database.read() as connection:
            query = select(branch.c.id, branch.c.fence, branch.c.beat).where(branch.c.holder.is_not(None))
            return [Claimed(*row) for row in connection.execute(query)]

    def free(self, claim: Claimed) -> bool:
        """Take a dead worker's claim away; False when its heartbeat moved after all."""
        branch = tables.branch
        with self._database.write() as connection:
            freed = connection.execute(
                update(branch)
                .where(branch.c.id == claim.branch, branch.c.fence == claim.fence, branch.c.beat == claim.beat)
                .values(holder=None, fence=branch.c.fence + 1, sent_at=None, due_at=AT_ONCE)
            )
            return freed.rowcount == 1

    def wake_leak_safe(self) -> int:
        """Make due again what waited for living readers and has none left; return how many.

        The commit that contains the last reader wakes them; this finds those who began to wait in the same moment.
        """
        with self._database.read() as connection:
            if connection.execute(select(tables.branch.c.id).where(statements.SAFE_AGAIN).limit(1)).first() is None:
                return 0
        with self._database.write() as connection:
            return connection.execute(statements.WAKE).rowcount

    def forget_expired(self) -> None:
        """Destroy sealed secrets whose time is over."""
        with self._database.read() as connection:
            expired = tables.sealed.c.expires_at < self._clock()
            if connection.execute(select(tables.sealed.c.run).where(expired).limit(1)).first() is None:
                return
        with self._database.write() as connection:
            connection.execute(delete(tables.sealed).where(expired))

    def busy_until(self, horizon_s: float) -> bool:
        """Tell whether something is at work, or due within `horizon_s` seconds."""
        branch = tables.branch
        with self._database.read() as connection:
            query = select(branch.c.id).where(
                or_(
                    branch.c.holder.is_not(None),
                    branch.c.state == BranchState.OPEN.value,
                    and_(branch.c.state == BranchState.HELD.value, branch.c.due_at < self._clock() + horizon_s),
                    statements.SAFE_AGAIN,
                )
            )
            return connection.execute(query.limit(1)).first() is not None

    def lead(self, name: str, holder: str, seen: tuple[str, int] | None) -> tuple[str, int]:
        """Beat as the leader, or take over when the leader is still as it was last `seen`; return who leads now.

        The caller passes `seen` only after it watched it unchanged for a whole lease on its own monotonic clock.
        """
        leader = tables.leader
        with self._database.write() as connection:
            row = connection.execute(select(leader).where(leader.c.name == name)).mappings().first()
            if row is None:
                try:
                    connection.execute(insert(leader).values(name=name, holder=holder, beat=1))
                except IntegrityError:
                    return "", 0
                return holder, 1
            if row["holder"] == holder or (row["holder"], row["beat"]) == seen:
                taken = connection.execute(
                    update(leader)
                    .where(leader.c.name == name, leader.c.holder == row["holder"], leader.c.beat == row["beat"])
                    .values(holder=holder, beat=row["beat"] + 1)
                )
                if taken.rowcount == 1:
                    return holder, row["beat"] + 1
            return row["holder"], row["beat"]

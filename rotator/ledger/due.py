"""Due work: what the leading dispatcher sends, sends again, frees and wakes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from sqlalchemy import and_, bindparam, delete, insert, or_, select, update
from sqlalchemy.exc import IntegrityError

from rotator import clock
from rotator.flow.budget import Limit
from rotator.flow.planned import Lane
from rotator.flow.run import AT_ONCE, BranchState
from rotator.ledger import late, leak_safe, opening, reservation, statements, tables, timekeeping, why_stopped
from rotator.ledger.database import Database
from rotator.ledger.outbox import RESEND_S, in_no_other_hand
from rotator.ledger.sending import Sending

__all__ = ["RESEND_S", "Claimed", "DueWork"]

NOBODY = ("", "")
_branch, _leader = tables.branch, tables.leader
# Worded once: each dispatcher says it at each tick.
_LEADER = select(_leader).where(_leader.c.name == bindparam("called"))
_BEAT = (
    update(_leader)
    .where(
        # Who holds it may be cut off: it is seen as it was until the server ends him.
        _leader.c.name.in_(
            select(_leader.c.name)
            .where(
                _leader.c.name == bindparam("called"),
                _leader.c.holder == bindparam("was"),
                _leader.c.beat == bindparam("beat_was"),
            )
            .with_for_update(skip_locked=True)
            .correlate(None)
        )
    )
    .values(holder=bindparam("is"), beat=bindparam("beat_is"))
)
_CLAIMS = select(_branch.c.id, _branch.c.fence, _branch.c.beat).where(_branch.c.holder.is_not(None))
_SAFE_AGAIN = select(_branch.c.id).where(leak_safe.SAFE_AGAIN).limit(1)
_EXPIRED = and_(tables.sealed.c.expires_at < bindparam("now"), ~statements.UNDER_LEGAL_HOLD)
_ANY_EXPIRED = select(tables.sealed.c.run).where(_EXPIRED).limit(1)
_BUSY = (
    select(_branch.c.id)
    .where(
        or_(
            _branch.c.holder.is_not(None),
            and_(_branch.c.state == BranchState.OPEN.value, why_stopped.of_branch().is_(None)),
            and_(
                _branch.c.state == BranchState.HELD.value,
                _branch.c.due_at < bindparam("until"),
                why_stopped.of_branch().is_(None),
            ),
            leak_safe.SAFE_AGAIN,
        )
    )
    .limit(1)
)


@dataclass(frozen=True, slots=True)
class Claimed:
    """A claim as the dispatcher sees it: it is alive while (fence, beat) moves."""

    branch: str
    fence: int
    beat: int


class DueWork:
    """The dispatcher's view of the ledger."""

    def __init__(
        self,
        database: Database,
        clock: Callable[[], float] = clock.now,
        limits: Mapping[str, Limit] = MappingProxyType({}),
    ) -> None:
        self._database, self._clock, self._sending = database, clock, Sending(database, limits)

    def unclaimed(self) -> tuple[Mapping[Lane, int], bool]:
        """Return how many messages of each lane are sent and in nobody's hand, and whether some are taken for lost."""
        found = self._sending.unclaimed()
        return found.messages, found.any_lost(self._clock())

    def take_due(self, room: int | Mapping[Lane, int], leader: tuple[str, str] = NOBODY) -> list[tuple[str, Lane]]:
        """Mark as sent what is due and within its account's budget; return (branch, lane), the most urgent first.

        `room` says how many messages each lane takes. Nothing is sent when the lease `leader` (its name, and who
        believes to hold it) is another's by now.
        """
        most = dict.fromkeys(Lane, room) if isinstance(room, int) else room
        return [(each.branch, each.lane) for each in self._sending.take(most, self._clock(), leader)]

    def compare_late(self) -> int:
        """Have what lost claims had minted settled by a comparison; return how many runs are compared again."""
        return late.compare_late(self._database, self._clock())

    def claims(self) -> list[Claimed]:
        """Return every claim that is held now."""
        with self._database.read() as connection:
            return [Claimed(*row) for row in connection.execute(_CLAIMS)]

    def free(self, claim: Claimed) -> bool:
        """Take a dead worker's claim away; False when its heartbeat moved after all, or it is being written."""
        still = and_(_branch.c.id == claim.branch, _branch.c.fence == claim.fence, _branch.c.beat == claim.beat)
        with self._database.write() as connection:
            freed = connection.execute(
                update(_branch)
                .where(in_no_other_hand(still))
                .values(holder=None, fence=_branch.c.fence + 1, sent_at=None, due_at=AT_ONCE)
            )
            return freed.rowcount == 1

    def wake_leak_safe(self) -> int:
        """Make due again what waited for living readers and has none left; return how many.

        The commit that contains the last reader wakes them; this finds those who began to wait in the same moment.
        """
        with self._database.read() as connection:
            if connection.execute(_SAFE_AGAIN).first() is None:
                return 0
        with self._database.write() as connection:
            # SQLite counts no rows of a statement that begins with WITH, as what a pause keeps makes of it.
            return len(connection.execute(leak_safe.WAKE.returning(_branch.c.id)).all())

    def open_waves(self) -> int:
        """Begin the runs whose wave, or whose lifeline, is through; return of how many incidents."""
        return opening.tick(self._database, self._clock())

    def wake_at_gates(self) -> int:
        """Make due again what waits for a gate that is open; return how many.

        Who opens one wakes them; this finds those who began to wait in the same moment.
        """
        with self._database.read() as connection:
            if connection.execute(statements.AT_OPEN_GATE).first() is None:
                return 0
        with self._database.write() as connection:
            return connection.execute(statements.WAKE_AT_OPEN_GATES).rowcount

    def wake_minting(self) -> int:
        """Make due again what waited for the mint of a run that was stopped; return how many."""
        return reservation.wake(self._database)

    def forget_expired(self) -> None:
        """Destroy sealed secrets whose time is over, unless a legal hold keeps them."""
        now = {"now": self._clock()}
        with self._database.read() as connection:
            if connection.execute(_ANY_EXPIRED, now).first() is None:
                return
        with self._database.write() as connection:
            connection.execute(delete(tables.sealed).where(_EXPIRED), now)

    def busy_until(self, horizon_s: float) -> bool:
        """Tell whether something is at work, or due within `horizon_s` seconds."""
        with self._database.read() as connection:
            busy = connection.execute(_BUSY, {"until": self._clock() + horizon_s}).first()
            return busy is not None or opening.will_move(connection)

    def keep_time(self) -> None:
        """Go by the machine's clock, which may have been put right while nothing was under way."""
        if isinstance(self._clock, clock.SteadyClock):
            timekeeping.keep(self._database, self._clock)

    def lead(self, name: str, holder: str, seen: tuple[str, int] | None) -> tuple[str, int]:
        """Beat as the leader, or take over when the leader is still as it was last `seen`; return who leads now.

        The caller passes `seen` only after it watched it unchanged for a whole lease on its own monotonic clock.
        """
        with self._database.write() as connection:
            row = connection.execute(_LEADER, {"called": name}).mappings().first()
            if row is None:
                try:
                    connection.execute(insert(tables.leader).values(name=name, holder=holder, beat=1))
                except IntegrityError:
                    return "", 0
                return holder, 1
            if row["holder"] == holder or (row["holder"], row["beat"]) == seen:
                believed = {"called": name, "was": row["holder"], "beat_was": row["beat"]}
                taken = connection.execute(_BEAT, {**believed, "is": holder, "beat_is": row["beat"] + 1})
                if taken.rowcount == 1:
                    return holder, row["beat"] + 1
            return row["holder"], row["beat"]

    def resign(self, name: str, holder: str) -> None:
        """Leave the lease to whoever asks first; nothing where another has it by now."""
        with self._database.write() as connection:
            connection.execute(delete(_leader).where(_leader.c.name == name, _leader.c.holder == holder))

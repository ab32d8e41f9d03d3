"""Close an incident, and open it again. Nothing of a closed one is approved or added; what is scheduled still comes.

Closed is what is done: every credential dead, replaced where the strategy says so, or dismissed. Who closes one of
which something stays open says so, and what that was is evidence.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, func, select, update

from rotator import clock
from rotator.errors import BadInput
from rotator.flow.approval import Policy
from rotator.flow.approvers import refuse_closing
from rotator.ledger import counting, drills, revisions, rows, tables
from rotator.ledger.acts import act, lock, said
from rotator.ledger.database import Database
from rotator.ledger.notices import tell
from rotator.ledger.reviews import to_review
from rotator.notices.event import Event

_branch, _incident = tables.branch, tables.incident


@dataclass(frozen=True, slots=True)
class Left:
    """What of an incident is open: by run or task what it is, a line each, and how many destructions are scheduled."""

    open: tuple[tuple[str, str], ...] = ()
    scheduled: int = 0


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of it: whether it is closed, what is `left` open, and what nobody can take upon himself: `first`."""

    is_closed: bool
    left: Left
    first: tuple[str, ...] = ()


class Closing:
    """Close and open again. Each demands a reason, and is evidence. `look` says what of an incident is open."""

    def __init__(
        self,
        database: Database,
        look: Callable[[str], Left],
        policy: Policy | None = None,
        clock: Callable[[], float] = clock.now,
    ) -> None:
        self._database, self._look, self._policy, self._clock = database, look, policy, clock

    def close(self, incident: str, by: str, reason: str, *, accept_open: bool = False) -> Outcome:
        """Close it, with what was merged into it, unless something is open; that may be accepted, work may not.

        Raises NotAllowed for who may approve nothing, BadInput for one that is closed or merged, or that moved while it
        was looked at, or without a reason.
        """
        refuse_closing(self._policy, by)
        said(by, reason)
        with self._database.read() as connection:
            seen = _moves(connection, incident)
        left = self._look(incident)
        with self._database.write() as connection:
            lock(connection, _family(connection, incident))
            revisions.taken(connection, incident)
            if _moves(connection, incident) != seen:
                raise BadInput("it moved on while it was looked at", incident, "close it again")
            first = _first(connection, incident, self._clock())
            if first or (left.open and not accept_open):
                return Outcome(False, left, first)
            told = {"open": sorted({of for of, _ in left.open})} if left.open else {}
            self._set(connection, incident, "closed", by, reason, told)
            facts = {"by": by, "reason": reason, "open": len(told.get("open", ())), "scheduled": left.scheduled}
            tell(connection, incident, Event.CLOSED, facts, self._clock())
        return Outcome(True, left)

    def reopen(self, incident: str, by: str, reason: str) -> None:
        """Open it again, with what was merged into it. Raises BadInput for one not closed, merged, or a drill."""
        said(by, reason)
        with self._database.write() as connection:
            lock(connection, _family(connection, incident))
            row = connection.execute(select(_incident).where(_incident.c.id == incident)).mappings().first()
            if row is None:
                raise BadInput("no such incident", incident, "rotator incident list shows them")
            if row["merged_into"] is not None:
                raise BadInput(f"it was merged into {row['merged_into']}", incident, f"say it of {row['merged_into']}")
            if row["closed_at"] is None:
                raise BadInput("it is not closed", incident, "nothing to do")
            if (drill := drills.find(connection, incident)) is not None:
                raise BadInput(f"it is the drill {drill.name}, and over", incident, "rotator drill run holds another")
            self._set(connection, incident, "reopened", by, reason, {})
            tell(connection, incident, Event.REOPENED, {"by": by, "reason": reason}, self._clock())

    def _set(  # noqa: PLR0917 - an act, and all that is said of it
        self, connection: Connection, incident: str, what: str, by: str, reason: str, told: dict[str, Any]
    ) -> None:
        family, now = _family(connection, incident), self._clock()
        closed = what == "closed"
        values = {"closed_at": now, "closed_by": by, "closed_reason": reason} if closed else dict.fromkeys(_CLOSED)
        connection.execute(update(_incident).where(_incident.c.id.in_(family)).values(rows.plain(values)))
        for each in family:
            of = told if each == incident else {"with": incident}
            act(connection, each, {"at": now, "act": what, "by": by, "reason": reason, **of})


_CLOSED = ("closed_at", "closed_by", "closed_reason")


def _family(connection: Connection, incident: str) -> list[str]:
    return [incident, *revisions.merged(connection, incident)]


def _moves(connection: Connection, incident: str) -> int:
    """Return a number that grows with every act of a person and every move of a step, of it and what was merged."""
    family = _family(connection, incident)
    acts = select(func.coalesce(func.sum(_incident.c.length), 0)).where(_incident.c.id.in_(family))
    steps = select(func.coalesce(func.sum(_branch.c.length), 0)).where(_branch.c.incident.in_(family))
    return int(connection.execute(acts).scalar_one() + connection.execute(steps).scalar_one())


def _first(connection: Connection, incident: str, now: float) -> tuple[str, ...]:
    """Return what comes before anybody closes it, whatever he accepts: work that goes on by itself, a review."""
    reviews = to_review(connection)
    of = [each for each in _family(connection, incident) if reviews.get(each)]
    found = [f"{each} has an open review: rotator review {each} --note …" for each in of]
    if counting.progress(connection, incident, now).busy:
        found.append(f"something of it is at work: rotator incident watch {incident}")
    return tuple(found)

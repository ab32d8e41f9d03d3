"""What the leading dispatcher notices by itself: who asks for a person, a brake that tripped, an incident that is done.

The engine tells nobody: its steps are many, and what people want to hear shows in few rows. What was told is noted in
`noticed`, so that it is told once; when it is over it is forgotten, so that it is told again should it come back.
"""

from __future__ import annotations

import re
from collections import Counter

from sqlalchemy import ColumnElement, Connection, and_, delete, exists, func, insert, literal, or_, select

from rotator.claims import GATE, ONE_MINT, STOPPED
from rotator.flow.dismissal import DISMISSED
from rotator.flow.playbook_words import DESTRUCTION, Until
from rotator.flow.run import BranchState
from rotator.ledger import counting, opening, revisions, tables
from rotator.ledger.database import Database
from rotator.ledger.notices import IS_DONE, tell
from rotator.ledger.opening import BRAKE
from rotator.ledger.waits import UNSAFE
from rotator.notices.event import Event

_branch, _gate, _incident, _noticed, _run = tables.branch, tables.gate, tables.incident, tables.noticed, tables.run
_MOVES_ON = (DISMISSED, UNSAFE, ONE_MINT, STOPPED, GATE + Until.NO_LEGAL_HOLD, GATE + DESTRUCTION)
"""How reasons begin of what another run moves on, a person stopped, or another notice tells of."""
_CODE = re.compile(r"[a-z][a-z0-9_ ]{1,40}")
_REASONS, _EXAMPLES = 6, 3


def _is_told(incident: ColumnElement[str], what: ColumnElement[str]) -> ColumnElement[bool]:
    return exists().where(_noticed.c.incident == incident, _noticed.c.what == what)


_STANDS_STILL = or_(
    _branch.c.state == BranchState.FAILED.value,
    and_(_branch.c.state == BranchState.HELD.value, _branch.c.due_at.is_(None)),
)
_by_itself = or_(*(_branch.c.reason.startswith(each, autoescape=True) for each in _MOVES_ON))
_ASKS = and_(_STANDS_STILL, ~func.coalesce(_by_itself, False))
_NEW = select(_branch.c.incident, _branch.c.id).where(_ASKS, ~_is_told(_branch.c.incident, _branch.c.id))
_IS_OVER = or_(
    exists().where(_branch.c.id == _noticed.c.what, ~and_(_branch.c.incident == _noticed.c.incident, _ASKS)),
    and_(
        _noticed.c.what == BRAKE,
        exists().where(_gate.c.incident == _noticed.c.incident, _gate.c.name == BRAKE, _gate.c.open == 1),
    ),
)
_OVER = select(_noticed.c.incident).where(_IS_OVER)
_TRIPPED = select(_gate.c.incident, _gate.c.by, _gate.c.reason).where(
    _gate.c.name == BRAKE, _gate.c.open == 0, ~_is_told(_gate.c.incident, literal(BRAKE))
)
_ALIVE = and_(_run.c.evidence == "none", _run.c.let_in_at.is_(None), _run.c.dismissed.is_(None))
_IS_OPEN = or_(
    exists().where(_run.c.incident == _incident.c.id, _ALIVE),
    exists().where(tables.manual.c.incident == _incident.c.id, tables.manual.c.dismissed.is_(None)),
    exists().where(
        _branch.c.incident == _incident.c.id,
        ~func.coalesce(_branch.c.reason.startswith(DISMISSED, autoescape=True), False),
        or_(_STANDS_STILL, _branch.c.state == BranchState.OPEN.value),
    ),
)
_DONE = select(_incident.c.id).where(
    _incident.c.approved_at.is_not(None),
    _incident.c.closed_at.is_(None),
    _incident.c.merged_into.is_(None),
    ~_is_told(_incident.c.id, literal(IS_DONE)),
    exists().where(_run.c.incident == _incident.c.id),
    ~_IS_OPEN,
)
_LOOKS = tuple(each.limit(1) for each in (_NEW, _OVER, _TRIPPED))


def look(database: Database, now: float) -> bool:
    """Tell what is new since the last look; return whether anything was, or is over."""
    with database.read() as connection:
        if all(connection.execute(each).first() is None for each in _LOOKS) and not _done(connection):
            return False
    with database.write() as connection:
        connection.execute(delete(_noticed).where(_IS_OVER))
        _tell_who_asks(connection, now)
        for incident, by, reason in connection.execute(_TRIPPED).all():
            step, _, why = reason.partition(": ")
            waiting = opening.count_later(connection, incident)
            # A person may shut it too, and says why himself: then that is told by whom.
            told = {"what": f"{step}: {_code(why)}"} if by == opening.ROTATOR else {"by": by}
            tell(connection, incident, Event.BRAKE_TRIPPED, {"waiting": waiting, **told}, now)
            _note(connection, incident, BRAKE)
        for incident, *merged in _done(connection):
            tell(connection, incident, Event.DONE, _how(connection, [incident, *merged], now), now)
            _note(connection, incident, IS_DONE)
    return True


def _done(connection: Connection) -> list[list[str]]:
    """Return the incidents that are done, each with what was merged into it, of which nothing is open either."""
    found = [[each, *revisions.merged(connection, each)] for each in connection.execute(_DONE).scalars().all()]
    return [each for each in found if not _is_one_open(connection, each[1:])]


def _is_one_open(connection: Connection, incidents: list[str]) -> bool:
    query = select(_incident.c.id).where(_incident.c.id.in_(incidents), _IS_OPEN).limit(1)
    return bool(incidents) and connection.execute(query).first() is not None


def _tell_who_asks(connection: Connection, now: float) -> None:
    """Say of each incident of which somebody new asks how many do, why, and who for example."""
    new: dict[str, list[str]] = {}
    for incident, branch in connection.execute(_NEW.order_by(_branch.c.id)).all():
        new.setdefault(incident, []).append(branch)
    for incident, branches in new.items():
        query = select(_branch.c.reason).where(_branch.c.incident == incident, _ASKS)
        reasons = Counter(_code(reason or "") for reason in connection.execute(query).scalars())
        task = tables.manual
        by_hand = select(func.count()).where(task.c.incident == incident, task.c.dismissed.is_(None))
        facts = {
            "asking": reasons.total(),
            "manual": connection.execute(by_hand).scalar_one(),
            "because": [f"{count:,} {reason}" for reason, count in reasons.most_common(_REASONS)],
            "for_example": list(dict.fromkeys(each.rsplit(".", 2)[0] for each in branches))[:_EXAMPLES],
        }
        tell(connection, incident, Event.NEEDS_PERSON, facts, now)
        _note(connection, incident, *branches)


def _how(connection: Connection, incidents: list[str], now: float) -> dict[str, int]:
    """Count how the credentials of incidents that are one are dead, and what is left to come by itself."""
    counts = counting.progress(connection, incidents[0], now)
    later = (
        _branch.c.incident.in_(incidents),
        _branch.c.state == BranchState.HELD.value,
        _branch.c.due_at.is_not(None),
    )
    scheduled = connection.execute(select(func.count()).where(*later)).scalar_one()
    return {"dead": counts.dead, "stated": counts.stated, "dismissed": counts.dismissed, "scheduled": scheduled}


def _code(reason: str) -> str:
    """Return how a reason begins, which is in our words: what follows may be an issuer's, or anybody's."""
    if reason.startswith(GATE):
        return reason
    found = _CODE.match(reason)
    return found[0].strip() if found else "no reason given"


def _note(connection: Connection, incident: str, *what: str) -> None:
    connection.execute(insert(_noticed), [{"incident": incident, "what": each} for each in what])

"""Messages: who hears of which notice, several gathered into one, each tried until it is sent or given up.

A channel has one message at a time: the next is made when that is settled, of all that came meanwhile. So what happens
is told in the order in which it happened, and a channel that was down hears of an incident once.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime

from sqlalchemy import Connection, RowMapping, and_, func, insert, or_, select, update

from rotator import clock
from rotator.flow.incident import Severity
from rotator.ledger import tables
from rotator.ledger.acts import act
from rotator.ledger.database import Database
from rotator.ledger.told import GIVEN_UP, SENT, WAITING
from rotator.notices.event import URGENT, Event
from rotator.notices.wording import Happened, Letter

GATHERING = 491286117
"""The advisory lock of PostgreSQL under which notices are routed and gathered: who led before may not know it yet."""
GATHER_S = 2.0
"""Seconds that the first notice waits for others of its incident."""
PACE_S = 1.0
"""Seconds between two messages to one channel: what Slack allows a webhook."""
QUIET_S, QUIETEST_S = 30.0, 600.0
"""Seconds between two messages about one incident: twice as long after each within the hour. What is urgent is not kept
waiting."""
TAKEN_S = 120.0
"""For how long who sends a message has it to himself: longer than any try takes."""
_AGAIN_S, _LATEST_S = 15.0, 1800.0
PATIENCE_S, REFUSED_S = 86400.0, 3600.0
"""When a message is given up: that nobody took, and that was refused for what it is, since others wait behind it."""
_AT_ONCE = 500
"""Notices that are routed in one transaction."""

TITLE, CRITICALITY = "title", "criticality"
"""The facts that say of a notice about no incident what it is about, and how bad that is."""

_notice, _hears, _message = tables.notice, tables.hears, tables.message
Wants = Callable[[Event, Severity], bool]


class Messages:
    """Route notices, hand messages out to be sent, and keep what became of each."""

    def __init__(self, database: Database, clock: Callable[[], float] = clock.now) -> None:
        self._database, self._clock = database, clock

    def route(self, channels: Mapping[str, Wants]) -> int:
        """Settle who hears of what is new; return how many notices that were. What is a day old is no news."""
        new = select(_notice).where(_notice.c.routed == 0).order_by(_notice.c.id).limit(_AT_ONCE)
        with self._database.read() as connection:
            if connection.execute(new.limit(1)).first() is None:
                return 0
        with self._database.write() as connection:
            _alone(connection)
            found = connection.execute(new).mappings().all()
            severity = _severities(connection, {each["incident"] for each in found})
            oldest = self._clock() - PATIENCE_S
            hears = [
                {"notice": each["id"], "channel": name}
                for each in found
                for name, wants in channels.items()
                if each["at"] >= oldest
                and wants(Event(each["event"]), severity.get(each["incident"]) or _severity(each))
            ]
            if hears:
                connection.execute(insert(_hears), hears)
            done = _notice.c.id.in_([each["id"] for each in found])
            connection.execute(update(_notice).where(done).values(routed=1))
        return len(found)

    def take(self, channel: str, *, at_once: bool = False) -> Letter | None:
        """Hand out the message that a channel is to be sent now, None where there is none; to nobody else for a while.

        `at_once`: nothing more is expected, so that nothing is waited for but the pause after a failure.
        """
        now = self._clock()
        under_way = select(_message).where(_message.c.channel == channel, _message.c.state == WAITING)
        untold = select(_hears.c.notice).where(_hears.c.channel == channel, _hears.c.message.is_(None))
        with self._database.read() as connection:
            row = connection.execute(under_way).mappings().first()
            if (row is not None and row["due_at"] > now) or (
                row is None and connection.execute(untold.limit(1)).first() is None
            ):
                return None
        with self._database.write() as connection:
            _alone(connection)
            row = connection.execute(under_way).mappings().first()
            if row is not None and row["due_at"] > now:
                return None
            if row is None:
                row = self._gathered(connection, channel, now, at_once=at_once)
            if row is None:
                return None
            taken = {"due_at": now + TAKEN_S, "attempts": row["attempts"] + 1}
            connection.execute(update(_message).where(_message.c.id == row["id"]).values(taken))
            return _letter(connection, row, row["attempts"] + 1)

    def _gathered(self, connection: Connection, channel: str, now: float, *, at_once: bool) -> RowMapping | None:
        """Make the next message of a channel, of the incident that waited longest and may be told now."""
        query = (
            select(_notice.c.id, _notice.c.incident, _notice.c.event, _notice.c.at)
            .join(_hears, _hears.c.notice == _notice.c.id)
            .where(_hears.c.channel == channel, _hears.c.message.is_(None))
            .order_by(_notice.c.id)
        )
        by_incident: dict[str, list[RowMapping]] = {}
        for each in connection.execute(query).mappings():
            by_incident.setdefault(each["incident"], []).append(each)
        for incident, waiting in by_incident.items():
            urgent = any(Event(each["event"]) in URGENT for each in waiting)
            if not at_once and now < _may_be_told(connection, channel, incident, waiting[0]["at"], now, urgent=urgent):
                continue
            name = f"msg-{datetime.fromtimestamp(now, UTC):%Y%m%d}-{secrets.token_hex(4)}"
            made = {"id": name, "channel": channel, "incident": incident, "made_at": now, "attempts": 0, "due_at": now}
            connection.execute(insert(_message).values(**made, state=WAITING))
            mine = select(_notice.c.id).where(_notice.c.incident == incident, _notice.c.id <= waiting[-1]["id"])
            new = (_hears.c.channel == channel, _hears.c.message.is_(None), _hears.c.notice.in_(mine))
            connection.execute(update(_hears).where(*new).values(message=name))
            return connection.execute(select(_message).where(_message.c.id == name)).mappings().one()
        return None

    def sent(self, letter: Letter, answer: str) -> None:
        """Write down that a message was taken, on the incident's chain too."""
        with self._database.write() as connection:
            self._settle(connection, letter, SENT, answer)

    def failed(
        self,
        letter: Letter,
        reason: str,
        *,
        retry_after: float | None = None,
        refused: bool = False,
        is_final: bool = False,
    ) -> bool:
        """Have a message tried again later, or give it up; tell whether it was given up.

        `refused`: for what it is, and not because nobody was there; `is_final`: it must not be sent again.
        `retry_after`: seconds that the channel asked for; beyond the day the message is not kept for it.
        """
        now = self._clock()
        pause = max(min(_AGAIN_S * 2 ** min(letter.attempt - 1, 10), _LATEST_S), retry_after or 0.0)
        with self._database.write() as connection:
            if is_final or now - letter.made_at >= (REFUSED_S if refused else PATIENCE_S):
                self._settle(connection, letter, GIVEN_UP, reason)
                return True
            mine = and_(_message.c.id == letter.id, _message.c.state == WAITING)
            due_at = min(now + pause, letter.made_at + PATIENCE_S)
            connection.execute(update(_message).where(mine).values(due_at=due_at, reason=reason))
        return False

    def amend(self, letter: Letter, answer: str, *, is_whole: bool) -> None:
        """Write down that some whom a message was given up for have it by now; `is_whole`: that all do."""
        with self._database.write() as connection:
            self._settle(connection, letter, SENT if is_whole else GIVEN_UP, answer, before=GIVEN_UP)

    def _settle(
        self, connection: Connection, letter: Letter, state: str, reason: str, *, before: str = WAITING
    ) -> None:
        now = self._clock()
        mine = and_(_message.c.id == letter.id, _message.c.state == before)
        values = {"state": state, "due_at": None, "settled_at": now, "reason": reason}
        if not connection.execute(update(_message).where(mine).values(values)).rowcount:
            return
        known = select(tables.incident.c.id).where(tables.incident.c.id == letter.incident)
        if connection.execute(known).first() is not None:
            record = {"at": now, "act": "told" if state == SENT else "not told", "by": "rotator", "reason": reason}
            events = [each.event.value for each in letter.happened]
            act(connection, letter.incident, record | {"channel": letter.channel, "message": letter.id, "of": events})

    def is_any_untried(self, channels: Iterable[str]) -> bool:
        """Tell whether something waits that no try of these channels has failed for yet."""
        with self._database.read() as connection:
            if connection.execute(select(_notice.c.id).where(_notice.c.routed == 0).limit(1)).first() is not None:
                return True
            stuck = set(
                connection.execute(
                    select(_message.c.channel).where(_message.c.state == WAITING, _message.c.reason.is_not(None))
                ).scalars()
            )
            alive = [each for each in channels if each not in stuck]
            untold = select(_hears.c.notice).where(_hears.c.message.is_(None), _hears.c.channel.in_(alive)).limit(1)
            trying = select(_message.c.id).where(_message.c.state == WAITING, _message.c.channel.in_(alive)).limit(1)
            return any(connection.execute(each).first() is not None for each in (untold, trying))


def _alone(connection: Connection) -> None:
    if connection.dialect.name != "sqlite":
        connection.execute(select(func.pg_advisory_xact_lock(GATHERING)))


def _severities(connection: Connection, incidents: Iterable[str]) -> dict[str, Severity]:
    incident = tables.incident
    query = select(incident.c.id, incident.c.severity).where(incident.c.id.in_(sorted(incidents)))
    return {name: Severity(severity) for name, severity in connection.execute(query)}


def _severity(notice: RowMapping) -> Severity:
    """Return how bad it is that something happened to what is no incident: as bad as who told it says."""
    return Severity(json.loads(notice["facts"]).get(CRITICALITY, Severity.CRITICAL))


def _may_be_told(
    connection: Connection, channel: str, incident: str, since: float, now: float, *, urgent: bool
) -> float:
    """Return from when on a channel may hear of an incident again."""
    # One that was given up before its time had reached some of its recipients.
    partly = and_(_message.c.state == GIVEN_UP, _message.c.settled_at < _message.c.made_at + REFUSED_S)
    settled = select(_message.c.incident, _message.c.settled_at).where(
        _message.c.channel == channel, or_(_message.c.state == SENT, partly), _message.c.settled_at > now - 3600.0
    )
    recent = connection.execute(settled).all()
    moments = [since + GATHER_S, *(at + PACE_S for _, at in recent)]
    mine = [at for each, at in recent if each == incident]
    if mine and not urgent:
        moments.append(max(mine) + min(QUIET_S * 2 ** (len(mine) - 1), QUIETEST_S))
    return float(max(moments))


def _letter(connection: Connection, row: RowMapping, attempt: int) -> Letter:
    incident = tables.incident
    about = select(incident.c.title, incident.c.severity, incident.c.plan_digest).where(
        incident.c.id == row["incident"]
    )
    query = select(_notice).join(_hears, _hears.c.notice == _notice.c.id).where(_hears.c.message == row["id"])
    happened = tuple(
        Happened(Event(each["event"]), each["at"], json.loads(each["facts"]))
        for each in connection.execute(query.order_by(_notice.c.id)).mappings()
    )
    last = happened[-1].facts if happened else {}
    of_none = str(last.get(TITLE, "")), str(last.get(CRITICALITY, "critical")), ""
    title, severity, plan = connection.execute(about).one_or_none() or of_none
    return Letter(row["id"], row["channel"], row["incident"], title, severity, plan, row["made_at"], attempt, happened)

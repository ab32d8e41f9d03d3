"""The outbox: what of the branches may be sent, was sent and is in nobody's hand, or was lost on the way."""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    Connection,
    Integer,
    Select,
    and_,
    bindparam,
    func,
    or_,
    select,
    union_all,
    update,
)

from rotator.flow.grants import Grant, Waiting
from rotator.flow.planned import Lane
from rotator.flow.run import BranchState
from rotator.ledger import tables, why_stopped
from rotator.ledger.working import AHEAD_S

RESEND_S = 30.0
"""A message that nobody took for so long was lost: it is sent again. Taking one twice does no harm."""

_CHUNK = 500
_TOGETHER = 100
"""Accounts asked for in one statement: SQLite joins no more than 500 selections."""
_branch = tables.branch
_OPEN = tables.MAY_BE_SENT
_UNSENT = _branch.c.sent_at.is_(None)
_LOST = and_(
    # Nobody takes what another's clock sent in the future.
    or_(_branch.c.sent_at < bindparam("lost_before"), _branch.c.sent_at > bindparam("lost_after")),
    _branch.c.sent_at.is_not(None),  # SQLite finds its index by these words
    _branch.c.holder.is_(None),
)
_ANY_LOST = select(_branch.c.id).where(_LOST).limit(1)


def in_no_other_hand(condition: ColumnElement[bool]) -> ColumnElement[bool]:
    """Leave out what a person or a worker is just writing: to wait for one who waits for us would be a deadlock.

    It is there again at the next tick. SQLite, which has one writer, leaves the words out.
    """
    free = select(_branch.c.id).where(condition).order_by(_branch.c.id).with_for_update(skip_locked=True)
    return _branch.c.id.in_(free.correlate(None).scalar_subquery())


_FORGET = (
    update(_branch).where(in_no_other_hand(_LOST)).values(sent_at=None).returning(_branch.c.account, _branch.c.granted)
)
_RIPE = and_(
    _branch.c.state == BranchState.HELD.value,
    _branch.c.due_at <= bindparam("now"),
    _branch.c.holder.is_(None),
    why_stopped.of_branch().is_(None),
)
_ANY_RIPE = select(_branch.c.id).where(_RIPE).limit(1)
_RIPEN = update(_branch).where(in_no_other_hand(_RIPE)).values(state=BranchState.OPEN.value)
_UNCLAIMED = (
    select(
        _branch.c.account,
        _branch.c.lane,
        func.count(),
        func.coalesce(func.sum(_branch.c.granted), 0),
        func.min(_branch.c.sent_at),
        func.max(_branch.c.sent_at),
    )
    .where(_branch.c.sent_at.is_not(None), _branch.c.holder.is_(None))
    .group_by(_branch.c.account, _branch.c.lane)
)
_RUNNING = (
    select(_branch.c.account, func.coalesce(func.sum(_branch.c.granted), 0))
    .where(_branch.c.holder.is_not(None))
    .group_by(_branch.c.account)
)
_LEADING = select(tables.leader.c.holder).where(tables.leader.c.name == bindparam("leader")).with_for_update(read=True)
_SEND = (
    update(_branch)
    .where(in_no_other_hand(and_(_branch.c.id.in_(bindparam("ids", expanding=True)), _OPEN, _UNSENT)))
    .values(sent_at=bindparam("sent_now"), granted=bindparam("given"), probe=bindparam("as_probe"))
    .returning(_branch.c.id)
)


def _open_accounts() -> Select[Any]:
    """Ask for the accounts of open branches, stepping over the index: branches may be many, accounts are few."""

    def first(*after: ColumnElement[bool]) -> Select[Any]:
        return select(_branch.c.account).where(_OPEN, *after).order_by(_branch.c.account).limit(1)

    begun = select(first().scalar_subquery().label("name")).cte("named", recursive=True)
    following = first(_branch.c.account > begun.c.name).correlate(begun).scalar_subquery()
    every = begun.union_all(select(following).where(begun.c.name.is_not(None)))
    return select(every.c.name).where(every.c.name.is_not(None))


@functools.cache
def _foremost(lane: Lane, many: int, *, stopped: bool, eldest: bool) -> CompoundSelect[Any]:
    """Ask for the most urgent due branches of so many accounts in one lane, at most `most` of each, in one statement.

    `stopped`: some work is, and must be left out. `eldest`: ask for those that wait longest instead.
    """
    by_priority = _branch.c.priority.desc()
    wanted = [_branch.c[name] for name in ("id", "account", "priority", "due_at", "calls")]
    found = (
        select(*wanted)
        .where(
            _OPEN,
            _branch.c.account == bindparam(f"account_{number}"),
            _branch.c.lane == lane.value,
            _branch.c.due_at <= bindparam("now"),
            _UNSENT,
            *([why_stopped.of_branch().is_(None)] if stopped else []),
        )
        .order_by(*((_branch.c.due_at, by_priority) if eldest else (by_priority, _branch.c.due_at)))
        .limit(bindparam(f"most_{number}", type_=Integer))
        .subquery()
        for number in range(many)
    )
    return union_all(*(select(each) for each in found))


_ACCOUNTS = _open_accounts()
_ANY_STOP = select(tables.stop.c.id).where(tables.stop.c.lifted_at.is_(None)).limit(1)


@dataclass(frozen=True, slots=True)
class Unclaimed:
    """What was sent and is in nobody's hand: messages by lane, the calls granted with them by account, and when."""

    messages: Mapping[Lane, int]
    calls: Mapping[str, int]
    oldest: float
    newest: float

    def any_lost(self, now: float) -> bool:
        """Tell whether some are taken for lost."""
        return self.oldest < now - RESEND_S or self.newest > now + AHEAD_S


def any_lost(connection: Connection, now: float) -> bool:
    """Tell whether there are messages that nobody took for so long."""
    return connection.execute(_ANY_LOST, _at(now)).first() is not None


def forget_lost(connection: Connection, now: float) -> Counter[str]:
    """Take lost messages for unsent; return the calls that were granted with them, by account."""
    calls = Counter[str]()
    for account, granted in connection.execute(_FORGET, _at(now)):
        calls[account] += granted or 0
    return calls


def any_ripe(connection: Connection, now: float) -> bool:
    """Tell whether a scheduled wait is over."""
    return connection.execute(_ANY_RIPE, _at(now)).first() is not None


def ripen(connection: Connection, now: float) -> int:
    """Open what waited for its time, which has come; return how many."""
    return connection.execute(_RIPEN, _at(now)).rowcount


def open_accounts(connection: Connection) -> list[str]:
    """Return the accounts of open branches in nobody's hand."""
    return list(connection.execute(_ACCOUNTS).scalars())


def any_stopped(connection: Connection) -> bool:
    """Tell whether a person has stopped anything."""
    return connection.execute(_ANY_STOP).first() is not None


def running(connection: Connection) -> dict[str, int]:
    """Return the calls granted to what is at work, by account, whether they were made yet or not."""
    return {row[0]: row[1] for row in connection.execute(_RUNNING)}


def unclaimed(connection: Connection) -> Unclaimed:
    """Return what was sent and is in nobody's hand."""
    messages, calls, oldest, newest = Counter[Lane](), Counter[str](), float("inf"), float("-inf")
    for account, lane, sent, granted, first, last in connection.execute(_UNCLAIMED):
        messages[Lane(lane)] += sent
        calls[account] += granted
        oldest, newest = min(oldest, first), max(newest, last)
    return Unclaimed(messages, calls, oldest, newest)


def due(
    connection: Connection, lane: Lane, limits: Mapping[str, int], now: float, *, stopped: bool, eldest: bool = False
) -> list[Waiting]:
    """Return the most urgent due branches of a lane, or the `eldest`, so many of each account.

    Without those that are `stopped`, where some are.
    """
    waiting: list[Waiting] = []
    names = list(limits)
    for start in range(0, len(names), _TOGETHER):
        some = names[start : start + _TOGETHER]
        given: dict[str, object] = {"now": now}
        for number, name in enumerate(some):
            given |= {f"account_{number}": name, f"most_{number}": limits[name]}
        rows = connection.execute(_foremost(lane, len(some), stopped=stopped, eldest=eldest), given)
        waiting += [Waiting(row.id, row.account, lane, row.priority, row.due_at, row.calls) for row in rows]
    return waiting


def mark(connection: Connection, grants: Iterable[Grant], now: float) -> set[str]:
    """Write that the branches are sent; return those that were still to be."""
    sent = set[str]()

    def kind(each: Grant) -> tuple[int, bool]:
        return -1 if each.calls is None else each.calls, each.probe

    for _, alike in groupby(sorted(grants, key=kind), key=kind):
        group = list(alike)
        for start in range(0, len(group), _CHUNK):
            ids = [each.branch for each in group[start : start + _CHUNK]]
            given = {"ids": ids, "given": group[0].calls, "as_probe": int(group[0].probe), "sent_now": now}
            sent.update(connection.execute(_SEND, given).scalars())
    return sent


def leads(connection: Connection, leader: tuple[str, str]) -> bool:
    """Tell whether the lease is still the caller's, and keep it so until the transaction ends."""
    holder = connection.execute(_LEADING, {"leader": leader[0]}).scalar()
    return holder in {leader[1], None}


def _at(now: float) -> dict[str, float]:
    return {"now": now, "lost_before": now - RESEND_S, "lost_after": now + AHEAD_S}

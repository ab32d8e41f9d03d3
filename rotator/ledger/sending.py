"""Choose what is sent: due, unclaimed branches, as their accounts' budgets allow and the most urgent first.

The choice is made twice by the same rules: once on what is read, so that nobody waits for a dispatcher that only looks,
then again under the lock of the accounts' rows, with which it is written in one transaction.
"""

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
    select,
    union_all,
    update,
)

from rotator.flow.budget import (
    Account,
    Admission,
    Grant,
    Limit,
    Waiting,
    admits,
    brought_up,
    clipped,
    fresh,
    given_back,
    grant,
    limit_of,
)
from rotator.flow.plan import Lane
from rotator.flow.run import BranchState
from rotator.ledger import accounts, statements, tables
from rotator.ledger.database import Database

RESEND_S = 30.0
"""A message that nobody took for so long was lost: it is sent again. Taking one twice does no harm."""

_CHUNK = 500
_LEAST_SHARE = 8
_TOGETHER = 100
"""Accounts asked for in one statement: SQLite joins no more than 500 selections."""
_branch = tables.branch
_OPEN = tables.MAY_BE_SENT
_UNSENT = _branch.c.sent_at.is_(None)
_LOST = and_(_branch.c.sent_at < bindparam("lost_before"), _branch.c.holder.is_(None))
_ANY_LOST = select(_branch.c.id).where(_LOST).limit(1)
_FORGET = update(_branch).where(_LOST).values(sent_at=None).returning(_branch.c.account, _branch.c.granted)
_RIPE = and_(
    _branch.c.state == BranchState.HELD.value,
    _branch.c.due_at <= bindparam("now"),
    _branch.c.holder.is_(None),
    statements.stopped().is_(None),
)
_ANY_RIPE = select(_branch.c.id).where(_RIPE).limit(1)
_RIPEN = update(_branch).where(_RIPE).values(state=BranchState.OPEN.value)
_UNCLAIMED = (
    select(
        _branch.c.account,
        _branch.c.lane,
        func.count(),
        func.coalesce(func.sum(_branch.c.granted), 0),
        func.min(_branch.c.sent_at),
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
    .where(_branch.c.id.in_(bindparam("ids", expanding=True)), _OPEN, _UNSENT)
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
def _due(lane: Lane, many: int, *, stopped: bool) -> CompoundSelect[Any]:
    """Ask for the most urgent due branches of so many accounts in one lane, at most `most` of each, in one statement.

    `stopped`: some work is, and must be left out.
    """
    wanted = [_branch.c[name] for name in ("id", "account", "priority", "due_at", "calls")]
    found = (
        select(*wanted)
        .where(
            _OPEN,
            _branch.c.account == bindparam(f"account_{number}"),
            _branch.c.lane == lane.value,
            _branch.c.due_at <= bindparam("now"),
            _UNSENT,
            *([statements.stopped().is_(None)] if stopped else []),
        )
        .order_by(_branch.c.priority.desc(), _branch.c.due_at)
        .limit(bindparam(f"most_{number}", type_=Integer))
        .subquery()
        for number in range(many)
    )
    return union_all(*(select(each) for each in found))


_ACCOUNTS = _open_accounts()
_ANY_STOP = select(tables.stop.c.id).where(tables.stop.c.lifted_at.is_(None)).limit(1)


@dataclass(frozen=True, slots=True)
class Unclaimed:
    """What was sent and is in nobody's hand: messages by lane, the calls granted with them by account, and how old."""

    messages: Mapping[Lane, int]
    calls: Mapping[str, int]
    oldest: float

    def any_lost(self, now: float) -> bool:
        """Tell whether some are taken for lost."""
        return self.oldest < now - RESEND_S


class Sending:
    """What may be sent, and what it is granted. `limits` are the budgets of accounts that have one."""

    def __init__(self, database: Database, limits: Mapping[str, Limit]) -> None:
        self._database, self._limits = database, limits

    def unclaimed(self) -> Unclaimed:
        """Return what was sent and is in nobody's hand."""
        with self._database.read() as connection:
            return _unclaimed(connection)

    def take(self, room: Mapping[Lane, int], now: float, leader: tuple[str, str]) -> list[Grant]:
        """Mark what goes now as sent and let its accounts pay; nothing goes when another leads meanwhile.

        `room` says how many messages each lane takes; `leader` is the lease's name and its holder.
        """
        at = {"now": now, "lost_before": now - RESEND_S}
        with self._database.read() as connection:
            lost = connection.execute(_ANY_LOST, at).first() is not None
            ripe = connection.execute(_ANY_RIPE, at).first() is not None
        if lost:
            self._database.commit(lambda connection: self._forget_lost(connection, at, leader))
        if ripe:
            self._database.commit(lambda connection: connection.execute(_RIPEN, at).rowcount)
        with self._database.read() as connection:
            names = list(connection.execute(_ACCOUNTS).scalars())
            if not names:
                return []
            known = accounts.found(connection)
            calls = _unclaimed(connection).calls
            running = {row[0]: row[1] for row in connection.execute(_RUNNING)}
            outstanding = {name: calls.get(name, 0) + running.get(name, 0) for name in names}
            state = self._stand(known, names, now, leader[1])
            waiting = self._candidates(connection, state.values(), room, at)
        state, news = self._settled(known, state, waiting, outstanding)
        grants, _ = grant(waiting, state, self._limits.get, room, calls, now)
        if not grants and not news:
            return []
        missing = [state[name] for name in names if name and name not in known]

        def write(connection: Connection) -> list[Grant]:
            if not _leads(connection, leader):
                return []
            before = accounts.locked(connection, missing, [name for name in names if name])
            state = self._stand(before, names, now, leader[1])
            state, news = self._settled(before, state, waiting, outstanding)
            grants, paid = grant(waiting, state, self._limits.get, room, calls, now)
            sent = _mark(connection, grants, at)
            for each in grants:
                if each.branch not in sent:
                    limit = self._limits.get(each.account)
                    paid[each.account] = given_back(paid[each.account], limit, each.calls or 0)
            changed = {**{name: state[name] for name in news}, **paid}
            accounts.save(connection, (each for name, each in changed.items() if name))
            return [each for each in grants if each.branch in sent]

        return self._database.commit(write)

    def _stand(self, known: Mapping[str, Account], names: Iterable[str], now: float, by: str) -> dict[str, Account]:
        """Return accounts as they stand now."""
        state = {}
        for name in names:
            account, limit = known.get(name), self._limits.get(name)
            state[name] = fresh(name, limit, now, by) if account is None else brought_up(account, limit, now, by)
        return state

    def _settled(
        self,
        known: Mapping[str, Account],
        state: Mapping[str, Account],
        waiting: Iterable[Waiting],
        outstanding: Mapping[str, int],
    ) -> tuple[dict[str, Account], set[str]]:
        """Return accounts without what their providers lost, and those to which more happened than that time went by.

        `outstanding` are the calls of each that are granted and may still be made.
        """
        dearest = Counter[str]()
        for each in waiting:
            dearest[each.account] = max(dearest[each.account], each.calls)
        settled = {
            name: clipped(each, self._limits.get(name), outstanding[name], dearest[name]) if dearest[name] else each
            for name, each in state.items()
        }
        news = {
            name
            for name, before in known.items()
            if name in state and (_told(before) != _told(state[name]) or settled[name] is not state[name])
        }
        return settled, news

    def _limit(self, account: Account) -> Limit | None:
        return limit_of(account, self._limits.get(account.name))

    def _candidates(
        self, connection: Connection, found: Iterable[Account], room: Mapping[Lane, int], at: Mapping[str, float]
    ) -> list[Waiting]:
        """Return what may go, and of each account one more: what comes after that must wait for it."""
        most = {each.name: most for each in found if (most := self._most(each, room, at["now"])) > 0}
        stopped = connection.execute(_ANY_STOP).first() is not None if most else False
        waiting: list[Waiting] = []
        for lane in Lane:
            # Many accounts share the room: to read all of it for each would be for nothing.
            share = max(_LEAST_SHARE, 2 * room[lane] // max(1, len(most)))
            limits = {name: min(each, share, room[lane]) + 1 for name, each in most.items()}
            rows = _ask(connection, lane, limits, at["now"], stopped=stopped)
            waiting += rows
            full = Counter(each.account for each in rows)
            most = {name: each for name, each in most.items() if full[name] < limits[name]}
        return waiting

    def _most(self, account: Account, room: Mapping[Lane, int], now: float) -> int:
        """Return how many of an account's branches may go at most, to read no more."""
        most, admission, limit = max(room.values(), default=0), admits(account, now), self._limit(account)
        if admission is Admission.NOTHING or (limit is not None and account.tokens < limit.needs(1)):
            return 0
        if admission is Admission.PROBE:
            return min(most, 1)
        return most if limit is None else min(most, max(1, int(account.tokens)))

    def _forget_lost(self, connection: Connection, at: Mapping[str, float], leader: tuple[str, str]) -> None:
        """Take lost messages for unsent, and give their calls back."""
        if not _leads(connection, leader):
            return
        calls = Counter[str]()
        for account, granted in connection.execute(_FORGET, at):
            calls[account] += granted or 0
        known = accounts.locked(connection, (), list(calls))
        accounts.save(
            connection, [given_back(each, self._limits.get(name), calls[name]) for name, each in known.items()]
        )


def _ask(connection: Connection, lane: Lane, limits: Mapping[str, int], now: float, *, stopped: bool) -> list[Waiting]:
    waiting: list[Waiting] = []
    names = list(limits)
    for start in range(0, len(names), _TOGETHER):
        some = names[start : start + _TOGETHER]
        given: dict[str, object] = {"now": now}
        for number, name in enumerate(some):
            given |= {f"account_{number}": name, f"most_{number}": limits[name]}
        rows = connection.execute(_due(lane, len(some), stopped=stopped), given)
        waiting += [Waiting(row.id, row.account, lane, row.priority, row.due_at, row.calls) for row in rows]
    return waiting


def _leads(connection: Connection, leader: tuple[str, str]) -> bool:
    """Tell whether the lease is still the caller's, and keep it so until the transaction ends."""
    holder = connection.execute(_LEADING, {"leader": leader[0]}).scalar()
    return holder in {leader[1], None}


def _unclaimed(connection: Connection) -> Unclaimed:
    messages, calls, oldest = Counter[Lane](), Counter[str](), float("inf")
    for account, lane, sent, granted, sent_at in connection.execute(_UNCLAIMED):
        messages[Lane(lane)] += sent
        calls[account] += granted
        oldest = min(oldest, sent_at)
    return Unclaimed(messages, calls, oldest)


def _told(account: Account) -> tuple[object, ...]:
    """Return what changes of an account by more than that time goes by, by the clock that fills it."""
    return account.throttled, account.pause_s, account.probe_at, account.filled_by


def _mark(connection: Connection, grants: Iterable[Grant], at: Mapping[str, float]) -> set[str]:
    """Write that the branches are sent; return those that were still to be."""
    sent = set[str]()

    def kind(each: Grant) -> tuple[int, bool]:
        return -1 if each.calls is None else each.calls, each.probe

    for _, alike in groupby(sorted(grants, key=kind), key=kind):
        group = list(alike)
        for start in range(0, len(group), _CHUNK):
            ids = [each.branch for each in group[start : start + _CHUNK]]
            given = {"ids": ids, "given": group[0].calls, "as_probe": int(group[0].probe), "sent_now": at["now"], **at}
            sent.update(connection.execute(_SEND, given).scalars())
    return sent

"""Choose what is sent: due, unclaimed branches, as their accounts' budgets allow and the most urgent first.

The choice is made twice by the same rules: once on what is read, so that nobody waits for a dispatcher that only looks,
then again under the lock of the accounts' rows, with which it is written in one transaction.
"""

from __future__ import annotations

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


def _due() -> CompoundSelect[Any]:
    """Ask for an account's most urgent due branches, at most so many of each lane."""
    lanes = (
        select(*(_branch.c[name] for name in ("id", "account", "lane", "priority", "due_at", "calls")))
        .where(
            _OPEN,
            _branch.c.account == bindparam("of_account"),
            _branch.c.lane == lane.value,
            _branch.c.due_at <= bindparam("now"),
            _UNSENT,
            statements.stopped().is_(None),
        )
        .order_by(_branch.c.priority.desc(), _branch.c.due_at)
        .limit(bindparam(f"most_{lane}", type_=Integer))
        .subquery()
        for lane in Lane
    )
    return union_all(*(select(each) for each in lanes))


_ACCOUNTS, _DUE = _open_accounts(), _due()


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
            state = {name: self._now(known.get(name), name, now, leader[1]) for name in names}
            calls = _unclaimed(connection).calls
            waiting = [each for name in names for each in self._candidates(connection, state[name], room, at)]
        grants, _ = grant(waiting, state, self._limits.get, room, calls, now)
        if not grants and not any(_news(known[name], state[name]) for name in names if name in known):
            return []
        missing = [state[name] for name in names if name and name not in known]

        def write(connection: Connection) -> list[Grant]:
            if not _leads(connection, leader):
                return []
            before = accounts.locked(connection, missing, [name for name in names if name])
            state = {name: self._now(before.get(name), name, now, leader[1]) for name in names}
            grants, paid = grant(waiting, state, self._limits.get, room, calls, now)
            sent = _mark(connection, grants, at)
            for each in grants:
                if each.branch not in sent:
                    limit = self._limits.get(each.account)
                    paid[each.account] = given_back(paid[each.account], limit, each.calls or 0)
            changed = {**{name: state[name] for name in before if _news(before[name], state[name])}, **paid}
            accounts.save(connection, (each for name, each in changed.items() if name))
            return [each for each in grants if each.branch in sent]

        return self._database.commit(write)

    def _now(self, account: Account | None, name: str, now: float, by: str) -> Account:
        limit = self._limits.get(name)
        return fresh(name, limit, now, by) if account is None else brought_up(account, limit, now, by)

    def _candidates(
        self, connection: Connection, account: Account, room: Mapping[Lane, int], at: Mapping[str, float]
    ) -> Iterable[Waiting]:
        """Return what may go of one account, and of each lane one more: what comes after that must wait for it."""
        limit = limit_of(account, self._limits.get(account.name))
        admission = admits(account, at["now"])
        if admission is Admission.NOTHING:
            return []
        most = 1 if admission is Admission.PROBE else max(room.values(), default=0)
        if limit is not None:
            most = min(most, max(0, int(account.tokens)))
        wanted = {f"most_{lane}": min(most, left) + 1 for lane, left in room.items()}
        rows = connection.execute(_DUE, {**at, **wanted, "of_account": account.name})
        return [Waiting(row[0], row[1], Lane(row[2]), *row[3:]) for row in rows]

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


def _news(before: Account, after: Account) -> bool:
    """Tell whether more happened to an account than that time went by by the clock that fills it."""
    told = ((each.throttled, each.pause_s, each.probe_at, each.filled_by) for each in (before, after))
    return next(told) != next(told)


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

"""Choose what is sent: due, unclaimed branches, as their accounts' budgets allow and the most urgent first.

The choice is made twice by the same rules: once on what is read, so that nobody waits for a dispatcher that only looks,
then again under the lock of the accounts' rows, with which it is written in one transaction.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping

from sqlalchemy import Connection

from rotator.flow.budget import (
    Account,
    Admission,
    Limit,
    admits,
    brought_up,
    clipped,
    fresh,
    given_back,
    limit_of,
)
from rotator.flow.grants import Grant, Waiting, grant
from rotator.flow.planned import Lane
from rotator.ledger import accounts, outbox
from rotator.ledger.database import Database
from rotator.ledger.outbox import Unclaimed

_LEAST_SHARE = 8
"""Branches of an account that are read at once, however many accounts there are."""


class Sending:
    """What may be sent, and what it is granted. `limits` are the budgets of accounts that have one."""

    def __init__(self, database: Database, limits: Mapping[str, Limit]) -> None:
        self._database, self._limits = database, limits

    def unclaimed(self) -> Unclaimed:
        """Return what was sent and is in nobody's hand."""
        with self._database.read() as connection:
            return outbox.unclaimed(connection)

    def take(self, room: Mapping[Lane, int], now: float, leader: tuple[str, str]) -> list[Grant]:
        """Mark what goes now as sent and let its accounts pay; nothing goes when another leads meanwhile.

        `room` says how many messages each lane takes; `leader` is the lease's name and its holder.
        """
        with self._database.read() as connection:
            lost, ripe = outbox.any_lost(connection, now), outbox.any_ripe(connection, now)
        if lost:
            self._database.commit(lambda connection: self._forget_lost(connection, now, leader))
        if ripe:
            self._database.commit(lambda connection: outbox.ripen(connection, now))
        with self._database.read() as connection:
            names = outbox.open_accounts(connection)
            if not names:
                return []
            known = accounts.found(connection)
            calls, running = outbox.unclaimed(connection).calls, outbox.running(connection)
            outstanding = {name: calls.get(name, 0) + running.get(name, 0) for name in names}
            state = self._stand(known, names, now, leader[1])
            waiting = self._candidates(connection, state.values(), room, now)
        state, news = self._settled(known, state, waiting, outstanding)
        grants, _ = grant(waiting, state, self._limits.get, room, calls, now)
        if not grants and not news:
            return []
        missing = [state[name] for name in names if name and name not in known]

        def write(connection: Connection) -> list[Grant]:
            if not outbox.leads(connection, leader):
                return []
            before = accounts.locked(connection, missing, [name for name in names if name])
            state = self._stand(before, names, now, leader[1])
            state, news = self._settled(before, state, waiting, outstanding)
            grants, paid = grant(waiting, state, self._limits.get, room, calls, now)
            sent = outbox.mark(connection, grants, now)
            if len(sent) < len(grants):  # what another was just writing costs nothing, and is no probe
                grants, paid = grant(
                    [each for each in waiting if each.branch in sent], state, self._limits.get, room, calls, now
                )
            changed = {**{name: state[name] for name in news}, **paid}
            accounts.save(connection, (each for name, each in changed.items() if name))
            return grants

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
        self, connection: Connection, found: Collection[Account], room: Mapping[Lane, int], now: float
    ) -> list[Waiting]:
        """Return what may go, and of each account one more: what comes after that must wait for it."""
        most = {each.name: most for each in found if (most := self._most(each, room, now)) > 0}
        stopped = bool(most) and outbox.any_stopped(connection)
        probed = {each.name: 1 for each in found if each.name in most and admits(each, now) is Admission.PROBE}
        most = {name: each for name, each in most.items() if name not in probed}
        waiting: list[Waiting] = []
        for lane in Lane:
            waiting += outbox.due(connection, lane, probed, now, stopped=stopped, eldest=True)
            # Many accounts share the room: to read all of it for each would be for nothing.
            share = max(_LEAST_SHARE, 2 * room[lane] // max(1, len(most)))
            limits = {name: min(each, share, room[lane]) + 1 for name, each in most.items()}
            rows = outbox.due(connection, lane, limits, now, stopped=stopped)
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

    def _forget_lost(self, connection: Connection, now: float, leader: tuple[str, str]) -> None:
        """Take lost messages for unsent, and give their calls back."""
        if not outbox.leads(connection, leader):
            return
        calls = outbox.forget_lost(connection, now)
        known = accounts.locked(connection, (), list(calls))
        accounts.save(
            connection, [given_back(each, self._limits.get(name), calls[name]) for name, each in known.items()]
        )


def _told(account: Account) -> tuple[object, ...]:
    """Return what changes of an account by more than that time goes by, by the clock that fills it."""
    return account.throttled, account.pause_s, account.probe_at, account.filled_by

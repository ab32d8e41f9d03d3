"""Dismiss an exposed credential of an incident, and open it again: nothing dismissed runs, and nobody waits for it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Select, and_, delete, insert, or_, select, update

from rotator import clock
from rotator.credential import CredentialRef
from rotator.errors import BadInput
from rotator.flow.approval import Policy
from rotator.flow.approvers import refuse_dismissal
from rotator.flow.dismissal import DISMISSED, as_it_was, refuse_at_work
from rotator.flow.exposure import Disposition
from rotator.flow.playbook_words import REPLACING
from rotator.flow.run import BranchState, StepState
from rotator.ledger import (
    destruction,
    dismissals,
    earlier,
    leak_safe,
    notices,
    opening,
    plans,
    reopening,
    revisions,
    rows,
    statements,
    tables,
)
from rotator.ledger.acts import act, lock, said
from rotator.ledger.database import Database
from rotator.ledger.dismissals import Seen
from rotator.ledger.run_at_hand import RunAtHand, hold
from rotator.notices.event import Event

_branch, _dismissal, _reach, _run = tables.branch, tables.dismissal, tables.reach, tables.run


@dataclass(frozen=True, slots=True)
class Named:
    """What a person named: a run with its credential, or a task, which has no `ref`."""

    id: str
    kind: str | None
    key: str
    ref: CredentialRef | None
    dismissed: str | None


@dataclass(frozen=True, slots=True)
class Told:
    """What became of it. `at_work`: a worker gives way before its next call; `did`: steps that are not taken back.

    `failed` are those that were tried in vain. `digest` is what must be approved before it goes on, "" where nothing
    must.
    """

    named: Named
    at_work: bool = False
    did: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()
    digest: str = ""


class Dismissing:
    """Dismiss and open again. Each demands a reason and is evidence. `basis` is as `Enrolment` has it."""

    def __init__(
        self,
        database: Database,
        clock: Callable[[], float] = clock.now,
        basis: plans.Basis = lambda _credentials, _used: {},
        policy: Policy | None = None,
    ) -> None:
        self._database, self._clock, self._basis, self._policy = database, clock, basis, policy

    def exposures(self, incident: str) -> dict[str, list[Seen]]:
        """Return by run or task where each credential of an incident was seen."""
        with self._database.read() as connection:
            return dismissals.seen(connection, incident)

    def named(self, incident: str, name: str) -> Named:
        """Return what a person named. Raises BadInput where it is nothing, or more than one."""
        with self._database.read() as connection:
            return _named(connection, dismissals.meant(connection, incident, name))

    def dismiss(  # noqa: PLR0917 - a dismissal
        self, incident: str, of: str, as_: Disposition, by: str, reason: str, issuer_says: str = ""
    ) -> Told:
        """Leave a credential alone from now on: its run never begins, or gives way before its next call.

        `issuer_says` is what its issuer answered, "" where it was not asked. Raises BadInput where it is dismissed
        already, is half replaced or dead, or no reason is given; NotAllowed for who may approve nothing.
        """
        refuse_dismissal(self._policy, by)
        why = f"{as_}, said by {said(by, reason)}"
        with self._database.write() as connection:
            lock(connection, [incident])
            named = _named(connection, of)
            if named.dismissed is not None:
                raise BadInput(f"it is dismissed already ({named.dismissed})", of, "rotator exposure reopen opens it")
            now = self._clock()
            told = self._set_aside(connection, named, str(rows.plain(why)))
            row = {"incident": incident, "of": of, "disposition": as_.value, "at": now, "by": by, "reason": reason}
            connection.execute(insert(_dismissal).values(rows.plain({**row, "issuer_says": issuer_says})))
            record = {"at": now, "act": "dismissed", "by": by, "of": of, "as": as_.value, "reason": reason}
            act(connection, incident, {**record, **({"issuer_says": issuer_says} if issuer_says else {})})
            facts: dict[str, Any] = {"dismissed": 1, "by": by}
            notices.tell(connection, incident, Event.DISMISSED, facts, now)
        return told

    def _set_aside(self, connection: Connection, named: Named, why: str) -> Told:
        if named.ref is None:
            connection.execute(update(tables.manual).where(tables.manual.c.id == named.id).values(dismissed=why))
            return Told(named)
        held = _held(connection, named.id)
        refuse_at_work(held.run, held.steps, _of_owner(connection, held))
        connection.execute(update(_run).where(_run.c.id == named.id).values(dismissed=why))
        resting = [BranchState.OPEN.value, BranchState.HELD.value, BranchState.FAILED.value]
        connection.execute(
            update(_branch)
            .where(_branch.c.run == named.id, _branch.c.holder.is_(None), _branch.c.state.in_(resting))
            .values(state=BranchState.HELD.value, due_at=None, sent_at=None, granted=None, reason=DISMISSED + why)
        )
        ids = [each["id"] for each in held.branches]
        connection.execute(delete(tables.mint).where(tables.mint.c.branch.in_(ids)))
        counts = (_reach.c.run == named.id, _reach.c.open > 0)
        connection.execute(update(_reach).where(*counts).values(open=_reach.c.open - tables.SET_ASIDE))
        if held.run.contained_at is None:
            # This one told it till now: at 0 stands only what was counted before.
            told_here = (_reach.c.run.in_(_not_through_with(held)), _reach.c.open == 0)
            connection.execute(update(_reach).where(*told_here).values(open=tables.LIVES))
        connection.execute(leak_safe.WAKE_INCIDENT, {"of_incident": held.run.incident})
        connection.execute(destruction.WAKE_KEPT_BY, {"of_incident": held.run.incident})
        tried = [each for each in held.steps if each.undo and each.attempts]
        did = dict.fromkeys(each.name for each in tried if each.state is not StepState.FAILED)
        failed = dict.fromkeys(each.name for each in tried if each.state is StepState.FAILED)
        return Told(named, any(each["holder"] for each in held.branches), tuple(did), tuple(failed))

    def reopen(self, incident: str, of: str, by: str, reason: str) -> Told:
        """Take a dismissal back: its run goes on where it was; what nobody approved waits for a yes of its own.

        Raises BadInput where it is not dismissed, was excluded by the plan, a worker has not given way yet, its
        incident is closed, or no reason is given.
        """
        said(by, reason)
        with self._database.write() as connection:
            lock(connection, [incident])
            revisions.refuse_closed(connection, incident)
            named = _named(connection, of)
            if named.dismissed is None:
                raise BadInput("it is not dismissed", of, f"rotator exposure list {incident} shows what is")
            now = self._clock()
            taken = {"reopened_at": now, "reopened_by": by, "reopened_reason": reason}
            of_it = update(_dismissal).where(_dismissal.c.of == of, _dismissal.c.reopened_at.is_(None))
            if connection.execute(of_it.values(rows.plain(taken))).rowcount == 0:
                mend = f"name it once more: rotator incident add {incident} FILE…"
                raise BadInput(f"its plan left it out ({named.dismissed})", of, mend)
            told = self._take_up(connection, named, by, reason, now)
            record = {"at": now, "act": "reopened", "by": by, "of": of, "reason": reason}
            act(connection, incident, {**record, **({"plan": told.digest} if told.digest else {})})
            if told.digest:
                notices.tell(connection, incident, Event.REVISED, {"added": 1, "by": by}, now)
        return told

    def _take_up(self, connection: Connection, named: Named, by: str, reason: str, now: float) -> Told:
        if named.ref is None:
            connection.execute(update(tables.manual).where(tables.manual.c.id == named.id).values(dismissed=None))
            return Told(named)
        held = _held(connection, named.id)
        held.refuse_worker(named.id, {each["id"] for each in held.branches})
        _refuse_second_replacement(connection, held)
        connection.execute(update(_run).where(_run.c.id == named.id).values(dismissed=None))
        # What counted as a reader does so at once, approved or not: beside a standing order nobody had to say yes.
        # What was contained in the moment of its dismissal reads nothing any more.
        reads = _reach.c.open + tables.SET_ASIDE if held.run.contained_at is None else 0
        counted = (_reach.c.run == named.id, _reach.c.open < -tables.LIVES_ON)
        connection.execute(update(_reach).where(*counted).values(open=reads))
        if held.run.contained_at is None:
            # Another told it meanwhile, and may be dismissed too.
            told_there = (_reach.c.run == named.id, _reach.c.open == 0)
            connection.execute(update(_reach).where(*told_there).values(open=tables.LIVES))
        if held.run.requested_at is None:
            return Told(named, digest=reopening.revise(connection, named.id, by, reason, now, self._basis))
        for branch in held.branches:
            if (branch["reason"] or "").startswith(DISMISSED):
                state, due_at, why = as_it_was(each for each in held.steps if each.branch == branch["id"])
                rest = {"state": state.value, "due_at": due_at, "reason": why}
                connection.execute(update(_branch).where(_branch.c.id == branch["id"]).values(rest))
        opening.begin(connection, held.run.incident)
        return Told(named)


def _named(connection: Connection, of: str) -> Named:
    row = connection.execute(select(_run).where(_run.c.id == of)).mappings().first()
    if row is not None:
        run = rows.run_of(row)
        return Named(of, run.kind, run.ref.id, run.ref, run.dismissed)
    task = connection.execute(select(tables.manual).where(tables.manual.c.id == of)).mappings().first()
    if task is None:
        raise BadInput("no such run or task", of, "the report shows them: rotator report last")
    return Named(of, task["kind"], task["key"], None, task["dismissed"])


def _held(connection: Connection, run: str) -> RunAtHand:
    held = hold(connection, run)
    if held is None:
        raise BadInput("no such run", run, "the report shows them: rotator report last")
    return held


def _refuse_second_replacement(connection: Connection, held: RunAtHand) -> None:
    """Raise BadInput where a run would mint over what another of its owner brings, or has: that would be lost.

    Approved or not: its plan was made before that one, or without it. What its incident has planned meanwhile counts.
    """
    run = held.run
    if run.strategy not in REPLACING or run.replacement is not None:
        return
    other = earlier.answered(connection, {run.ref: run.deliver}, run.incident).get(run.ref)
    if other not in {None, run.id}:
        mend = "declare it again: the new plan stops it, and makes no second replacement"
        raise BadInput(f"{other} replaces what its owner uses", run.id, mend)


def _not_through_with(held: RunAtHand) -> Select[Any]:
    """Ask for the other runs that are to stop the same credential, approved or not: they tell again if it lives."""
    ref = held.run.ref
    named = zip(statements.REF, (ref.provider, ref.connection, ref.owner, ref.id, ref.generation), strict=True)
    same = and_(*(_run.c[name] == value for name, value in named))
    open_ones = (_run.c.dismissed.is_(None), _run.c.contained_at.is_(None))
    return select(_run.c.id).where(same, _run.c.id != held.run.id, *open_ones)


def _of_owner(connection: Connection, held: RunAtHand) -> list[Any]:
    """Return the open runs of its owner that may lean on its replacement: of its incident, or approved since it was."""
    ref = held.run.ref
    same = {"provider": ref.provider, "connection": ref.connection, "owner": ref.owner}
    query = select(_run).where(*(_run.c[name] == value for name, value in same.items()))
    beside = _run.c.incident == held.run.incident
    if held.run.requested_at is not None:
        beside = or_(beside, _run.c.requested_at >= held.run.requested_at)
    open_ones = query.where(beside, _run.c.id != held.run.id, _run.c.dismissed.is_(None)).order_by(_run.c.id)
    return [rows.run_of(row) for row in connection.execute(open_ones).mappings()]

"""What the engine needs of the ledger: claims, commits under a fence, joins, and the sealed secret of a run."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import ParamSpec, TypeVar

import structlog
from sqlalchemy import Connection, insert, select
from sqlalchemy.exc import SQLAlchemyError

from rotator import clock
from rotator.claims import Draft, LedgerFailed, Other, Ours, Release
from rotator.credential import Secret
from rotator.flow.playbook_words import Until
from rotator.flow.proof import Evidence
from rotator.flow.run import BranchState, Run, Step, StepState, Work, calls_ahead
from rotator.flow.summary import needs_material
from rotator.ledger import (
    accounts,
    alike,
    destruction,
    fenced,
    joining,
    leak_safe,
    loading,
    other_runs,
    ours,
    pause_guard,
    reservation,
    rows,
    statements,
    tables,
    timekeeping,
)
from rotator.ledger.database import Database
from rotator.ledger.written import Written
from rotator.seal import Seal

log = structlog.get_logger()

AHEAD_S = 5.0
"""How far ahead of a worker's clock the dispatcher's may be."""
OLDEST_S = 60.0
"""How old a message may be: twice as old as one is when it is sent again."""

Given = ParamSpec("Given")
Answer = TypeVar("Answer")


def _told(method: Callable[Given, Answer]) -> Callable[Given, Answer]:
    """Let the engine hear of a database's troubles by one name; their words quote rows."""

    @functools.wraps(method)
    def telling(*args: Given.args, **named: Given.kwargs) -> Answer:
        try:
            return method(*args, **named)
        except SQLAlchemyError as error:
            raise LedgerFailed(type(error).__name__) from None

    return telling


class WorkingLedger:
    """The engine's ledger on a database."""

    def __init__(self, database: Database, seal: Seal, clock: Callable[[], float] = clock.now) -> None:
        self._database, self._seal, self._clock = database, seal, clock

    @_told
    def claim(self, branch: str, worker: str) -> Work | None:
        """Take a branch that was sent and is held by nobody; None when there is nothing to take.

        By a clock that disagrees with the dispatcher's nobody works: it is left to be sent to another.
        """
        found = self._claim(branch, worker)
        if isinstance(found, float) and isinstance(self._clock, clock.SteadyClock):
            timekeeping.keep(self._database, self._clock)  # it may have been put right meanwhile
            found = self._claim(branch, worker)
        if isinstance(found, float):
            log.warning("clocks_disagree", branch=branch, seconds_since_sent=round(self._clock() - found, 1))
            return None
        return found

    def _claim(self, branch: str, worker: str) -> Work | float | None:
        """Take the branch; return when it was sent where the clocks disagree."""
        now = self._clock()
        taking = {"b_id": branch, "worker": worker, "sent_from": now - OLDEST_S, "sent_until": now + AHEAD_S}

        def take(connection: Connection) -> Work | float | None:
            row = connection.execute(statements.CLAIM, taking).mappings().one_or_none()
            if row is None:
                return connection.execute(statements.FIND_SENT, taking).scalar()
            found = loading.load(connection, row["run"], row["lane"])
            branch = replace(rows.branch_of(row), stopped=found.stopped)
            return Work(found.run, branch, found.steps, found.proofs, found.sealed)

        return self._database.commit(take)

    @_told
    def claim_alike(self, work: Work, step: Step, worker: str, most: int) -> list[Work]:
        """Take what comes to the same step of the same kind and account, at most so many."""
        now = self._clock()
        return self._database.commit(lambda connection: alike.claim(connection, work, step, worker, most, now))

    @_told
    def commit(self, work: Work, draft: Draft) -> Work:
        """Write the draft and count the heartbeat."""
        return self._database.commit(self._committing(work, draft))

    @_told
    def commit_all(self, drafts: Sequence[tuple[Work, Draft]]) -> list[Work | None]:
        """Write each draft under its own claim; None for each that was lost."""
        return fenced.write_each(self._database, [self._committing(*each) for each in drafts])

    def _committing(self, work: Work, draft: Draft) -> Callable[[Connection], Work]:
        written = Written(work, draft)
        at_hand = work.next_step  # not the draft's: between the calls of one step a draft is empty
        of_run = {
            "of_incident": work.run.incident,
            "of_connection": work.run.ref.connection,
            "of_run": work.run.id,
            "of_lane": "" if at_hand is None else at_hand.lane.value,
        }
        return lambda connection: fenced.write(connection, written, statements.BEAT, of_run, self._clock)

    @_told
    def release(self, work: Work, draft: Draft, state: BranchState, due_at: float | None, reason: str | None) -> None:
        """Write the draft, give the branch back, and open the next segment when this was its last."""
        self._database.commit(self._releasing(Release(work, draft, state, due_at, reason)))

    @_told
    def release_all(self, releases: Sequence[Release]) -> list[bool]:
        """Give each branch back under its own claim; False for each that was lost."""
        return [
            done is not None for done in fenced.write_each(self._database, [self._releasing(each) for each in releases])
        ]

    def _releasing(self, release: Release) -> Callable[[Connection], bool]:
        work, draft, state = release.work, release.draft, release.state
        written = Written(work, draft)
        given: dict[str, object] = {
            "state": state.value,
            "due_at": release.due_at,
            "reason": rows.plain(release.reason),
        }
        statement = statements.RELEASE
        if ahead := sorted((step for step in work.steps if _is_ahead(step, work)), key=_position):
            statement = statements.RELEASE_TO_LANE
            given |= {"lane": ahead[0].lane.value, "calls": calls_ahead(ahead)}

        def give_back(connection: Connection) -> bool:
            after = fenced.write(connection, written, statement, given, self._clock)
            if after.run.evidence is Evidence.PROVEN and not needs_material(after.steps):
                connection.execute(statements.FORGET_MATERIAL, {"run_id": after.run.id})
            if state is BranchState.DONE:
                joining.join(connection, work.branch)
            return True

        return give_back

    def material(self, work: Work) -> Secret | None:
        """Return the exposed secret, or None when there is none or it was destroyed before this claim."""
        return None if work.sealed is None else self._seal.open(work.sealed, work.run.id)

    @_told
    def has_open_readers(self, run: Run) -> bool:
        """Tell whether another exposed credential may read where this run's new secret passes, and is not contained.

        Whom a person has accepted, nobody waits for.
        """
        with self._database.read() as connection:
            return bool(connection.execute(leak_safe.IS_BLOCKED, {"run_id": run.id}).scalar())

    @_told
    def paused_vendor(self, run: Run) -> str | None:
        """Return the vendor whose pause keeps a run from making anything new, None where none does."""
        with self._database.read() as connection:
            return pause_guard.vendor_of(connection, run.id)

    @_told
    def take_mint(self, work: Work) -> Other | None:
        """Reserve the owner for one mint at a time; the draft that settles it gives the reservation back."""
        return self._database.commit(lambda connection: reservation.take(connection, work))

    @_told
    def answered_elsewhere(self, run: Run, since: float) -> list[str]:
        """Return the other runs of its credential that count it dead now, or were approved since then, by name."""
        with self._database.read() as connection:
            return other_runs.answering(connection, run, since)

    @_told
    def is_shut(self, incident: str, gate: Until) -> bool:
        """Tell whether the gate keeps steps waiting: a host counts as open until a person says otherwise."""
        with self._database.read() as connection:
            return destruction.is_shut(connection, incident, gate)

    @_told
    def kept_from_destroying(self, run: Run) -> str | None:
        """Return the gate at which the destruction of its credential waits, in whatever incident, None at none."""
        with self._database.read() as connection:
            return destruction.keeps_exposed(connection, run)

    @_told
    def kept_from_taking_back(self, run: Run) -> str | None:
        """Return the gate at which its replacement waits that has leaked itself, None where it does not."""
        with self._database.read() as connection:
            return destruction.keeps_replacement(connection, run)

    @_told
    def ours(self, run: Run) -> Ours:
        """Return which credentials of the run's owner the ledger knows."""
        with self._database.read() as connection:
            return ours.find(connection, run)

    @_told
    def note_late(self, run: str, credential: str) -> None:
        """Keep what a lost claim minted; the dispatcher has the run compared again."""
        with self._database.write() as connection:
            known = select(tables.late.c.run).where(tables.late.c.run == run, tables.late.c.credential == credential)
            if connection.execute(known).first() is None:
                connection.execute(insert(tables.late).values(run=run, credential=credential, at=self._clock()))

    @_told
    def met(self, account: str, *, failed: bool, throttled: bool, retry_after: float | None) -> None:
        """Note how an account answered, for the dispatcher that grants its calls."""
        accounts.note(
            self._database, account, self._clock(), failed=failed, throttled=throttled, retry_after=retry_after
        )


def _is_ahead(step: Step, work: Work) -> bool:
    return step.branch == work.branch.id and step.state not in {StepState.DONE, StepState.SKIPPED}


def _position(step: Step) -> int:
    return step.position

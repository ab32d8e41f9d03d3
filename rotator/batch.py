"""One call for many: the due branches of an account that come to the same revocation go together.

Whoever makes the call takes others along that are due and in nobody's hand. Each keeps its claim, its gates, its intent
and its outcome, and goes on by itself afterwards; the call counts once, and who rides along pays nothing.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import structlog

from rotator.claims import BUDGET, GATHERS, STOPPED, Ledger, LostClaim, Release
from rotator.credential import CredentialRef, Secret
from rotator.errors import RotatorError, Unavailable, Uncertain
from rotator.exchange import Exchange
from rotator.flow.outcome import after_error
from rotator.flow.playbook_words import Subject, Verb
from rotator.flow.run import AT_ONCE, BranchState, Step, StepState, Work
from rotator.flow.step import WORKER_LOST, Move, spread_before
from rotator.holding import Holding, resting
from rotator.ports.abilities import ONE_OF_MANY, Batch
from rotator.waiting import wait_before
from rotator.world import World

log = structlog.get_logger()

TOGETHER = "in_one_call"
"""The fact of a step that went with others: how many they were."""
APART = "apart"
"""The fact of a step whose call was refused as a whole: how many may go with it from now on, itself included."""


@dataclass
class _Rider:
    """One that goes along: its claim, and its step, which is RUNNING."""

    holding: Holding
    step: Step


class Batches:
    """The batches of a worker process. `worker` is its name in claims, `now` the ledger's clock."""

    def __init__(self, ledger: Ledger, world: World, worker: str, now: Callable[[], float]) -> None:
        self._ledger, self._world, self._worker, self._now = ledger, world, worker, now
        self._under_way: set[tuple[str, str]] = set()
        self._lock = threading.Lock()

    def of(self, work: Work, step: Step) -> Batch | None:
        """Return the provider that takes this step for many at once, or None."""
        if (step.verb, step.subject) != (Verb.REVOKE, Subject.EXPOSED):
            return None
        provider = self._world.provider(work.run.ref)
        return provider if isinstance(provider, Batch) else None

    def gather(self, batch: Batch) -> Move | None:
        """Return the wait of one that has just come here, for others to come too; None where nobody waits for them."""
        return Move(StepState.PENDING, self._now() + batch.gather_s, GATHERS) if batch.gather_s else None

    def revoke(self, leader: Holding, step: Step, batch: Batch) -> Move:
        """Revoke it, and whatever else comes to the same call now; return what becomes of its own step.

        Raises LostClaim when the leader's own claim was lost, after those who rode along have settled.
        """
        ref = leader.work.run.ref
        alone = batch.batch_size == 1  # two such calls take nothing from each other
        with contextlib.nullcontext(True) if alone else self._turn((ref.provider, ref.connection)) as is_ours:
            if not is_ours:
                return Move(StepState.PENDING, self._now() + (batch.gather_s or 1.0), GATHERS)
            if not leader.takes_calls(step):
                return Move(StepState.PENDING, AT_ONCE, BUDGET)
            riders = [_Rider(leader, leader.record(step, Move(StepState.RUNNING)))]
            most = _at_most(step, batch.batch_size)
            if most > 1:
                riders += self._board(self._ledger.claim_alike(leader.work, step, self._worker, most - 1), most)
            return self._go(leader, riders, batch)

    @contextlib.contextmanager
    def _turn(self, key: tuple[str, str]) -> Iterator[bool]:
        """Let one batch of a kind be made at a time: two at once would each take half of what fits into one."""
        with self._lock:
            is_ours = key not in self._under_way
            self._under_way.add(key)
        try:
            yield is_ours
        finally:
            if is_ours:
                with self._lock:
                    self._under_way.discard(key)

    def _board(self, found: Sequence[Work], most: int) -> list[_Rider]:
        """Return who of those claimed can go now; the others are given back, as they would have been alone."""
        riders: list[_Rider] = []
        waiting: list[Release] = []
        for work in found:
            holding = Holding(self._ledger, work, self._now)
            step = _ready(holding)
            held = wait_before(self._ledger, self._world, holding.work, step, self._now())
            fits = min(most, _at_most(step, most))
            if held is None and len(riders) + 2 > fits:  # the leader, those that board already, and this one
                held = Move(StepState.PENDING, AT_ONCE, step.reason)
            if held is None:
                most = fits
                riders.append(_Rider(holding, holding.record(step, Move(StepState.RUNNING))))
                continue
            if held.state is not step.state:
                holding.record(step, held)
            waiting.append(holding.given_back(*resting(held)))
        self._ledger.release_all(waiting)
        return riders

    def _go(self, leader: Holding, riders: Sequence[_Rider], batch: Batch) -> Move:
        """Write each intent, make the call, settle each."""
        asked = time.monotonic()
        kept = self._ledger.commit_all([(each.holding.work, each.holding.draft) for each in riders])
        settled: list[tuple[_Rider, Move]] = []
        going: list[_Rider] = []
        lost = None
        for rider, work in zip(riders, kept, strict=True):
            if work is None:
                log.warning("claim_lost", branch=rider.holding.work.branch.id)
                lost = rider if rider.holding is leader else lost
                continue
            rider.holding.committed(work, asked)
            if (stopped := work.branch.stopped) is not None:
                settled.append((rider, Move(StepState.PENDING, AT_ONCE, STOPPED + stopped)))
            else:
                going.append(rider)
        if going:
            going[0].holding.refuse_late()
            settled += zip(going, self._outcomes(going, batch), strict=True)
        for rider, move in settled:
            rider.holding.record(rider.step, move)
        self._release([(rider, move) for rider, move in settled if rider.holding is not leader])
        if lost is not None:
            raise LostClaim
        return next(move for rider, move in settled if rider.holding is leader)

    def _outcomes(self, riders: Sequence[_Rider], batch: Batch) -> list[Move]:
        """Make the call; return what becomes of each step."""
        moves: dict[int, Move] = {}
        shown: list[tuple[int, tuple[CredentialRef, Secret | None]]] = []
        for place, rider in enumerate(riders):
            work = rider.holding.work
            try:
                shown.append((place, (work.run.ref, self._ledger.material(work))))
            except RotatorError as error:  # a secret that cannot be opened is the trouble of its own run alone
                moves[place] = after_error(rider.step, error, self._now())
        going = [riders[place] for place, _ in shown]
        if going:
            found = self._called(going, [each for _, each in shown], batch)
            moves |= {place: move for (place, _), move in zip(shown, found, strict=True)}
        return [moves[place] for place in range(len(riders))]

    def _called(
        self, riders: Sequence[_Rider], shown: list[tuple[CredentialRef, Secret | None]], batch: Batch
    ) -> list[Move]:
        def call() -> list[RotatorError | None]:
            answers = list(batch.revoke_all(shown))
            if len(answers) != len(shown):
                raise ValueError("it answered for more or fewer than it was asked")
            return answers

        exchange = Exchange(self._ledger, *(each.holding for each in riders))
        try:
            answers = exchange.ask(riders[0].step, call, _of_the_account)
        except RotatorError as error:
            if error.reason == ONE_OF_MANY and len(riders) > 1:
                # Halved again and again, the one that is to blame is left alone in the end.
                half = Move(StepState.PENDING, AT_ONCE, f"refused as a whole: {error}", {APART: len(riders) // 2})
                return [half] * len(riders)
            answers = [error] * len(riders)
        now = self._now()
        facts = {TOGETHER: len(riders)}
        return [
            Move(StepState.DONE, facts=facts) if error is None else after_error(rider.step, error, now)
            for rider, error in zip(riders, answers, strict=True)
        ]

    def _release(self, settled: Sequence[tuple[_Rider, Move]]) -> None:
        """Let each go on as its own branch: what comes next has calls of its own to be granted."""
        kept = self._ledger.release_all([self._after(rider.holding, move) for rider, move in settled])
        for (rider, _), is_kept in zip(settled, kept, strict=True):
            if not is_kept:
                log.warning("claim_lost", branch=rider.holding.work.branch.id)

    def _after(self, holding: Holding, move: Move) -> Release:
        """Return how it is given back: at its end, until its next knock makes sense, or as its move says."""
        following, work = holding.work.next_step, holding.work
        if following is None:
            return holding.given_back(BranchState.DONE)
        if move.state is not StepState.DONE:
            return holding.given_back(*resting(move))
        spreads_s = self._world.provider(work.run.ref).propagation_s
        wait = spread_before(following, work.steps, spreads_s, self._now())
        return holding.given_back(*resting(wait or Move(StepState.PENDING, AT_ONCE)))


def _of_the_account(answers: Sequence[RotatorError | None]) -> RotatorError | None:
    """Return the answer that says the account is down or too busy, where one does."""
    return next((each for each in answers if isinstance(each, Unavailable | Uncertain)), None)


def _at_most(step: Step, most: int) -> int:
    """Return how many may go in its call, itself included."""
    return int(str(step.facts.get(APART, most)))


def _ready(holding: Holding) -> Step:
    """Return the next step, PENDING: whatever became of an earlier attempt, it may be done again."""
    step = holding.work.next_step
    assert step is not None  # noqa: S101 - it was claimed for that step
    if step.state is StepState.RUNNING:
        step = holding.record(step, Move(StepState.UNCERTAIN, reason=WORKER_LOST))
    if step.state in {StepState.UNCERTAIN, StepState.HELD}:
        step = holding.record(step, Move(StepState.PENDING, reason=step.reason))
    return step

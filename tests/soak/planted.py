"""Bugs planted into the engine one at a time, in this process alone: a soak that finds none of them proves nothing."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import select, update

from rotator import delivery, effects, engine, judgement, minting
from rotator.errors import RotatorError
from rotator.flow.playbook_words import Verb
from rotator.flow.proof import Proof
from rotator.flow.run import BranchState, StepState
from rotator.flow.step import Move
from rotator.holding import Holding
from rotator.ledger import fenced, joining, outbox, tables, working
from rotator.ledger.written import Written
from rotator.lost_issue import Finding
from rotator.ports.provider import Answer

QUICK = frozenset({Verb.SUSPEND, Verb.UNINSTALL, Verb.END_SESSIONS, Verb.INSTALL, Verb.RELOAD})
LEDGER: Any = working.WorkingLedger
ADVANCE: Any = engine._Advance
HOLDING: Any = Holding


def intent_written_late() -> None:
    """Act first, and write the intent together with the outcome."""
    commit = HOLDING.commit

    def late(self: Any) -> None:
        if not any(step.state is StepState.RUNNING for step in self.draft.steps.values()):
            commit(self)

    HOLDING.commit = late


def outcome_before_effect() -> None:
    """Call a step done when it is only about to be."""
    act = ADVANCE._act

    def early(self: Any, step: Any) -> Move:
        if step.verb not in QUICK:
            return act(self, step)
        running = self._holding.record(step, Move(StepState.RUNNING))
        self._holding.record(running, done := Move(StepState.DONE))
        self._holding.commit()
        with contextlib.suppress(RotatorError):
            self._perform(running)
        return done

    ADVANCE._act = early


def fence_ignored() -> None:
    """Let whoever once had a claim write."""
    write = fenced.write
    branch = tables.branch

    def anyhow(connection: Any, written: Any, *rest: Any) -> Any:
        row = connection.execute(select(branch).where(branch.c.id == written.branch["b_id"])).mappings().one()
        if (row["fence"], row["length"]) != (written.branch["b_fence"], written.branch["b_length"]):
            now = replace(written.work.branch, fence=row["fence"], length=row["length"], head=row["head"])
            connection.execute(update(branch).where(branch.c.id == now.id).values(holder="whoever"))
            written = Written(replace(written.work, branch=now), written.draft)
        return write(connection, written, *rest)

    fenced.write = anyhow


def lost_issue_repeated() -> None:
    """Ask again at once when the answer to a mint was lost."""
    nothing = Finding(Move(StepState.PENDING, due_at=0.0, reason="looked: nothing was issued"))
    minting.look_for_issued = lambda *_: nothing  # type: ignore[attr-defined]


def comparison_dropped() -> None:
    """Close a run without looking what is left over."""
    minting.compare = lambda *_: Finding(Move(StepState.DONE, reason="nothing is left over"))  # type: ignore[attr-defined]
    LEDGER.note_late = lambda *_: None


def settle_time_ignored() -> None:
    """Believe the first refusal."""
    knocked = judgement.knocked  # type: ignore[attr-defined]
    judgement.knocked = lambda proof, verdict, _settle_s, now: knocked(proof, verdict, 0.0, now)  # type: ignore[attr-defined]


def acceptance_forgiven() -> None:
    """Let a series of refusals go on after the door let somebody in."""
    knocked = judgement.knocked  # type: ignore[attr-defined]

    def forgiving(proof: Proof, verdict: Any, settle_s: float, now: float) -> Proof:
        if verdict.answer is Answer.ACCEPTED and proof.refused_since is not None:
            return replace(proof, accepted_at=now)
        return knocked(proof, verdict, settle_s, now)

    judgement.knocked = forgiving  # type: ignore[attr-defined]


def reservation_ignored() -> None:
    """Let several runs mint for one owner at a time."""
    LEDGER.take_mint = lambda *_: None


def leak_safe_ignored() -> None:
    """Make new secrets while a thief can read them."""
    LEDGER.has_open_readers = lambda *_: False


def join_opens_early() -> None:
    """Go on when the first of several doors is through."""

    def early(connection: Any, branch: Any) -> None:
        connection.execute(
            update(tables.branch)
            .where(
                tables.branch.c.run == branch.run,
                tables.branch.c.segment == branch.segment + 1,
                tables.branch.c.state == BranchState.WAITING.value,
            )
            .values(state=BranchState.OPEN.value, due_at=1.0)
        )

    joining.join = early


def promoted_without_comparing() -> None:
    """Move a place whoever has changed it meanwhile."""

    def promote(world: Any, work: Any, _pulse: Any) -> dict[str, object]:
        staged = delivery.versions_of(work.minted, "staged")
        promoted = {}
        for place in work.run.deliver:
            store = world.store(place)
            promoted[str(place)] = store.promote(place.name, staged[str(place)], store._found(place.name))
        return {"promoted": promoted}

    effects.promote = promote  # type: ignore[attr-defined]


def lost_message_forgotten() -> None:
    """Believe that what was sent has arrived."""
    outbox.RESEND_S = 1e12


def secret_in_facts() -> None:
    """Keep the new secret among the facts of its step."""
    stage = delivery.stage

    def telling(*given: Any) -> dict[str, object]:
        facts, issued = stage(*given), given[4]
        return {**facts, "document": issued.secret.reveal()}

    effects.stage = telling  # type: ignore[attr-defined]


def gate_of_another_ignored() -> None:
    """Ask for no gate but one's own incident's before something is destroyed."""
    LEDGER.kept_from_destroying = lambda *_: None


def pause_ignored() -> None:
    """Make something new for whoever is paused."""
    LEDGER.paused_vendor = lambda *_: None
    fenced._paused = lambda *_: None  # type: ignore[attr-defined]


@dataclass(frozen=True)
class Bug:
    """A bug, and by which count and which words the soak finds it: not by any other trouble.

    Most show in a night of two incidents, which is soon played.
    """

    plant: Callable[[], None]
    count: str
    words: str
    per_night: int = 2

    @property
    def name(self) -> str:
        return self.plant.__name__


BUGS = (
    Bug(intent_written_late, "doubled", "was given"),
    Bug(outcome_before_effect, "live exposed", "sessions"),
    Bug(fence_ignored, "doubled", "times"),
    Bug(lost_issue_repeated, "doubled", "was given"),
    Bug(comparison_dropped, "lost", "the report does not say so"),
    Bug(settle_time_ignored, "live exposed", "while some door lets"),
    Bug(acceptance_forgiven, "live exposed", "since before"),
    Bug(reservation_ignored, "doubled", "at a time"),
    Bug(leak_safe_ignored, "secrets found outside", "may read"),
    Bug(join_opens_early, "secrets found outside", "was contained"),
    Bug(promoted_without_comparing, "lost", "overwritten unread"),
    Bug(lost_message_forgotten, "lost", "not at rest"),
    Bug(gate_of_another_ignored, "lost", "kept it", per_night=5),
    Bug(pause_ignored, "doubled", "is paused"),
    Bug(secret_in_facts, "secrets found outside", "in the ledger"),
)

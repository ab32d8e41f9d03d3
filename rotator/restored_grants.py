"""The grants that a vendor gets back as it is let in: those that its pause only suspended. All else stays dead."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rotator.bootstrap import Rotator
from rotator.credential import CredentialRef
from rotator.errors import BadInput
from rotator.flow.playbook_words import Subject, Verb
from rotator.flow.run import StepState, taken_back
from rotator.held import is_grant
from rotator.ledger import pause_held
from rotator.ledger.pauses import Pause
from rotator.ledger.records import RunRecord


@dataclass(frozen=True, slots=True)
class Resumed:
    """A grant that is given back: its run, what it is called, and what is done for it."""

    run: str
    name: str
    does: tuple[str, ...]


def resumable(parts: Rotator, pause: Pause) -> list[tuple[RunRecord, str]]:
    """Return each grant of its vendor that a pause suspended and nobody has resumed, with the step to take back.

    Its incident may have been merged with that of another vendor's pause, which gets back its own.
    """
    with parts.database.read() as connection:
        held = pause_held.of(connection, pause.vendor, pause.number)
    of = parts.reading.incident(parts.pauses.told_under(pause)).family
    found = (each for record in of for each in record.runs if is_grant(parts, each.run.kind))
    mine = (each for each in found if (each.run.ref.provider, each.run.ref.connection, each.run.ref.id) in held)
    return [(each, step) for each in mine if (step := _suspended(each))]


def resume(parts: Rotator, pause: Pause, names: Sequence[str], by: str, reason: str, *, every: bool) -> list[Resumed]:
    """Take back, by the undo of their runs, the suspensions of the grants that are named, or of every one.

    A grant is named by its run, or by its id. Raises BadInput for what is none, was not only suspended, or is held by
    another paused vendor too.
    """
    there = resumable(parts, pause)
    chosen = [(each.run, step) for each, step in there if every]
    for name in names:
        found = [(each, step) for each, step in there if name in {each.run.id, each.run.ref.id, str(each.run.ref)}]
        if len(found) != 1:
            what = "several grants are called so" if found else "no grant that was only suspended is called so"
            runs = ", ".join(each.run.id for each, _ in found or there) or "there is none"
            raise BadInput(what, name, f"name its run: {runs}; what had a secret stays dead")
        [(each, step)] = found
        chosen.append((each.run, step))
    _refuse_shared(parts, pause, [run.ref for run, _ in chosen])
    let_in = f"restore of pause {pause.number} of {pause.vendor}"
    names_of = {run.id: (str(run.ref), step) for run, step in chosen}
    return [_resumed(parts, run, *one, by, reason, let_in) for run, one in names_of.items()]


def _refuse_shared(parts: Rotator, pause: Pause, refs: Sequence[CredentialRef]) -> None:
    """Raise BadInput for a grant that another paused vendor holds: to say that it lives would shut that one's gate."""
    with parts.database.read() as connection:
        others = pause_held.of_open(connection, beside=pause.vendor)
    for ref in refs:
        if (other := others.get((ref.provider, ref.connection, ref.id))) is not None:
            mend = f"let {other} in first, or {pause.vendor} without it: name those that it gets back"
            raise BadInput(f"{other}, which is paused, holds it too", str(ref), mend)


def _resumed(parts: Rotator, run: str, name: str, step: str, by: str, reason: str, let_in: str) -> Resumed:  # noqa: PLR0917
    shown = parts.hands.undoing(run, step)
    parts.hands.undo(run, step, by, reason, shown, let_in)
    return Resumed(run, name, tuple(shown.in_words))


def _suspended(record: RunRecord) -> str:
    """Return the first step that stopped a grant and can be taken back; "" where none can, or it was."""
    gone = taken_back(record.steps)
    stopped = (each for each in record.steps if each.verb is Verb.SUSPEND and each.subject is Subject.EXPOSED)
    return next(
        (
            each.name
            for each in stopped
            if each.undo is Verb.RESUME and each.state is StepState.DONE and each.id not in gone
        ),
        "",
    )

"""Undo, in the ledger: append its steps, and stop claiming what it takes back, wherever that is claimed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, insert, select, update

from rotator.errors import BadInput
from rotator.flow.apart import is_apart
from rotator.flow.proof import revived
from rotator.flow.run import AT_ONCE, LET_IN, ORDERED_AT, UNDONE, BranchState, Step, StepState, calls_ahead
from rotator.flow.standing import resumes
from rotator.flow.step import Move, apply
from rotator.flow.summary import summarise
from rotator.flow.undo import Undo, undo
from rotator.flow.way_back import Stretch, offers
from rotator.ledger import clocks, other_runs, rows, statements, tables
from rotator.ledger.acts import act, lock
from rotator.ledger.run_at_hand import RunAtHand, hold_branches, in_hand, known, look
from rotator.ledger.waits import is_answered_elsewhere
from rotator.ledger.which import Which


def undoing(connection: Connection, run: str, name: str, why: str = "") -> Undo:
    """Return what an undo would do now; change nothing. `why` is who: reason. Raises BadInput as `flow.undo` does."""
    return _undo(connection, in_hand(look(connection, run), run), name, why)


def carry_out(connection: Connection, shown: Undo, act_of: dict[str, Any], why: str) -> Undo:
    """Append the steps that take back what was done from the step on, and skip what was still to come.

    `act_of` is the evidence of it: when, by whom, of which run and step, the reason, and by which restore a vendor is
    let in, where one is. Raises BadInput where nothing can be taken back, a worker is at the run, or it is no longer
    what was `shown`.
    """
    run, name = str(act_of["run"]), str(act_of["step"])
    mine, others = _hold(connection, run, {each.run for each in shown.elsewhere})
    mine.refuse_worker(f"{run} {name}", {each["id"] for each in mine.branches})
    found = _undo(connection, mine, name, why)
    if (found.in_words, found.warnings) != (shown.in_words, shown.warnings):
        raise BadInput("the run has moved on meanwhile", f"{run} {name}", "look again, then say it again")
    skips = Move(StepState.SKIPPED, reason=f"{UNDONE}{name} on: {why}")
    skipped = [apply(each, skips, act_of["at"]) for each in found.skipped]
    ordered = {ORDERED_AT: act_of["at"]} | {name: act_of[name] for name in (LET_IN,) if name in act_of}
    added = [
        replace(step, facts={**step.facts, **ordered}) if resumes(step) else step
        for stretch in found.stretches
        for step in stretch.steps
    ]
    _append(connection, mine, found.stretches, skipped, added)
    after = {step.id: step for step in (*mine.steps, *skipped, *added)}
    ids = {"takes_back": found.takes_back, "appended": added, "skipped": skipped}
    act(connection, mine.run.incident, {**act_of, **{key: [step.id for step in each] for key, each in ids.items()}})
    _claim_no_more(connection, replace(mine, steps=tuple(after.values())), act_of["at"], resumes=found.resumes)
    if found.resumes:
        _revive(connection, others, act_of, f"{run} was undone from {name} on, which resumes it")
    return found


def hold_answering(connection: Connection, run: str, name: str) -> list[RunAtHand] | None:
    """Lock a run, and with it those that keep its resume waiting; return these, None where the step is no such one.

    Raises BadInput when there is no such run, or another joins them just now.
    """
    seen = known(look(connection, run), run)
    waits = next((step for step in seen.steps if step.name == name and is_answered_elsewhere(step)), None)
    if waits is None:
        return None
    since = float(str(waits.facts.get(ORDERED_AT, "inf")))
    found = other_runs.answering(connection, seen.run, since)
    _, others = _hold(connection, run, set(found))
    if other_runs.answering(connection, seen.run, since) != found:
        raise BadInput("other runs of it have moved on meanwhile", f"{run} {name}", "look again, then say it again")
    return others


def resume_all_the_same(
    connection: Connection, mine: RunAtHand, others: Sequence[RunAtHand], act_of: dict[str, Any]
) -> None:
    """Stop claiming, wherever it is claimed, that a credential is dead that a person has resumed in spite of that.

    All are locked. `act_of` is the evidence of it. Raises BadInput where a worker is at one of them.
    """
    _revive(connection, others, act_of, f"{mine.run.id} {act_of['step']} resumes it all the same")
    _claim_no_more(connection, mine, act_of["at"], resumes=True)


def _revive(connection: Connection, others: Sequence[RunAtHand], act_of: dict[str, Any], because: str) -> None:
    """Have other runs of a credential count it as a living one again, and tell their incidents."""
    for other in others:
        other.refuse_worker(f"{other.run.id}, of the same credential", {each["id"] for each in other.branches})
        act(connection, other.run.incident, {**act_of, "act": "revived", "run": other.run.id, "because": because})
        if LET_IN in act_of:
            other = replace(other, run=replace(other.run, let_in_at=act_of["at"]))  # noqa: PLW2901 - the same, let in
        _claim_no_more(connection, other, act_of["at"], resumes=True)


def _hold(connection: Connection, run: str, others: set[str]) -> tuple[RunAtHand, list[RunAtHand]]:
    """Lock the incidents of all these runs, then the branches of each in order; read the runs."""
    concerned = select(tables.run.c.incident).where(tables.run.c.id.in_([run, *others]))
    lock(connection, set(connection.execute(concerned).scalars()))
    held = {each: known(hold_branches(connection, each), each) for each in sorted({run, *others})}
    return held[run], [held[each] for each in sorted(others)]


def _undo(connection: Connection, mine: RunAtHand, name: str, why: str) -> Undo:
    found = undo(mine.run, mine.steps, [proof.target for proof in mine.proofs], name, why)
    if found.resumes:
        return replace(found, elsewhere=tuple(other_runs.find(connection, mine.run)))
    if found.strands or not offers(mine.run, mine.steps, found.takes_back):
        return found
    other = other_runs.stopped(connection, Which(mine.run.incident, (mine.run.id,))).get(mine.run.id)
    if other is not None:
        return replace(found, strands=True, stopped_by=other.run)
    will_stop = [each for each in other_runs.find(connection, mine.run) if each.step is not None]
    return replace(found, elsewhere=tuple(replace(each, counts_dead=False) for each in will_stop))


def _append(
    connection: Connection,
    mine: RunAtHand,
    stretches: Sequence[Stretch],
    skipped: Sequence[Step],
    added: Sequence[Step],
) -> None:
    for step in skipped:
        connection.execute(statements.MOVE_STEP, {"s_id": step.id, **rows.step_progress(step)})
    connection.execute(
        update(tables.branch)
        .where(
            tables.branch.c.run == mine.run.id,
            tables.branch.c.state != BranchState.DONE.value,
            tables.branch.c.id.not_in([step.branch for step in mine.steps if is_apart(step)]),
        )
        .values(state=BranchState.DONE.value, due_at=None, sent_at=None, reason=None)
    )
    connection.execute(insert(tables.branch), branch_rows(mine, stretches))
    connection.execute(statements.ADD_STEP, [rows.step_row(step, mine.run.id) for step in added])


def _claim_no_more(connection: Connection, of: RunAtHand, at: float, *, resumes: bool) -> None:
    """Stop claiming what is taken back. A credential that is to be resumed counts as a living reader from now on."""
    proofs = of.proofs
    if resumes:
        proofs = tuple(revived(proof) for proof in proofs)
        for proof in proofs:
            of_door = {"p_run": of.run.id, "p_target": proof.target}
            connection.execute(statements.PROVE, {**of_door, **rows.proof_row(proof)})
        connection.execute(statements.CLOSE_REACH, {"run_id": of.run.id, "still_open": tables.LIVES})
    summary = summarise(of.run, of.steps, proofs)
    act(connection, of.run.incident, {"at": at, **clocks.change(connection, summary)})


def branch_rows(mine: RunAtHand, stretches: Sequence[Stretch]) -> list[dict[str, Any]]:
    """Return the branches to append, each under the account of its target's earlier ones; the first segment starts."""
    accounts = {each["target"]: each["account"] for each in mine.branches}
    first = stretches[0].segment
    return [
        {
            "id": each.id,
            "run": mine.run.id,
            "incident": mine.run.incident,
            "segment": each.segment,
            "target": each.target,
            "quorum": 100,
            "state": (BranchState.OPEN if each.segment == first else BranchState.WAITING).value,
            "due_at": AT_ONCE if each.segment == first else None,
            "lane": each.steps[0].lane.value,
            "calls": calls_ahead(each.steps),
            "account": accounts.get(each.target, ""),
            "priority": mine.run.priority,
            "fence": 0,
            "beat": 0,
            "length": 0,
            "head": "",
        }
        for each in stretches
    ]

"""Claim at once what waits for the same call: the due branches of an account that come to the same step of a kind."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import BindParameter, Connection, RowMapping, bindparam, case, or_, select, update

from rotator.claims import GATHERS
from rotator.flow.proof import Proof
from rotator.flow.run import THROUGH, Step, StepState, Work
from rotator.ledger import rows, tables, why_stopped

_TOGETHER = 500
"""Ids named in one statement."""

_branch, _run, _step = tables.branch, tables.run, tables.step
_earlier = tables.step.alias("earlier")
_THROUGH = [state.value for state in THROUGH]
_FIND = (
    select(_branch.c.id)
    .join(_run, _run.c.id == _branch.c.run)
    .join(_step, (_step.c.run == _branch.c.run) & (_step.c.branch == _branch.c.id))
    .where(
        tables.MAY_BE_SENT,
        _branch.c.account == bindparam("account"),
        _branch.c.lane == bindparam("of_lane"),
        or_(_branch.c.due_at <= bindparam("now"), _branch.c.reason == GATHERS),
        _run.c.provider == bindparam("kind"),
        _run.c.connection == bindparam("connection"),
        _step.c.verb == bindparam("verb"),
        _step.c.subject == bindparam("subject"),
        _step.c.target == bindparam("target"),
        _step.c.state.not_in([*_THROUGH, StepState.FAILED.value]),
        ~select(1)
        .where(
            _earlier.c.run == _step.c.run,
            _earlier.c.branch == _step.c.branch,
            _earlier.c.position < _step.c.position,
            _earlier.c.state.not_in(_THROUGH),
        )
        .correlate_except(_earlier)
        .exists(),
        why_stopped.of_branch().is_(None),
    )
    .order_by(_branch.c.priority.desc(), _branch.c.due_at)
    .limit(bindparam("most"))
    .with_for_update(skip_locked=True, of=_branch)
)
_CLAIM = (
    update(_branch)
    .where(_branch.c.id.in_(bindparam("ids", expanding=True)), tables.MAY_BE_SENT)
    .values(
        holder=bindparam("worker"),
        fence=_branch.c.fence + 1,
        beat=_branch.c.beat + 1,
        # What a message brought is given back with the claim; without one nothing was granted.
        granted=case((_branch.c.sent_at.is_(None), None), else_=_branch.c.granted),
        sent_at=None,
        reason=None,
    )
    .returning(*_branch.c)
)
_OF_RUNS: BindParameter[Any] = bindparam("runs", expanding=True)
_RUNS = (
    select(_run, tables.sealed.c.blob)
    .outerjoin(tables.sealed, tables.sealed.c.run == _run.c.id)
    .where(_run.c.id.in_(_OF_RUNS))
)
_STEPS = select(_step).where(_step.c.run.in_(_OF_RUNS)).order_by(_step.c.position, _step.c.target)
_PROOFS = select(tables.proof).where(tables.proof.c.run.in_(_OF_RUNS))


def claim(  # noqa: PLR0917 - what a claim is made of
    connection: Connection, work: Work, step: Step, worker: str, most: int, now: float
) -> list[Work]:
    """Take the most urgent whose next step is as `step`, which is `work`'s: held by nobody, and not stopped."""
    wanted = {
        "account": work.branch.account,
        "of_lane": step.lane.value,
        "now": now,
        "kind": work.run.ref.provider,
        "connection": work.run.ref.connection,
        "verb": step.verb.value,
        "subject": step.subject.value,
        "target": step.target,
        "most": most,
    }
    ids = list(connection.execute(_FIND, wanted).scalars())
    found: dict[str, Work] = {}
    for start in range(0, len(ids), _TOGETHER):
        taking = {"ids": ids[start : start + _TOGETHER], "worker": worker}
        claimed = connection.execute(_CLAIM, taking).mappings().all()
        found.update((each.branch.id, each) for each in _loaded(connection, claimed))
    return [found[each] for each in ids if each in found]


def _loaded(connection: Connection, claimed: Sequence[RowMapping]) -> Iterator[Work]:
    """Read the runs of what was claimed, all of them in three statements."""
    of = {"runs": sorted({row["run"] for row in claimed})}
    runs = {row["id"]: row for row in connection.execute(_RUNS, of).mappings()}
    steps: dict[str, list[Step]] = defaultdict(list)
    proofs: dict[str, dict[str, Proof]] = defaultdict(dict)
    for row in connection.execute(_STEPS, of).mappings():
        steps[row["run"]].append(rows.step_of(row))
    for row in connection.execute(_PROOFS, of).mappings():
        proofs[row["run"]][row["target"]] = rows.proof_of(row)
    for row in claimed:
        run = runs[row["run"]]
        yield Work(rows.run_of(run), rows.branch_of(row), tuple(steps[run["id"]]), proofs[run["id"]], run["blob"])

"""List incidents: in words how each stands, and how many of its credentials are dead."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import Connection, RowMapping, func, null, select

from rotator.flow.playbook_words import Subject, Verb
from rotator.flow.run import BranchState, StepState
from rotator.ledger import approved, counting, other_runs, rows, statements, tables
from rotator.ledger import stops as stops_in
from rotator.ledger.records import Listed
from rotator.ledger.which import Which

_SCHEDULED = "scheduled"
ALIVE_AGAIN = "alive again"
"""How an incident stands of which somebody resumed a stolen credential."""
WAITS = "waits for you"
NEWER = "waits for approval"
"""What was added since it was approved is not."""


@dataclass(slots=True)
class _Stands:
    """How an incident stands, with all that was merged into it: `every` names them, itself first."""

    every: list[str]
    states: set[str] = field(default_factory=set)
    credentials: int = 0
    dead: int = 0
    stated: int = 0
    dismissed: int = 0
    manual: int = 0
    reviews: int = 0
    approved: bool = False

    @property
    def alive(self) -> int:
        """Return how many nobody may call dead."""
        return self.credentials - self.dead - self.stated


def listed(connection: Connection) -> list[Listed]:
    """Return every incident, the newest first, and how each stands. What was merged is told where it was merged to."""
    incident, plan = tables.incident, tables.plan
    found = connection.execute(select(incident).order_by(incident.c.declared_at.desc())).mappings().all()
    stand = _stand(connection, found)
    newer = set(connection.execute(select(plan.c.incident).where(plan.c.approved_at.is_(None))).scalars())
    answer = []
    for row in found:
        known = rows.incident_of(row)
        if row["merged_into"] is not None:
            answer.append(Listed(known, f"merged into {row['merged_into']}", merged_into=row["merged_into"]))
            continue
        stands = stand[row["id"]]
        words = _in_words(stands)
        if words == WAITS:
            words = NEWER if row["id"] in newer else _since(connection, stands)
        if row["closed_at"] is not None:
            words = "closed" if stands.approved and words.startswith(_DEAD) else f"closed, {words}"
        counts = (stands.credentials, stands.dead, stands.stated, stands.dismissed, stands.manual, stands.reviews)
        answer.append(Listed(known, words, *counts))
    return answer


def _stand(connection: Connection, found: Sequence[RowMapping]) -> dict[str, _Stands]:
    """Return how each incident stands that was merged into no other, with what was merged into it."""
    into = {row["id"]: row["merged_into"] for row in found if row["merged_into"] is not None}
    stand = {row["id"]: _Stands([row["id"]]) for row in found if row["id"] not in into}
    of: dict[str, _Stands] = {}
    reviews = approved.to_review(connection)
    for row in found:
        last = row["id"]
        while last in into:
            last = into[last]
        of[row["id"]] = stands = stand[last]
        stands.every += [row["id"]] * (last != row["id"])
        stands.approved = stands.approved or row["approved_at"] is not None
        stands.reviews += reviews.get(row["id"], 0)
    _count(connection, of)
    for name, stands in stand.items():
        if len(stands.every) > 1:
            # What both had is one credential: here they are looked at one by one.
            told = counting.progress(connection, name, 0.0)
            stands.credentials = told.credentials - told.dismissed
            stands.dead, stands.stated, stands.dismissed = told.dead, told.stated, told.dismissed
    return stand


def _count(connection: Connection, of: Mapping[str, _Stands]) -> None:
    """Count the runs and tasks of each incident, and the states of what is at work."""
    branch, manual, run = tables.branch, tables.manual, tables.run
    stopped = statements.stopped() if stops_in.find(connection) else null()
    kinds = (
        select(branch.c.incident, branch.c.state, branch.c.due_at.is_not(None).label("timed"), stopped.label("stopped"))
        .join(run, run.c.id == branch.c.run)
        .where(run.c.dismissed.is_(None))
    )
    for name, state, timed, by in connection.execute(kinds.distinct()):
        at_work = state == BranchState.OPEN.value
        waits = state == BranchState.HELD.value and timed
        of[name].states.add(_SCHEDULED if waits else "stopped" if at_work and by else state)
    out = run.c.dismissed.is_not(None)
    of_runs = select(run.c.incident, run.c.evidence, out, func.count()).group_by(run.c.incident, run.c.evidence, out)
    for name, evidence, dismissed, count in connection.execute(of_runs):
        stands = of[name]
        stands.dismissed += count if dismissed else 0
        stands.credentials += 0 if dismissed else count
        stands.dead += count if evidence == "proven" and not dismissed else 0
        stands.stated += count if evidence == "stated" and not dismissed else 0
    out = manual.c.dismissed.is_not(None)
    of_tasks = select(manual.c.incident, out, func.count()).group_by(manual.c.incident, out)
    for name, dismissed, count in connection.execute(of_tasks):
        stands = of[name]
        stands.dismissed += count if dismissed else 0
        stands.manual += 0 if dismissed else count
        stands.credentials += 0 if dismissed else count


def _since(connection: Connection, stands: _Stands) -> str:
    """Return what has become of an incident that waits for a person: an undo, or deaths that other incidents saw."""
    step, run = tables.step, tables.run
    settled = {name for each in stands.every for name in other_runs.deaths(connection, Which(each))}
    resumed = (
        select(step.c.run)
        .join(run, run.c.id == step.c.run)
        .where(run.c.incident.in_(stands.every), run.c.evidence == "none")
        .where(step.c.verb == Verb.RESUME.value, step.c.subject == Subject.EXPOSED.value)
        .where(step.c.state != StepState.SKIPPED.value, step.c.attempts > 0)
    )
    elsewhere = {name for each in stands.every for name in other_runs.resumed(connection, Which(each))}
    if {*connection.execute(resumed).scalars(), *elsewhere} - settled:
        return ALIVE_AGAIN
    through = stands.states <= {BranchState.DONE.value, _SCHEDULED}
    return f"dead, {stands.alive:,} settled elsewhere" if through and stands.alive == len(settled) else WAITS


_ALL_DEAD = "all dead"
_DEAD = ("dead", _ALL_DEAD)
"""How it begins what is said of an incident of which nothing lives."""


def _in_words(stands: _Stands) -> str:
    """Return how an incident stands: what moves comes first, then what keeps it from moving."""
    if not stands.approved:
        return "not approved"
    if BranchState.OPEN.value in stands.states:
        return "at work"
    if "stopped" in stands.states:
        return "stopped"
    if stands.alive or not stands.states <= {BranchState.DONE.value, _SCHEDULED}:
        return WAITS
    return f"dead, {stands.stated:,} only stated" if stands.stated else _ALL_DEAD

"""List incidents: in words how each stands, and how many of its credentials are dead."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import ColumnElement, Connection, FromClause, RowMapping, Select, and_, func, null, or_, select

from rotator.errors import BadInput
from rotator.flow.incident import Purpose
from rotator.flow.playbook_words import Subject, Verb
from rotator.flow.run import AGAIN, LET_IN, BranchState, StepState
from rotator.ledger import rows, tables, why_stopped
from rotator.ledger import stops as stops_in
from rotator.ledger.purposes import purpose as purpose_of
from rotator.ledger.records import Listed
from rotator.ledger.reviews import to_review
from rotator.ledger.which import Which, parts

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
    approved: bool = False
    states: set[str] = field(default_factory=set)
    credentials: int = 0
    dead: int = 0
    stated: int = 0
    dismissed: int = 0
    manual: int = 0
    reviews: int = 0
    let_in: int = 0

    @property
    def alive(self) -> int:
        """Return how many nobody may call dead, and that no restore let in again."""
        return self.credentials - self.dead - self.stated - self.let_in


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the list: of one purpose, of those that are open or those that are not, of those `on_top` alone.

    On top is what was merged into no other. Of these so many at most, behind an incident or so many that are skipped.
    """

    purpose: Purpose | None = None
    is_open: bool | None = None
    after: str | None = None
    limit: int | None = None
    skip: int = 0
    on_top: bool = False


def listed(connection: Connection, part: Part = Part()) -> list[Listed]:
    """Return incidents, the newest first, and how each stands. What was merged is told where it was merged to.

    Only what it returns is counted: the list of years costs what a page of it costs. Raises BadInput where the part is
    behind an incident that is not there.
    """
    plan = tables.plan
    found = connection.execute(_newest_first(connection, part)).mappings().all()
    stand = _stand(connection, found)
    newer = set(connection.execute(select(plan.c.incident).where(plan.c.approved_at.is_(None))).scalars())
    answer = []
    for row in found:
        known, purpose = rows.incident_of(row), Purpose(row["purpose"])
        if row["merged_into"] is not None:
            into = row["merged_into"]
            answer.append(Listed(known, f"merged into {into}", merged_into=into, purpose=purpose))
            continue
        stands = stand[row["id"]]
        words = _in_words(stands)
        if words == WAITS:
            words = NEWER if row["id"] in newer else _since(connection, stands)
        if row["closed_at"] is not None:
            words = "closed" if stands.approved and words.startswith(_DEAD) else f"closed, {words}"
        counts = (stands.credentials, stands.dead, stands.stated, stands.dismissed, stands.manual, stands.reviews)
        answer.append(Listed(known, words, *counts, let_in=stands.let_in, purpose=purpose))
    return answer


def count(connection: Connection, part: Part) -> int:
    """Return how many incidents a part has, whatever its limit; how each stands is not looked at."""
    whole = _newest_first(connection, replace(part, limit=None, skip=0)).order_by(None).subquery()
    return int(connection.execute(select(func.count()).select_from(whole)).scalar_one())


def counted(connection: Connection) -> Counter[tuple[Purpose, bool]]:
    """Return how many incidents there are of each purpose that are open, and that are not."""
    table = select(tables.incident, purpose_of(tables.incident).label("purpose")).subquery()
    query = select(table.c.purpose, _is_open(table).label("open"), func.count()).group_by(table.c.purpose, "open")
    return Counter({(Purpose(of), bool(is_open)): count for of, is_open, count in connection.execute(query)})


def _newest_first(connection: Connection, part: Part) -> Select[Any]:
    table = select(tables.incident, purpose_of(tables.incident).label("purpose")).subquery()
    query = (
        select(table)
        .order_by(table.c.declared_at.desc(), table.c.id.desc())
        .limit(part.limit)
        .offset(part.skip or None)
    )
    if part.purpose is not None:
        query = query.where(table.c.purpose == part.purpose.value)
    if part.is_open is not None:
        query = query.where(_is_open(table) if part.is_open else ~_is_open(table))
    if part.on_top:
        query = query.where(table.c.merged_into.is_(None))
    if part.after is not None:
        at = connection.execute(select(table.c.declared_at).where(table.c.id == part.after)).scalar()
        if at is None:
            raise BadInput("no such incident", part.after, "rotator incident list shows them")
        same = and_(table.c.declared_at == at, table.c.id < part.after)
        query = query.where(or_(table.c.declared_at < at, same))
    return query


def _is_open(incident: FromClause) -> ColumnElement[bool]:
    return and_(incident.c.closed_at.is_(None), incident.c.merged_into.is_(None))


def _stand(connection: Connection, found: Sequence[RowMapping]) -> dict[str, _Stands]:
    """Return how each incident stands that was merged into no other, with what was merged into it."""
    stand = {row["id"]: _Stands([row["id"]], row["approved_at"] is not None) for row in found if not row["merged_into"]}
    of = dict(stand)
    for name, into, approved_at in _merged(connection):
        if into in of:
            of[name] = stands = of[into]
            stands.every.append(name)
            stands.approved = stands.approved or approved_at is not None
    for name, count in to_review(connection).items():
        if name in of:
            of[name].reviews += count
    for part in parts(of):
        _count(connection, of, part)
    if together := {name: stands for name, stands in stand.items() if len(stands.every) > 1}:
        _count_once(connection, together)
    return stand


def _count_once(connection: Connection, together: Mapping[str, _Stands]) -> None:
    """Count those anew into which others were merged: what both had is one credential, and they were counted alone."""
    from rotator.ledger import counting  # noqa: PLC0415 - only a list of what was merged pays for it

    for name, stands in together.items():
        told = counting.progress(connection, name, 0.0)
        stands.credentials = told.credentials - told.dismissed
        stands.dead, stands.stated, stands.dismissed = told.dead, told.stated, told.dismissed
        stands.let_in = told.let_in_again


def _merged(connection: Connection) -> Iterator[tuple[str, str, float | None]]:
    """Yield what was merged, into what, and when it was approved: each behind what it was merged into."""
    table = tables.incident
    query = select(table.c.id, table.c.merged_into, table.c.approved_at).where(table.c.merged_into.is_not(None))
    into: dict[str, list[tuple[str, float | None]]] = {}
    for name, other, approved_at in connection.execute(query):
        into.setdefault(other, []).append((name, approved_at))
    merged = {name for every in into.values() for name, _ in every}
    ahead = [each for each in into if each not in merged]
    while ahead:
        other = ahead.pop()
        for name, approved_at in into.get(other, ()):
            yield name, other, approved_at
            ahead.append(name)


def _count(connection: Connection, of: Mapping[str, _Stands], names: Sequence[str]) -> None:
    """Count the runs and tasks of some incidents, and the states of what is at work."""
    branch, manual, run = tables.branch, tables.manual, tables.run
    stopped = why_stopped.of_branch() if stops_in.find(connection) else null()
    kinds = (
        select(branch.c.incident, branch.c.state, branch.c.due_at.is_not(None).label("timed"), stopped.label("stopped"))
        .join(run, run.c.id == branch.c.run)
        .where(branch.c.incident.in_(names), run.c.dismissed.is_(None))
    )
    for name, state, timed, by in connection.execute(kinds.distinct()):
        at_work = state == BranchState.OPEN.value
        waits = state == BranchState.HELD.value and timed
        of[name].states.add(_SCHEDULED if waits else "stopped" if at_work and by else state)
    out, let_in = run.c.dismissed.is_not(None), run.c.let_in_at.is_not(None)
    grouped = (run.c.incident, run.c.evidence, out, let_in)
    of_runs = select(*grouped, func.count()).group_by(*grouped).where(run.c.incident.in_(names))
    for name, evidence, dismissed, is_let_in, count in connection.execute(of_runs):
        stands = of[name]
        stands.let_in += count if is_let_in and evidence == "none" and not dismissed else 0
        stands.dismissed += count if dismissed else 0
        stands.credentials += 0 if dismissed else count
        stands.dead += count if evidence == "proven" and not dismissed else 0
        stands.stated += count if evidence == "stated" and not dismissed else 0
    out = manual.c.dismissed.is_not(None)
    of_tasks = select(manual.c.incident, out, func.count()).group_by(manual.c.incident, out)
    for name, dismissed, count in connection.execute(of_tasks.where(manual.c.incident.in_(names))):
        stands = of[name]
        stands.dismissed += count if dismissed else 0
        stands.manual += 0 if dismissed else count
        stands.credentials += 0 if dismissed else count


def _since(connection: Connection, stands: _Stands) -> str:
    """Return what has become of an incident that waits for a person: what lives again, or deaths that others saw."""
    from rotator.ledger import other_runs  # noqa: PLC0415 - only a list of what waits pays for it

    step, run = tables.step, tables.run
    settled = {name for each in stands.every for name in other_runs.deaths(connection, Which(each))}
    resumed = (
        select(step.c.run)
        .join(run, run.c.id == step.c.run)
        .where(run.c.incident.in_(stands.every), run.c.evidence == "none", run.c.let_in_at.is_(None))
        .where(~step.c.facts.contains(f'"{LET_IN}":'))
        .where(step.c.subject == Subject.EXPOSED.value, step.c.state != StepState.SKIPPED.value)
        .where(or_(and_(step.c.verb == Verb.RESUME.value, step.c.attempts > 0), step.c.facts.contains(f'"{AGAIN}":')))
    )
    elsewhere = {name for each in stands.every for name in other_runs.resumed(connection, Which(each))}
    if {*connection.execute(resumed).scalars(), *elsewhere} - settled:
        return ALIVE_AGAIN
    through = stands.states <= {BranchState.DONE.value, _SCHEDULED}
    return f"dead, {stands.alive:,} settled elsewhere" if through and stands.alive == len(settled) else WAITS


_ALL_DEAD = "all dead"
_DEAD = ("dead", _ALL_DEAD, "let in again")
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
    if stands.let_in:
        return f"dead, {stands.let_in:,} let in again" if stands.dead + stands.stated else "let in again"
    return f"dead, {stands.stated:,} only stated" if stands.stated else _ALL_DEAD

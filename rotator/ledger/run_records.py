"""Runs with all that belongs to them, as reports and boards take them: all of an incident's, or a few."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, RowMapping, func, select

from rotator.flow.proof import Proof
from rotator.flow.run import AT_ONCE, BranchState, Run, Step
from rotator.ledger import earlier, other_runs, reservation, risk, rows, tables, waits
from rotator.ledger.records import LookedAgain, ManualTask, RunRecord
from rotator.ledger.which import Which


def records(connection: Connection, incident: RowMapping, which: Which, runs: Sequence[Run]) -> list[RunRecord]:
    """Return the `runs` of an incident that `which` names with all that belongs to them, the most urgent first."""
    steps, proofs = _steps(connection, which), _proofs(connection, which)
    routes = waits.routes(connection, steps)
    said = waits.said(connection, incident, which, steps, routes)
    late: dict[str, list[str]] = {}
    for each in which.beside(connection, tables.late):
        late.setdefault(each["run"], []).append(each["credential"])
    exposures = _seen(connection, which, tables.exposure.c.run)
    awaits = waits.lifelines(connection, which)
    gone_ahead = waits.gone_ahead(connection, which.incident) if awaits else {}
    deaths = other_runs.deaths(connection, which)
    due_at = _due(connection, which)
    since = earlier.delivered_since(connection, which)
    resumed = other_runs.resumed(connection, which)
    stopped = other_runs.stopped(connection, which)
    accepted = risk.accepted(connection, which)
    looked = {row["run"]: _looked(row) for row in which.beside(connection, tables.watched)}
    return [
        RunRecord(
            run=run,
            steps=tuple(said.get(run.id, ())),
            proofs=tuple(proofs.get(run.id, ())),
            exposures=exposures.get(run.id, 0),
            awaits=awaits.get(run.id, ()),
            gone_ahead=gone_ahead.get(run.id),
            routes=routes.get(run.id, ()),
            late=tuple(sorted(late.get(run.id, ()))),
            settled_by=other_runs.unless_alive(deaths.get(run.id), steps.get(run.id, ()), proofs.get(run.id, ())),
            behind=tuple(reservation.behind(connection, run.ref, steps.get(run.id, ()))),
            due_at=due_at.get(run.id, {}),
            delivered_since=since.get(run.id),
            resumed_by=resumed.get(run.id),
            stopped_by=stopped.get(run.id),
            accepted=accepted.get(run.id, risk.Accepted()).names,
            looked=looked.get(run.id),
        )
        for run in sorted(runs, key=lambda each: (-each.priority, each.id))
    ]


def _looked(row: RowMapping) -> LookedAgain:
    return LookedAgain(row["looks"], row["missed"], row["looked_at"], row["until"], row["says"])


def standing(connection: Connection, which: Which) -> list[RunRecord]:
    """Return how those runs stand: their steps, proofs, and what other runs did to their credentials.

    What keeps a step waiting is not told in full, nor what people accepted: that takes a question for each.
    """
    steps, proofs = _steps(connection, which), _proofs(connection, which)
    deaths = other_runs.deaths(connection, which)
    since = earlier.delivered_since(connection, which)
    resumed = other_runs.resumed(connection, which)
    stopped = other_runs.stopped(connection, which)
    return [
        RunRecord(
            run=run,
            steps=tuple(steps.get(run.id, ())),
            proofs=tuple(proofs.get(run.id, ())),
            exposures=0,
            settled_by=other_runs.unless_alive(deaths.get(run.id), steps.get(run.id, ()), proofs.get(run.id, ())),
            delivered_since=since.get(run.id),
            resumed_by=resumed.get(run.id),
            stopped_by=stopped.get(run.id),
        )
        for run in runs(connection, which)
    ]


def runs(connection: Connection, which: Which) -> list[Run]:
    """Return the runs alone."""
    return [rows.run_of(row) for row in connection.execute(select(tables.run).where(which.of(tables.run))).mappings()]


def tasks(connection: Connection, which: Which) -> list[ManualTask]:
    """Return the tasks of persons, in the order in which they were made."""
    manual = tables.manual
    query = select(manual).where(which.of(manual)).order_by(func.length(manual.c.id), manual.c.id)
    exposures = _seen(connection, which, tables.exposure.c.manual)
    return [
        ManualTask(
            id=each["id"],
            kind=each["kind"],
            key=each["key"],
            reason=each["reason"],
            mend=each["mend"],
            dismissed=each["dismissed"],
            exposures=exposures.get(each["id"], 0),
            revision=each["revision"],
            incident=each["incident"],
        )
        for each in connection.execute(query).mappings()
    ]


def _seen(connection: Connection, which: Which, by: ColumnElement[Any]) -> dict[str, int]:
    """Return how often each credential was seen, `by` its run or its task."""
    counted = select(by, func.count()).where(which.match(by, tables.exposure.c.incident), by.is_not(None)).group_by(by)
    return {each: count for each, count in connection.execute(counted)}  # noqa: C416 - rows are not pairs


def _steps(connection: Connection, which: Which) -> dict[str, list[Step]]:
    found: dict[str, list[Step]] = {}
    for each in sorted(which.beside(connection, tables.step), key=lambda row: (row["position"], row["target"])):
        found.setdefault(each["run"], []).append(rows.step_of(each))
    return found


def _proofs(connection: Connection, which: Which) -> dict[str, list[Proof]]:
    found: dict[str, list[Proof]] = {}
    for each in which.beside(connection, tables.proof):
        found.setdefault(each["run"], []).append(rows.proof_of(each))
    return found


def _due(connection: Connection, which: Which) -> Mapping[str, dict[str, float]]:
    """Return by run when its branches that wait for nobody are due again, by their ids: not while an account pauses."""
    branch, account = tables.branch, tables.account
    query = (
        select(branch.c.run, branch.c.id, branch.c.due_at, account.c.pause_until)
        .outerjoin(account, account.c.name == branch.c.account)
        .where(which.match(branch.c.run, branch.c.incident))
        .where(branch.c.state == BranchState.OPEN.value, branch.c.due_at > AT_ONCE)
    )
    found: dict[str, dict[str, float]] = {}
    for run, each, at, pause_until in connection.execute(query):
        found.setdefault(run, {})[each] = max(at, pause_until or at)
    return found


def connections(found: Sequence[Any]) -> set[str]:
    """Return the connections with which runs have to do: where they stop, and where they deliver."""
    return {run.ref.connection for run in found} | {place.connection for run in found for place in run.deliver}

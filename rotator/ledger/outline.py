"""An incident in outline: what belongs to it, its moments, the tasks of persons; its runs by name alone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, select

from rotator.ledger import few, revisions, run_records, tables
from rotator.ledger.records import ManualTask
from rotator.ledger.which import Which, parts


@dataclass(frozen=True, slots=True)
class Outline:
    """`every` names an incident, and behind it what was merged into it. Times are in epoch seconds.

    `detected` says of each incident's revision from when the clocks of its credentials count.
    """

    every: tuple[str, ...]
    times: Mapping[str, float | None]
    detected: Mapping[tuple[str, int], float]
    tasks: tuple[ManualTask, ...]


def outline(connection: Connection, incident: str) -> Outline:
    """Return an incident in outline. Raises BadInput for none."""
    row = few.found(connection, incident)
    every = (incident, *revisions.merged(connection, incident))
    return Outline(
        every=every,
        times={name: row[f"{name}_at"] for name in ("exposed", "detected", "declared", "approved", "closed")},
        detected={(each, one.number): one.detected_at for each in every for one in revisions.find(connection, each)},
        tasks=tuple(task for each in every for task in run_records.tasks(connection, Which(each))),
    )


def names(connection: Connection, every: Iterable[str]) -> list[str]:
    """Return the names of the runs of incidents, the most urgent first: whoever reads them one by one begins there."""
    run = tables.run
    query = select(run.c.id).where(run.c.incident.in_(list(every))).order_by(run.c.priority.desc(), run.c.id)
    return list(connection.execute(query).scalars())


def credentials(connection: Connection, runs: Iterable[str]) -> set[str]:
    """Return the ids of the credentials of runs."""
    run = tables.run
    return {
        each
        for part in parts(runs)
        for each in connection.execute(select(run.c.credential).where(run.c.id.in_(part))).scalars()
    }


def late_owners(connection: Connection) -> set[str]:
    """Return the owners of whom lost workers' mints are not settled: their comparisons move without evidence."""
    run, late = tables.run, tables.late
    return set(connection.execute(select(run.c.owner).join(late, late.c.run == run.c.id)).scalars())

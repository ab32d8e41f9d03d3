"""Revisions of an incident's plan: who made each and why, who approved it, and what the incident has by now."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, RowMapping, func, or_, select

from rotator.credential import CredentialRef
from rotator.errors import BadInput
from rotator.flow.incident import Severity
from rotator.flow.revision import Name, Present
from rotator.ledger import rows, tables
from rotator.ledger.acts import lock

_OF_INCIDENT = "rotator incident list shows them"


@dataclass(frozen=True, slots=True)
class Revision:
    """One revision. Times in epoch seconds; `detected_at` is from when the clocks of its credentials count."""

    number: int
    digest: str
    made_at: float
    detected_at: float
    by: str
    why: str
    approved_at: float | None
    approved_by: str | None


@dataclass(frozen=True, slots=True)
class Behind:
    """What of an incident is numbered already: the newest revision, run, task and exclusion, and the last wave."""

    revision: int = 0
    run: int = 0
    task: int = 0
    excluded: int = 0
    wave: int = 0


NOTHING = Behind()


def find(connection: Connection, incident: str) -> list[Revision]:
    """Return every revision of an incident, the first one first."""
    plan = tables.plan
    names = ("number", "digest", "made_at", "detected_at", "by", "why", "approved_at", "approved_by")
    query = select(*(plan.c[name] for name in names)).where(plan.c.incident == incident).order_by(plan.c.number)
    return [Revision(**row) for row in connection.execute(query).mappings()]


def unapproved(connection: Connection, incident: str) -> list[Revision]:
    """Return the revisions that nobody approved: the newest covers them all."""
    return [each for each in find(connection, incident) if each.approved_at is None]


def taken(connection: Connection, incident: str) -> RowMapping:
    """Lock an incident that is to grow and return it. Raises BadInput for one that is not there or grows no more."""
    lock(connection, [incident])
    row = connection.execute(select(tables.incident).where(tables.incident.c.id == incident)).mappings().first()
    if row is None:
        raise BadInput("no such incident", incident, _OF_INCIDENT)
    if row["merged_into"] is not None:
        raise BadInput(f"it was merged into {row['merged_into']}", incident, f"say it of {row['merged_into']}")
    refuse_closed(connection, incident)
    return row


def refuse_closed(connection: Connection, incident: str) -> None:
    """Raise BadInput for an incident that is closed: nothing of it is approved, added or opened again."""
    of = select(tables.incident.c.closed_at).where(tables.incident.c.id == incident)
    if connection.execute(of).scalar() is not None:
        raise BadInput("it is closed", incident, f"first: rotator incident reopen {incident} --reason …")


def behind(connection: Connection, incident: str) -> Behind:
    """Return what of an incident is numbered already."""
    run, manual, plan = tables.run, tables.manual, tables.plan
    last = {"r": 0, "m": 0, "x": 0}
    for table in (run, manual):
        for name in connection.execute(select(table.c.id).where(table.c.id.startswith(f"{incident}."))).scalars():
            sort, number = name[len(incident) + 1], name[len(incident) + 2 :]
            last[sort] = max(last[sort], int(number))
    newest = select(func.coalesce(func.max(plan.c.number), 0)).where(plan.c.incident == incident)
    wave = select(func.coalesce(func.max(run.c.wave), 0)).where(run.c.incident == incident)
    return Behind(
        connection.execute(newest).scalar_one(), last["r"], last["m"], last["x"], connection.execute(wave).scalar_one()
    )


def present(connection: Connection, incident: str, *, is_stale: bool) -> Present:
    """Return what an incident, and those merged into it, have. `is_stale`: what nobody approved may be planned anew."""
    run, manual, exposure, proof = tables.run, tables.manual, tables.exposure, tables.proof
    family = [incident, *merged(connection, incident)]
    runs: dict[CredentialRef, str] = {}
    again: dict[CredentialRef, str] = {}
    kinds: dict[str, tuple[str, str]] = {}
    named: dict[Name, dict[str, str]] = {}
    for row in connection.execute(select(run).where(run.c.incident.in_(family)).order_by(run.c.id)).mappings():
        each = rows.run_of(row)
        if is_stale and row["requested_at"] is None and row["dismissed"] is None:
            again[each.ref] = each.id
            continue
        runs[each.ref] = each.id
        kinds[each.id] = each.kind, each.ref.connection
        named.setdefault((each.kind, each.ref.id), {})[each.id] = each.ref.connection
    tasks: dict[Name, str] = {}
    for row in connection.execute(select(manual).where(manual.c.incident.in_(family))).mappings():
        name = row["kind"] or "", row["key"]
        if row["dismissed"] is None:
            tasks[name] = row["id"]
        else:
            kinds[row["id"]] = name[0], row["connection"]
            named.setdefault(name, {})[row["id"]] = row["connection"]
    seen = select(func.coalesce(exposure.c.run, exposure.c.manual), exposure.c.key, exposure.c.fingerprint).distinct()
    # Where the secret is not that id's, it may be another credential's.
    unpaired = set(connection.execute(select(proof.c.run).where(proof.c.mismatch == 1)).scalars())
    for of, key, fingerprint in connection.execute(seen.where(exposure.c.incident.in_(family))):
        if of not in kinds:
            continue
        kind, at = kinds[of]
        marks = {(kind, fingerprint), ("", fingerprint)} if fingerprint and of not in unpaired else set[Name]()
        for name in {*marks, *([(kind, key)] if key else [])}:
            named.setdefault(name, {})[of] = at
    newest = select(func.coalesce(func.max(tables.plan.c.number), 0)).where(tables.plan.c.incident == incident)
    of_incident = select(tables.incident.c.severity).where(tables.incident.c.id == incident)
    return Present(
        incident,
        connection.execute(newest).scalar_one(),
        runs,
        {name: tuple(of.items()) for name, of in named.items()},
        tasks,
        again,
        Severity(connection.execute(of_incident).scalar_one()),
    )


def told_in(connection: Connection, incident: str) -> str:
    """Return the incident in whose report one is told: the last that it was merged into, itself where into none."""
    table, top = tables.incident, incident
    while (into := connection.execute(select(table.c.merged_into).where(table.c.id == top)).scalar()) is not None:
        top = into
    return top


def merged(connection: Connection, incident: str, *, directly: bool = False) -> list[str]:
    """Return the incidents that were merged into one, the oldest first, each before those merged into it.

    Without the latter if `directly`.
    """
    table = tables.incident
    query = select(table.c.id).where(table.c.merged_into == incident).order_by(table.c.declared_at, table.c.id)
    found = connection.execute(query).scalars().all()
    return list(found) if directly else [one for each in found for one in (each, *merged(connection, each))]


def holding(connection: Connection, incident: str, name: str) -> str:
    """Return which incident, of one and what was merged into it, has a run, a task or a credential of that name.

    The one itself where none has. Raises BadInput where several have.
    """
    family = [incident, *merged(connection, incident)]
    run, manual = tables.run, tables.manual
    found: dict[str, str] = {}
    for table, key in ((run, run.c.credential), (manual, manual.c.key)):
        is_it = or_(table.c.id == name, key == name)
        query = select(table.c.id, table.c.incident).where(table.c.incident.in_(family), is_it)
        found |= {each: of for each, of in connection.execute(query)}  # noqa: C416 - rows are not pairs
    if name in found:
        return str(found[name])
    if len({*found.values()}) > 1:
        raise BadInput("several are called so", name, f"name the one: {', '.join(sorted(found))}")
    return next(iter(found.values()), incident)


def predecessors(connection: Connection, refs: Iterable[CredentialRef]) -> dict[CredentialRef, str]:
    """Return, for each credential that a run made as a replacement, that run."""
    asked = {(each.provider, each.connection, each.owner, each.id): each for each in refs}
    names = sorted({each.id for each in asked.values()})
    run = tables.run
    found: dict[CredentialRef, str] = {}
    for start in range(0, len(names), 500):
        query = select(run.c.id, run.c.provider, run.c.connection, run.c.owner, run.c.replacement)
        for name, *ref in connection.execute(query.where(run.c.replacement.in_(names[start : start + 500]))):
            if (made := asked.get((ref[0], ref[1], ref[2], ref[3]))) is not None:
                found[made] = name
    return found


def told(found: Revision) -> Mapping[str, Any]:
    """Return what evidence says of a revision."""
    return {"revision": found.number, "plan": found.digest}

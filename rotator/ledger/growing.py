"""An incident grows: what is new becomes a revision of its plan, what is there already is seen in more places."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, insert, select, update

from rotator.credential import CredentialRef, Secret
from rotator.errors import BadInput
from rotator.flow.exposure import Exposure
from rotator.flow.incident import Severity
from rotator.flow.planned import Plan
from rotator.flow.playbook_words import Until
from rotator.flow.revision import Present, digest_of
from rotator.ledger import plans, reported_again, revisions, rows, tables, withdrawing
from rotator.ledger.acts import act, said
from rotator.ledger.plan_rows import PlanRows
from rotator.ledger.revisions import Revision


class Overtaken(BadInput):
    """Somebody else let the incident grow since it was read: what is new is looked for once more."""

    def __init__(self, incident: str, revision: int) -> None:
        super().__init__(f"somebody added to it meanwhile: its plan has {revision} revisions", incident, "add it again")


@dataclass(frozen=True, slots=True)
class More:
    """What reports name of which an incident does not have all.

    `plan` is for what is new, with its `materials` and `exposures`; `seen` tells by run or task where the rest was
    seen, `answers` by task which credential of the plan it has become. `detected_at` is from when clocks count. The
    incident is raised to `severity` where that is worse.
    """

    plan: Plan
    materials: Mapping[CredentialRef, Secret]
    exposures: Mapping[CredentialRef, Iterable[Exposure]]
    seen: Mapping[str, Sequence[Exposure]]
    answers: Mapping[str, CredentialRef]
    footholds: Sequence[str]
    document: Mapping[str, Any]
    detected_at: float
    why: str = "added"
    severity: Severity | None = None

    @property
    def is_empty(self) -> bool:
        """Tell whether there is nothing to plan."""
        return not (self.plan.runs or self.plan.manual or self.plan.excluded)


@dataclass(frozen=True, slots=True)
class Added:
    """What became of it: the revision with what it `covers` beside itself, who was seen elsewhere too, new footholds.

    `revision` is None where nothing is to be planned. `freed` are the runs that wait for no owner any more since its
    severity was raised, None where it was not. `dead` are runs whose credential was dead when it was reported again:
    the watch looks at them next.
    """

    seen: int = 0
    places: int = 0
    footholds: tuple[str, ...] = ()
    revision: Revision | None = None
    covers: tuple[int, ...] = ()
    document: Mapping[str, Any] = field(default_factory=dict)
    told: Mapping[str, Any] = field(default_factory=dict)
    freed: tuple[str, ...] | None = None
    dead: tuple[str, ...] = ()

    @property
    def is_nothing(self) -> bool:
        """Tell whether the incident had all of it."""
        return self.revision is None and self.freed is None and not (self.places or self.footholds or self.dead)


def see(connection: Connection, of: PlanRows, more: More, by: str) -> Added:
    """Keep where credentials that the incident has were seen, and the hosts that are new to it."""
    incidents: dict[str, str] = {}
    for table in (tables.run, tables.manual):
        names = sorted(more.seen)
        for start in range(0, len(names), 500):
            query = select(table.c.id, table.c.incident).where(table.c.id.in_(names[start : start + 500]))
            incidents |= {name: incident for name, incident in connection.execute(query)}  # noqa: C416 - rows
    kept = _kept(connection, set(incidents.values()))
    new: dict[str, list[dict[str, Any]]] = {}
    for name, exposures in more.seen.items():
        is_run = name.rpartition(".")[2].startswith("r")
        for row in of.seen(exposures, **({"run": name} if is_run else {"manual": name})):
            if (place := _place(row)) not in kept:
                kept.add(place)
                new.setdefault(name, []).append({**row, "incident": incidents[name]})
    found = [row for of_name in new.values() for row in of_name]
    if found:
        connection.execute(insert(tables.exposure), found)
    hosts = stand_on(connection, of.incident, more.footholds, of.at, by, "added")
    dead = reported_again.look_soon(connection, more.seen, of.seal, of.at)
    told: dict[str, Any] = {"seen_again": {name: len(of_name) for name, of_name in sorted(new.items())}} if new else {}
    told |= {**({"footholds": list(hosts)} if hosts else {}), **({"dead_before": dead} if dead else {})}
    return Added(len(new), len(found), hosts, told=told, dead=tuple(dead))


_COLUMNS = ("source", "rule", "path", "line", "commit")


def _kept(connection: Connection, incidents: Iterable[str]) -> set[tuple[Any, ...]]:
    exposure = tables.exposure
    names = [exposure.c[name] for name in ("run", "manual", *_COLUMNS)]
    query = select(*names).where(exposure.c.incident.in_(sorted(incidents)))
    return {tuple(row) for row in connection.execute(query)}


def _place(row: Mapping[str, Any]) -> tuple[Any, ...]:
    return tuple(row[name] for name in ("run", "manual", *_COLUMNS))


def stand_on(  # noqa: PLR0917 - a foothold, as it is kept
    connection: Connection, incident: str, hosts: Iterable[str], at: float, by: str, reason: str
) -> tuple[str, ...]:
    """Keep the hosts on which the attacker ran that the incident does not know of; return them. They are open."""
    table = tables.foothold
    known = set(connection.execute(select(table.c.host).where(table.c.incident == incident)).scalars())
    new = tuple(sorted({*hosts} - known))
    for host in new:
        told = {"incident": incident, "state": "open", "at": at, "by": by, "host": host, "reason": reason}
        connection.execute(insert(table).values(told))
    if new:
        _shut_again(connection, incident, new, at, by)
    return new


def _shut_again(connection: Connection, incident: str, hosts: Iterable[str], at: float, by: str) -> None:
    """Shut the gate that was opened before these were known: kinds with a tripwire wait for them too."""
    gate, why = tables.gate, f"{', '.join(hosts)} came to be known since"
    opened = (gate.c.incident == incident, gate.c.name == Until.HOST_ISOLATED.value, gate.c.open == 1)
    values = rows.plain({"open": 0, "at": at, "by": by, "reason": why})
    if connection.execute(update(gate).where(*opened).values(values)).rowcount:
        act(connection, incident, {"at": at, "act": "shut", "by": by, "gate": Until.HOST_ISOLATED.value, "reason": why})


def revise(  # noqa: PLR0917 - all that a revision is made of
    connection: Connection,
    of: PlanRows,
    more: More,
    found: Added,
    run_of: Mapping[CredentialRef, str],
    present: Present,
    by: str,
    basis: plans.Basis,
) -> Added:
    """Keep the revision whose rows are written: its digest is of all that nobody approved yet."""
    withdrawn = _withdraw(connection, of, present, run_of)
    answered = {task: run_of[ref] for task, ref in more.answers.items() if ref in run_of}
    for task, run in answered.items():
        gone = said(by, f"its issuer has named it since: {run}")
        table = tables.manual
        connection.execute(update(table).where(table.c.id == task, table.c.dismissed.is_(None)).values(dismissed=gone))
    covered = revisions.unapproved(connection, of.incident)
    digest = digest_of(of.incident, of.revision, more.plan.digest, [each.digest for each in covered])
    revision = Revision(of.revision, digest, of.at, more.detected_at, by, more.why, None, None)
    covers = tuple(each.number for each in covered)
    place = {"digest": digest, "incident": of.incident, "revision": of.revision, "covers": list(covers)}
    document = {**more.document, **place}
    kept = plans.keep(connection, of.incident, revision, document, basis)
    connection.execute(update(tables.incident).where(tables.incident.c.id == of.incident).values(plan_digest=digest))
    told = {
        **found.told,
        **revisions.told(revision),
        "document": kept,
        "credentials": len(more.plan.runs) + len(more.plan.manual) + len(more.plan.excluded),
        "warnings": list(more.plan.warnings),
        **({"withdrawn": withdrawn} if withdrawn else {}),
        **({"answered": answered} if answered else {}),
    }
    return Added(found.seen, found.places, found.footholds, revision, covers, document, told, dead=found.dead)


def _withdraw(
    connection: Connection, of: PlanRows, present: Present, run_of: Mapping[CredentialRef, str]
) -> dict[str, str]:
    """Take back the runs that were planned anew, and that nobody had approved; return by which each is replaced."""
    manual = tables.manual
    query = select(manual.c.id, manual.c.key).where(manual.c.incident == of.incident, manual.c.revision == of.revision)
    tasks = {key: name for name, key in connection.execute(query)}
    found = {}
    for ref, old in present.again.items():
        if (new := run_of.get(ref) or tasks.get(ref.id)) is not None:
            withdrawing.withdraw(connection, old, new)
            found[old] = new
    return found

"""Dismissals as they are kept: each with as what, why, who, when; and who took it back. None is edited away."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import Connection, select

from rotator.credential import CredentialRef
from rotator.errors import BadInput
from rotator.flow.exposure import Certainty, Disposition
from rotator.ledger import tables
from rotator.ledger.names import near
from rotator.ledger.which import Which


@dataclass(frozen=True, slots=True)
class Dismissal:
    """One dismissal `of` a run or a task. Times in epoch seconds; `issuer_says` is "" where nobody was asked."""

    of: str
    disposition: Disposition
    at: float
    by: str
    reason: str
    issuer_says: str = ""
    reopened_at: float | None = None
    reopened_by: str | None = None
    reopened_reason: str | None = None

    @property
    def stands(self) -> bool:
        """Tell whether nobody has taken it back."""
        return self.reopened_at is None


@dataclass(frozen=True, slots=True)
class Seen:
    """One place where an exposed credential was seen, `by` which rule of which scanner."""

    certainty: Certainty
    where: str
    by: str


def seen(connection: Connection, incident: str) -> dict[str, list[Seen]]:
    """Return by run or task where each credential was seen, in the order in which it was told."""
    table = tables.exposure
    found: dict[str, list[Seen]] = {}
    query = select(table).where(table.c.incident == incident).order_by(table.c.id)
    for row in connection.execute(query).mappings():
        where = row["path"] if row["line"] is None else f"{row['path']}:{row['line']}"
        told = Seen(Certainty(row["certainty"]), where, f"{row['source']}:{row['rule']}")
        found.setdefault(row["run"] or row["manual"], []).append(told)
    return found


def find(connection: Connection, which: Which) -> list[Dismissal]:
    """Return every dismissal of those runs, and tasks, the oldest first."""
    table = tables.dismissal
    names = [table.c[name] for name in Dismissal.__dataclass_fields__]
    query = select(*names).where(which.match(table.c.of, table.c.incident)).order_by(table.c.id)
    return [
        Dismissal(**{**row, "disposition": Disposition(row["disposition"])})
        for row in connection.execute(query).mappings()
    ]


def canaries(connection: Connection, refs: Iterable[CredentialRef]) -> dict[CredentialRef, str]:
    """Return which of them a person dismissed as a canary, and the incident of the latest such word that stands."""
    run, table = tables.run, tables.dismissal
    names = ("provider", "connection", "owner", "credential", "generation")
    query = (
        select(*(run.c[name] for name in names), table.c.incident)
        .join(table, table.c.of == run.c.id)
        .where(table.c.disposition == Disposition.CANARY.value, table.c.reopened_at.is_(None))
        .order_by(table.c.id)
    )
    found = {CredentialRef(*row[:5]): str(row[5]) for row in connection.execute(query)}
    return {each: found[each] for each in refs if each in found}


def meant(connection: Connection, incident: str, name: str) -> str:
    """Return the run or task that a person named: by its id, or by the credential's.

    Raises BadInput where it is none, or more than one.
    """
    run, manual = tables.run, tables.manual
    found = [
        *connection.execute(
            select(run.c.id).where(run.c.incident == incident, (run.c.id == name) | (run.c.credential == name))
        ).scalars(),
        *connection.execute(
            select(manual.c.id).where(manual.c.incident == incident, (manual.c.id == name) | (manual.c.key == name))
        ).scalars(),
    ]
    if name in found:
        return name
    if not found:
        known = connection.execute(select(run.c.credential).where(run.c.incident == incident)).scalars().all()
        close = near(name, known)
        mend = f"did you mean `{close}`?" if close else f"rotator exposure list {incident}"
        raise BadInput(f"{incident} has no such credential, run or task", name, mend)
    if len(found) > 1:
        raise BadInput("several are called so", name, f"name the one: {', '.join(sorted(found))}")
    return str(found[0])

"""What a person has stopped: a row that every worker reads with each commit, and gives way to before its next call."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, select

from rotator.errors import BadInput
from rotator.flow.run import BranchState
from rotator.ledger import tables, why_stopped

ALL = "all"
INCIDENT = "incident"
CONNECTION = "connection"


@dataclass(frozen=True, slots=True)
class Stop:
    """What a person stopped, and why. `name` is an incident's or a connection's; empty for everything."""

    scope: str
    name: str
    at: float
    by: str
    reason: str

    @property
    def what(self) -> str:
        """Return what is stopped, in words."""
        return {ALL: "everything", INCIDENT: f"incident {self.name}"}.get(self.scope, f"connection {self.name}")

    @property
    def lifted_by(self) -> str:
        """Return the command that lets it go on."""
        return f"rotator continue{f' {self.name}' if self.name else ''} --reason …"

    def __str__(self) -> str:
        return f"{self.what} is stopped by {self.by}: {self.reason}"


def find(connection: Connection) -> list[Stop]:
    """Return what is stopped now, the oldest first."""
    stop = tables.stop
    query = select(stop.c.scope, stop.c.name, stop.c.at, stop.c.by, stop.c.reason).where(stop.c.lifted_at.is_(None))
    return [Stop(*row) for row in connection.execute(query.order_by(stop.c.id))]


def refuse(connection: Connection, name: str) -> None:
    """Raise BadInput where a person has stopped a connection, or everything."""
    for each in find(connection):
        if each.scope == ALL or (each.scope, each.name) == (CONNECTION, name):
            raise BadInput(str(each), name, f"{each.lifted_by} lets it go on")


def over(connection: Connection, incident: str, run: str | None = None) -> list[Stop]:
    """Return what keeps an incident, or one run of it, from going on now: the oldest first.

    A run is asked about under the incident in which it is: a merge may have moved it since it was named.
    """
    found, branch, delivery = tables.run, tables.branch, tables.delivery
    if run is not None:
        incident = connection.execute(select(found.c.incident).where(found.c.id == run)).scalar() or incident
    mine = [branch.c.incident == incident, branch.c.state != BranchState.DONE.value]
    mine += [branch.c.run == run] if run is not None else []
    held_back = select(branch.c.id).where(*mine, why_stopped.of_branch().is_not(None)).limit(1)
    if connection.execute(held_back).first() is None:
        return []
    at = select(found.c.connection).join(branch, branch.c.run == found.c.id).where(*mine)
    into = select(delivery.c.connection).join(branch, branch.c.run == delivery.c.run).where(*mine)
    concerned = {incident, *connection.execute(at.union(into)).scalars()}
    return [each for each in find(connection) if each.scope == ALL or each.name in concerned]

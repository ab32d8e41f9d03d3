"""Let standing orders begin with what they cover of an incident, in the transaction that declares it.

What they cover is a revision that they approve; what they do not is the next one, and waits for a person. Its stolen
credentials live until then, so no new secret is put where one of them may read.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, update

from rotator.flow.approval import Scope
from rotator.flow.revision import Present
from rotator.ledger import approvals, notices, tables
from rotator.ledger.enrolment import Enrolment
from rotator.ledger.growing import More
from rotator.notices.event import Event


@dataclass(frozen=True, slots=True)
class Covered:
    """What orders say of a part: which they are, and to which scopes; nothing of a part that waits for a person."""

    orders: tuple[str, ...] = ()
    scopes: frozenset[Scope] = frozenset()


@dataclass(frozen=True, slots=True)
class Ordered:
    """The parts of a declared plan: what is said to the `first`, which is declared, and those that are added to it."""

    first: Covered
    others: Sequence[tuple[More, Covered]]
    by: str

    def begin(self, enrolment: Enrolment, connection: Connection, incident: str, digest: str) -> None:
        """Approve the first part, add the others, and approve those that are covered."""
        self._approve(enrolment, connection, incident, digest, self.first)
        for number, (more, covered) in enumerate(self.others, start=1):
            added = enrolment.add_within(connection, Present(incident, number), more, self.by)
            if added.revision is not None and not covered.orders and more.plan.runs:
                waits = {"plan": added.revision.digest, "credentials": len(more.plan.runs)}
                notices.tell(connection, incident, Event.APPROVAL_WANTED, waits)
            if added.revision is not None:
                self._approve(enrolment, connection, incident, added.revision.digest, covered)
        reach = tables.reach
        living = update(reach).where(reach.c.incident == incident, reach.c.open < 0)
        connection.execute(living.values(open=-reach.c.open))

    @staticmethod
    def _approve(enrolment: Enrolment, connection: Connection, incident: str, digest: str, covered: Covered) -> None:
        if covered.orders:
            by = approvals.by_order(connection, incident, digest, covered.orders, covered.scopes)
            enrolment.approve_within(connection, incident, digest, by)

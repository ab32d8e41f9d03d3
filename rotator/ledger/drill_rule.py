"""The rule of a drill: it says yes to its own incident as that is declared, and says of it in the end how it went."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from rotator import clock
from rotator.credential import CredentialRef
from rotator.flow import drill as flow
from rotator.flow.response import Response
from rotator.ledger import approvals, drills, responses, routines
from rotator.ledger.acts import act
from rotator.ledger.approving import one_at_a_time
from rotator.ledger.database import Database
from rotator.ledger.drills import DrillRow
from rotator.ledger.enrolment import Enrolment
from rotator.ledger.notices import tell
from rotator.notices.event import Event

ACT, ENDED = "drill", "drill_ended"
"""By the first, whoever has the evidence alone knows that an incident is none."""


@dataclass(frozen=True, slots=True)
class Rule:
    """What is agreed of one drill: to answer these canaries, and to destroy them."""

    drill: DrillRow
    agreed_by: str
    canaries: Sequence[CredentialRef]
    enrolment: Enrolment

    @property
    def by(self) -> str:
        """Return in whose name it is done."""
        return f"drill {self.drill.name}"

    def begin(self, connection: Connection, incident: str, digest: str, _by: str) -> bool:
        """Say yes to the plan. Raises BadInput where somebody answers an owner for real by now, or ended the drill."""
        one_at_a_time(connection)
        drills.refuse_ended(connection, self.drill.incident)
        routines.refuse_busy(connection, self.canaries, but=incident)
        now = clock.now()
        named = ("provider", "connection", "owner", "id")
        told = {"name": self.drill.name, "trigger": self.drill.trigger, "by": self.by, "agreed_by": self.agreed_by}
        minted = [{name: getattr(each, name) for name in named} for each in self.canaries]
        act(connection, incident, {"at": now, "act": ACT, **told, "canaries": minted})
        approvals.by_policy(connection, incident, digest, self.by, self.agreed_by, now, destroys=True)
        return self.enrolment.approve_within(connection, incident, digest, self.by)


def end(database: Database, row: DrillRow, removed: Sequence[str], target_s: float | None, now: float) -> None:
    """Write down how a drill ended, and have people told where its canaries died too late."""
    with database.write() as connection:
        found, slow = answered(connection, row, target_s)
        how = flow.outcome(found)
        if not drills.end(connection, row.incident, how.value, now) or not drills.is_declared(connection, row.incident):
            return
        act(connection, row.incident, {"at": now, "act": ENDED, "outcome": how.value, "removed": list(removed)})
        if slow:
            tell(connection, row.incident, Event.DRILL_LATE, {"because": slow}, now)


def answered(connection: Connection, row: DrillRow, target_s: float | None) -> tuple[list[Response], list[str]]:
    """Return how the canaries of a drill were answered, and which died too late: see `flow/drill.py`."""
    found = responses.drilled(connection, row.at, float("inf"), row.incident)
    earlier = [each for each in responses.drilled(connection, 0.0, row.at) if each.incident != row.incident]
    return found, flow.slow(found, earlier, target_s)

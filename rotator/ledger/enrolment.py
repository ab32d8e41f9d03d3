"""Write a declared incident with its plan, let it grow, and approve what it plans."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, replace
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, insert

from rotator import clock
from rotator.credential import CredentialRef, Secret
from rotator.flow.exclusion import Excluded
from rotator.flow.exposure import Exposure
from rotator.flow.incident import Incident
from rotator.flow.planned import Plan
from rotator.flow.revision import Present
from rotator.ledger import (
    approving,
    enrolled,
    growing,
    merging,
    notices,
    plans,
    raising,
    revisions,
    rows,
    tables,
)
from rotator.ledger.acts import act, lock
from rotator.ledger.database import Database
from rotator.ledger.growing import Added, More
from rotator.ledger.merging import Merged
from rotator.ledger.plan_rows import PlanRows
from rotator.ledger.revisions import NOTHING, Behind, Revision
from rotator.notices.event import Event
from rotator.seal import Seal

NO_DOCUMENT: Mapping[str, Any] = {}
Consent = Callable[[Connection, str, str, str], bool]
"""Takes the yes of a person (incident, digest, who) inside a transaction; True where the plan is approved with it."""

Then = Callable[[Connection, str, str], None]
"""What else is done, with an incident and its plan's digest, in the transaction that declares it."""


def nothing_more(_connection: Connection, _incident: str, _digest: str) -> None:
    """Do nothing else."""


def both(first: Then, second: Then) -> Then:
    """Do one after the other in the transaction that declares."""

    def each(connection: Connection, incident: str, digest: str) -> None:
        first(connection, incident, digest)
        second(connection, incident, digest)

    return each


def new_incident_id(now: float) -> str:
    """Return an id that sorts by day and that a person can say aloud."""
    return f"inc-{datetime.fromtimestamp(now, UTC):%Y%m%d}-{secrets.token_hex(3)}"


class Enrolment:
    """Declare incidents and approve their plans. `account_of` names the account of a connection, for its budget.

    `basis` tells what a plan stands on now: one of which that has changed since it was made is stale.
    """

    def __init__(  # noqa: PLR0917 - what it is wired with
        self,
        database: Database,
        seal: Seal,
        clock: Callable[[], float] = clock.now,
        account_of: Callable[[str], str] = lambda _connection: "",
        basis: plans.Basis = lambda _credentials, _used: {},
        consent: Consent | None = None,
    ) -> None:
        self._database, self._seal, self._clock, self._account_of = database, seal, clock, account_of
        self._basis, self._consent = basis, consent or self.approve_within

    def declare(
        self,
        incident: Incident,
        plan: Plan,
        materials: Mapping[CredentialRef, Secret],
        exposures: Mapping[CredentialRef, Iterable[Exposure]],
        by: str,
        *,
        footholds: Iterable[str] = (),
        approved: bool = False,
        document: Mapping[str, Any] = NO_DOCUMENT,
        then: Then = nothing_more,
    ) -> None:
        """Write the incident, one run per credential, and seal what is needed for the final knock.

        `footholds` are hosts on which the attacker ran, `document` is the plan as it is shown. Nothing starts, unless
        whoever declares it has `approved` the plan: then both are written, or neither. `then` is done in the same
        transaction.
        """
        on = sorted(set(footholds))
        first = Revision(1, plan.digest, incident.declared_at, incident.detected_at, by, "declared", None, None)
        with self._database.write() as connection:
            connection.execute(
                insert(tables.incident).values(
                    **rows.plain({**asdict(incident), "severity": incident.severity.value}),
                    plan_digest=plan.digest,
                    waves=plan.waves,
                    length=0,
                    head="",
                )
            )
            of = self._rows(connection, incident.id, incident.declared_at, plan)
            of.write(connection, plan, materials, exposures)
            growing.stand_on(connection, incident.id, on, incident.declared_at, by, "declared")
            document_print = plans.keep(connection, incident.id, first, document, self._basis)
            act(
                connection,
                incident.id,
                {
                    "at": incident.declared_at,
                    "act": "declared",
                    "by": by,
                    "severity": incident.severity.value,
                    "detected_at": incident.detected_at,
                    "exposed_at": incident.exposed_at,
                    "plan": plan.digest,
                    "document": document_print,
                    "credentials": len(plan.runs) + len(plan.manual) + len(plan.excluded),
                    "warnings": list(plan.warnings),
                    **({"excluded": [_left_out(each) for each in plan.excluded]} if plan.excluded else {}),
                    **({"footholds": on} if on else {}),
                },
            )
            enrolled.tell(connection, incident.id, first.number, incident.declared_at)
            notices.tell_of_declaring(connection, incident, plan, by, approved=approved)
            if approved:
                self._consent(connection, incident.id, plan.digest, by)
            then(connection, incident.id, plan.digest)

    def add(self, present: Present, more: More, by: str) -> Added:
        """Let an incident grow by one revision of its plan, which nobody has approved; see `growing.py`.

        What has its run or task already gains where it was seen. Footholds count at once: they only hold back. Raises
        BadInput for an incident that grows no more, Overtaken where it has grown since `present` was read.
        """
        with self._database.write() as connection:
            return self.add_within(connection, present, more, by)

    def add_within(self, connection: Connection, present: Present, more: More, by: str) -> Added:
        """Do what `add` does inside a transaction of the caller's."""
        now = self._clock()
        lock(connection, [present.incident, *revisions.merged(connection, present.incident)])
        row = revisions.taken(connection, present.incident)
        behind = revisions.behind(connection, present.incident)
        if behind.revision != present.revision:
            raise growing.Overtaken(present.incident, behind.revision)
        of = self._rows(connection, present.incident, now, more.plan, behind)
        found, freed = growing.see(connection, of, more, by), None
        if not more.is_empty:
            run_of = of.write(connection, more.plan, more.materials, more.exposures)
            found = growing.revise(connection, of, more, found, run_of, present, by, self._basis)
        if more.severity is not None:
            freed = raising.raise_to(connection, row["id"], more.severity, by, now)
        if not found.is_nothing:
            told = {"excluded": [_left_out(each) for each in more.plan.excluded]} if more.plan.excluded else {}
            act(connection, row["id"], {"at": now, "act": "added", "by": by, **found.told, **told})
        if not more.is_empty:
            enrolled.tell(connection, row["id"], of.revision, now)
            facts = {"added": len(more.plan.runs), "manual": len(more.plan.manual), "by": by}
            notices.tell(connection, row["id"], Event.REVISED, facts, now)
            notices.tell_of_tasks(connection, row["id"], more.plan, now)
        return replace(found, freed=freed)

    def merge(self, incident: str, into: str, by: str) -> Merged:
        """Have one incident told under another, and what nobody approved of it be revisions there: see `merging.py`.

        Raises BadInput where one of them is not there, was merged already, or the two plans are in each other's way.
        """
        with self._database.write() as connection:
            return merging.merge(connection, incident, into, by, self._clock(), self._basis)

    def _rows(self, connection: Connection, incident: str, at: float, plan: Plan, behind: Behind = NOTHING) -> PlanRows:
        made_by = revisions.predecessors(connection, (each.ref for each in plan.runs))
        return PlanRows(incident, at, self._seal, self._account_of, behind, made_by)

    def present(self, incident: str) -> Present:
        """Return what an incident has already, as it is to be known before it grows. Raises BadInput where it does not.

        What nobody approved and is stale does not count: it may be planned anew.
        """
        with self._database.write() as connection:
            revisions.taken(connection, incident)
            is_stale = plans.stale(connection, incident, self._basis) is not None
            return revisions.present(connection, incident, is_stale=is_stale)

    def approve(self, incident: str, digest: str, by: str) -> bool:
        """Approve the newest revision of a plan, and with it every earlier one that nobody approved.

        The first segment opens of each of their runs that waits for no wave and no other; what runs goes on untouched.
        False where that was done before. Raises BadInput when the plan is not the one that was shown, or is stale: see
        `plans.stale`.
        """
        with self._database.write() as connection:
            return self.approve_within(connection, incident, digest, by)

    def stale(self, incident: str) -> str:
        """Say why what nobody approved of an incident may not be any more, "" where it may."""
        with self._database.read() as connection:
            found = plans.stale(connection, incident, self._basis)
        return f"{found[0]}; {found[1]}" if found else ""

    def refuse_stale(self, connection: Connection, incident: str) -> None:
        """Raise BadInput where what nobody approved of an incident may not be any more."""
        plans.refuse_stale(connection, incident, self._basis)

    def approve_within(self, connection: Connection, incident: str, digest: str, by: str) -> bool:
        """Do what `approve` does inside a transaction of the caller's."""
        return approving.approve(connection, incident, digest, by, self._clock(), self._basis)


def _left_out(each: Excluded) -> dict[str, Any]:
    """Return an exclusion as evidence: what lives on, who says so and why, and where it may read."""
    ref = each.ref
    return {
        "kind": each.kind,
        "connection": ref.connection if ref else None,
        "owner": ref.owner if ref else None,
        "credential": each.key,
        "by": each.by,
        "reason": each.reason,
        "selector": each.selector,
        "reaches": sorted(each.reaches),
    }

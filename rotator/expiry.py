"""The expiry watch: what ends by itself before long and is under no policy becomes a task for its owner, in time."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from rotator import response
from rotator.bootstrap import Rotator
from rotator.errors import BadInput
from rotator.flow.hygiene import Known, Policy
from rotator.flow.incident import Incident, Severity
from rotator.flow.planned import Plan
from rotator.flow.scope import Unresolved
from rotator.hygiene import left_to_owner
from rotator.ledger import outlook, routine_tasks
from rotator.ledger.enrolment import new_incident_id
from rotator.report.clocks import moment
from rotator.shown.hygiene import expiring, policies

log = logging.getLogger("rotator")

BY = "expiry watch"
"""In whose name it is done, and the name of its policy, which no file can have."""
_DAY_S = 86400.0


class ExpiryWatch:
    """Who is to be told, looked for once a day, or when a policy, an entry or a list of an issuer has changed."""

    def __init__(self, parts: Rotator) -> None:
        self._parts = parts
        self._looked_at: tuple[object, ...] = ()

    def run(self, now: float) -> Incident | None:
        """Leave what ends soon to its owners, in one incident a day; return that. Raises BadInput for a bad policy."""
        every = policies(self._parts)
        at = (now // _DAY_S, every, *outlook.mark(self._parts.database))
        if at == self._looked_at:
            return None
        begun = begin(self._parts, expiring(self._parts, now, every), every, now)
        self._looked_at = at
        return begun


def begin(parts: Rotator, found: Sequence[Known], every: Sequence[Policy], now: float) -> Incident | None:
    """Begin tasks for those of which nobody was told since their end is near; None for none, or where another did."""
    new = routine_tasks.untold(parts.database, [each for each in found if not each.busy])
    if not new:
        return None
    tasks = [_task(parts, each, has_policies=bool(every)) for each in new]
    prepared = response.prepared(parts, Plan((), tuple(tasks)), (), {})
    title = f"hygiene: {BY}, {len(tasks)} credential{'s' * (len(tasks) != 1)}"
    incident = Incident(new_incident_id(now), title, Severity.LOW, detected_at=now, declared_at=now)
    once = routine_tasks.once_a_day(BY, now)
    try:
        parts.enrolment.declare(incident, prepared.plan, {}, {}, BY, document=prepared.document(), then=once)
    except BadInput as error:  # another leader was faster, or it was done today: what is left is told tomorrow
        log.info("expiry_waits: %s", error)
        return None
    return incident


def _task(parts: Rotator, known: Known, *, has_policies: bool) -> Unresolved:
    why = f"it ends at {moment(known.ends_at)}"
    cannot = "no policy of hygiene covers it" if has_policies else "no policy of hygiene is configured"
    return left_to_owner(parts, known.ref, why, cannot)

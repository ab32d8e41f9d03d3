"""What the ledger holds of an incident, as reports and displays take it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from rotator.flow.incident import Incident, Purpose

if TYPE_CHECKING:
    # Only named: who lists incidents waits for none of them.
    from rotator.flow.proof import Proof
    from rotator.flow.run import Run, Step
    from rotator.ledger.approved import Standing
    from rotator.ledger.datasets import Dataset
    from rotator.ledger.dismissals import Dismissal
    from rotator.ledger.gates import Foothold, Gate
    from rotator.ledger.other_runs import Death, Stopped
    from rotator.ledger.pause_gates import Override
    from rotator.ledger.pauses import Pause
    from rotator.ledger.revisions import Revision
    from rotator.ledger.stops import Stop
    from rotator.ledger.told import Told
    from rotator.ledger.waits import Route


@dataclass(frozen=True, slots=True)
class ManualTask:
    """An exposed credential that no machine can answer."""

    id: str
    kind: str | None
    key: str
    reason: str
    mend: str
    dismissed: str | None
    exposures: int
    revision: int = 1
    incident: str = ""


@dataclass(frozen=True, slots=True)
class LookedAgain:
    """How often what is dead was looked at again: `looks` were answered, the last at `looked_at`, `missed` were not.

    It is looked at until then, in epoch seconds. `says` is what was seen the last time, or why nothing could be.
    """

    looks: int
    missed: int
    looked_at: float | None
    until: float
    says: str


@dataclass(frozen=True, slots=True)
class RunRecord:
    """One run with everything that belongs to it.

    `gone_ahead` says which of `awaits` it did not wait for, who said so, and why. `routes` keep its mint waiting.
    `late` are mints of workers that had lost their claim, and that nothing has settled yet. `settled_by` is the death
    that this run has not seen and another has, after the last sign of life that this one saw. `behind` are the stops of
    the run for whose mint this one waits. `due_at` says when a branch that waits goes on by itself, by its id.
    `delivered_since` is a later run that delivered to the same places after this one gave a value back there.
    `stopped_by` is another run that has stopped it, where nobody has resumed it since.
    `accepted` are those whose reading of the new secret a person took upon himself, who is in `run.risk_accepted`.
    `resumed_by` is another run that has resumed the credential since this was approved, and who did so and why.
    """

    run: Run
    steps: tuple[Step, ...]
    proofs: tuple[Proof, ...]
    exposures: int
    awaits: tuple[str, ...] = ()
    gone_ahead: str | None = None
    routes: tuple[Route, ...] = ()
    late: tuple[str, ...] = ()
    settled_by: Death | None = None
    behind: tuple[Stop, ...] = ()
    due_at: Mapping[str, float] = field(default_factory=dict)
    delivered_since: str | None = None
    resumed_by: tuple[str, str] | None = None
    stopped_by: Stopped | None = None
    accepted: tuple[str, ...] = ()
    looked: LookedAgain | None = None


@dataclass(frozen=True, slots=True)
class IncidentRecord:
    """An incident as the ledger holds it now. `closed_by` and `closed_reason` tell who closed it, and why.

    `evidence_deleted_at` is in epoch seconds: since then it is not known what its plan warned of.
    `stale` is the run that has overtaken a plan which nobody approved, and the credential that it replaces. `merged`
    are the incidents that became one with it, and are told under it.
    """

    incident: Incident
    plan_digest: str
    approved_at: float | None
    runs: tuple[RunRecord, ...]
    manual: tuple[ManualTask, ...]
    stops: tuple[Stop, ...] = ()
    gates: tuple[Gate, ...] = ()
    footholds: tuple[Foothold, ...] = ()
    warnings: tuple[str, ...] = ()
    stale: tuple[str, str] | None = None
    revisions: tuple[Revision, ...] = ()
    merged_into: str | None = None
    merged: tuple[IncidentRecord, ...] = ()
    approvals: tuple[Standing, ...] = ()
    told: tuple[Told, ...] = ()
    dismissals: tuple[Dismissal, ...] = ()
    closed_by: str | None = None
    closed_reason: str | None = None
    evidence_deleted_at: float | None = None
    datasets: tuple[Dataset, ...] = ()
    overrides: tuple[Override, ...] = ()
    pauses: tuple[Pause, ...] = ()

    @property
    def family(self) -> tuple[IncidentRecord, ...]:
        """Return it, and after it all that were merged into it."""
        return (self, *(each for one in self.merged for each in one.family))


@dataclass(frozen=True, slots=True)
class Listed:
    """An incident in a list: in words how it stands, and its counts, all 0 where it was merged into another.

    Of `credentials`, which leave out those that were `dismissed`, so many are proven `dead`, `stated` dead, `manual`
    tasks, or `let_in` again with their vendor. `reviews` is how much went through without approval that nobody has
    looked at yet.
    """

    incident: Incident
    state: str
    credentials: int = 0
    dead: int = 0
    stated: int = 0
    dismissed: int = 0
    manual: int = 0
    reviews: int = 0
    let_in: int = 0
    merged_into: str = ""
    purpose: Purpose = Purpose.RESPONSE


@dataclass(frozen=True, slots=True)
class Progress:
    """What a live display counts: a partition of the credentials, and `busy`: something still moves by itself.

    Of the dead ones, `being_replaced` are still at work, `waiting` go on once a gate opens or a thief is out, and
    `asking` wait for a person with what comes after death. `stopped` are the stops that hold back something of it.
    """

    dead: int
    stated: int
    settling: int
    pending: int
    held: int
    manual: int
    failed: int
    dismissed: int
    busy: bool
    being_replaced: int = 0
    waiting: int = 0
    asking: int = 0
    stopped: tuple[Stop, ...] = ()
    let_in_again: int = 0

    @property
    def credentials(self) -> int:
        """Return how many there are."""
        counts = (self.dead, self.stated, self.settling, self.pending, self.held, self.manual)
        return sum(counts) + self.failed + self.dismissed + self.let_in_again

"""What a pause is to do, and what it would: the plan for all that a vendor holds, and what is known of that."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from rotator.credential import CredentialRef
from rotator.flow.exposure import Exposure
from rotator.flow.incident import Severity
from rotator.flow.narrowing import Reach
from rotator.flow.revision import Present
from rotator.flow.vendor import Vendor
from rotator.ledger.pauses import Pause
from rotator.report.clocks import moment
from rotator.report.plain import plain
from rotator.response import Prepared

_LONGEST = 200


@dataclass(frozen=True, slots=True)
class Wanted:
    """What somebody wants who pauses a vendor.

    `told` are credentials that were reported with it, `notices` the advisories for which it is paused. Without `reads`
    no material is read from where it is delivered.
    """

    vendor: str
    reason: str
    told: Sequence[Exposure] = ()
    notices: Sequence[str] = ()
    reads: bool = True
    exposed_at: float | None = None


@dataclass(frozen=True, slots=True)
class Pausing:
    """What a pause would do: the plan, as it is shown, and what to know of it. Nothing of it is written.

    `there` is the pause that is open already, `present` what its incident has. `unknown`: nobody knows of anything that
    the vendor holds. `held` is what it does, `datasets` which that reaches, with manifests; `reach` is that of what is
    new.
    """

    wanted: Wanted
    vendor: Vendor
    prepared: Prepared
    shown: Mapping[str, Any]
    notes: tuple[str, ...]
    began: float
    there: Pause | None = None
    present: Present | None = None
    unknown: bool = False
    held: frozenset[CredentialRef] = frozenset()
    datasets: Mapping[str, str] = field(default_factory=dict)
    reach: Reach = field(default_factory=Reach)

    @property
    def severity(self) -> Severity:
        """Return how bad it is: as critical as the vendor is."""
        return Severity(self.vendor.criticality.value)

    @property
    def title(self) -> str:
        """Return what people call the incident."""
        return plain(f"PAUSE {self.vendor.name}: {self.wanted.reason}")[:_LONGEST]

    @property
    def incident(self) -> str:
        """Return the incident in which the vendor is paused already, "" where it is not."""
        return self.present.incident if self.present is not None else ""

    @property
    def plans_nothing(self) -> bool:
        """Tell whether its incident has all that the vendor holds by now."""
        plan = self.prepared.plan
        return self.there is not None and not (plan.runs or plan.manual or plan.excluded or self.prepared.seen)

    @property
    def new_datasets(self) -> Mapping[str, str]:
        """Return the datasets, with manifests, that are to be checked too before it is let in again."""
        known = {} if self.there is None else self.there.datasets
        return {
            name: manifest
            for name, manifest in self.datasets.items()
            if name not in known or (manifest and not known[name])
        }

    @property
    def is_nothing(self) -> bool:
        """Tell whether nothing would be added."""
        return self.plans_nothing and not self.new_datasets


def told(found: Pausing) -> list[str]:
    """Say what is known before anything is done: that it is paused already, what has which material, what is left."""
    lines = []
    if (there := found.there) is not None:
        lines.append(
            f"{there.vendor} is paused since {moment(there.at)}, by {there.by} in {found.incident}: {there.reason}"
        )
        lines.append(
            f"{found.incident} has all that it holds by now" if found.plans_nothing else "what it holds since then:"
        )
        if new := ", ".join(sorted(found.new_datasets)):
            lines.append(f"to be checked too before it is let in again: {new}")
    elif found.unknown:
        name = found.vendor.name
        lines.append(
            f"nobody knows of anything that {name} holds: it is paused all the same, and nothing new is made for it"
        )
    return [*lines, *found.notes]

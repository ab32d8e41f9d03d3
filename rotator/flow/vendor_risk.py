"""How likely each vendor is our next trouble while no notice tells of any: the terms of a triage, without one.

The likelihoods are judgements, the same for everybody until a person who knows more sets another with a reason.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from rotator.flow.vendor import Level, Vendor, valid
from rotator.flow.vendor_notice import NOT_LISTED, UNKNOWN, Ground, Listed, Notice, grounds
from rotator.flow.vendor_triage import Triage
from rotator.flow.vendor_use import Used
from rotator.flow.vendor_use import grounds as of_uses

UNATTESTED = 0.1
"""Nothing valid is attested of it. That something is says little, and lowers nothing."""
_NO_NOTICE = Notice("", "")
_LEVELS = list(Level)


@dataclass(frozen=True, slots=True)
class Known:
    """What speaks for or against vendors, by their names, on a `day`.

    `listed` is what the `advisories` that are kept, so many, say of their software. `made_at` is when each list of
    that was made, in epoch seconds. `uses` is what access logs tell of what each holds.
    """

    day: date
    listed: Mapping[str, Sequence[Listed]]
    made_at: Mapping[str, Mapping[str, float]]
    advisories: int
    uses: Mapping[str, Sequence[Used]] = field(default_factory=dict)


def reasons(vendors: Sequence[Vendor], known: Known) -> dict[str, list[Ground]]:
    """Return what speaks for each vendor's being trouble, the likeliest first; of each there is something."""
    of_software = grounds(vendors, _NO_NOTICE, known.listed, known.made_at)
    return {
        each.name: sorted(
            [
                *of_software.get(each.name, ()),
                *of_uses(each.name, known.uses.get(each.name, ())),
                *_standing(each, known),
            ],
            key=lambda one: -one.likelihood,
        )
        for each in vendors
    }


def ranked(found: Iterable[Triage]) -> list[Triage]:
    """Return them by what they come to; those that are alike by how critical they are, then by name."""
    return sorted(found, key=lambda each: (-each.priority, -_LEVELS.index(each.vendor.criticality), each.vendor.name))


def _standing(vendor: Vendor, known: Known) -> Iterator[Ground]:
    lists = known.made_at.get(vendor.name, {})
    if not lists:
        ask = "take its SBOM: `rotator vendor sbom`"
        yield Ground(UNKNOWN, "nobody knows what software it runs: unknown is not clean", "no list", ask)
    elif not known.advisories:
        ask = "`rotator vendor triage ID` looks one up, and it is kept"
        yield Ground(UNKNOWN, "no advisory is kept that its lists could be held against", "no advisory", ask)
    elif vendor.name not in known.listed:
        why = f"its lists have nothing of which the advisories that are kept speak ({known.advisories:,})"
        yield Ground(NOT_LISTED, why, ", ".join(lists))
    if not valid(vendor, known.day, ()):
        ask = "ask it for one, and keep it: `rotator vendor attest`"
        yield Ground(UNATTESTED, "nothing valid is attested of it", "the registry", ask)

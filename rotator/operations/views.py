"""What is looked at: made here by a function of the parts, or read under the path that the API has for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Generic, TypeVar

from rotator import clock, response, vendors_risk
from rotator.bootstrap import Rotator
from rotator.flow.approval import Role
from rotator.flow.incident import Purpose
from rotator.ledger.listing import Part
from rotator.report.files import MEDIA_TYPES
from rotator.shown import (
    alarms,
    compliance,
    drills,
    hygiene,
    incidents,
    inventory,
    kinds,
    manifests,
    segmentation,
    short_lived,
    vendors,
)
from rotator.shown.certificates import certificates as certified
from rotator.shown.segmentation import Measured

ALL = "all"
"""What asks for all of a list that has less by itself."""

Of = TypeVar("Of", bound=StrEnum)
"""The forms that a sort of file has."""


@dataclass(frozen=True, slots=True)
class OfIncident:
    """A document about one incident, or none. `make` takes its id, and how this reader calls the program."""

    path: str
    make: Callable[[Rotator, str, str], dict[str, Any]]


@dataclass(frozen=True, slots=True)
class ListOf:
    """A list, of which the API gives out a page at a time. `make` takes whose it is, mostly an incident's id, or ""."""

    path: str
    make: Callable[[Rotator, str], list[dict[str, Any]]]
    by: str = ""
    """Which parameter of the query names it, where the path does not."""


@dataclass(frozen=True, slots=True)
class FileOf(Generic[Of]):
    """A file, whose `form` its path names. `make` takes in whose name, that, and what else is asked, by name.

    `types` are the media types of its forms. What is asked may stand in the path.
    """

    path: str
    make: Callable[[Rotator, str, Of, Mapping[str, str]], Iterator[bytes]]
    types: Mapping[Of, str]


def _playbooks(parts: Rotator) -> list[dict[str, Any]]:
    return [each.model_dump(mode="json", by_alias=True) for each in parts.playbooks.values()]


def _incidents(parts: Rotator, purpose: str) -> list[dict[str, Any]]:
    return incidents.listed(parts, Part(Purpose(purpose) if purpose else None))


def _caller(parts: Rotator) -> dict[str, Any]:
    by, policy = response.actor(), parts.settings.policy
    person = policy.people.get(by) if policy is not None else None
    role = Role.ADMIN if policy is None else person.role if person is not None else Role.VIEWER
    return {"token": "", "by": by, "role": role.value, "expires_at": ""}


REPORT = OfIncident("/incidents/{incident}", incidents.report)
PLAN = OfIncident("/incidents/{incident}/plan", incidents.plan)
WHOAMI = OfIncident("/whoami", lambda parts, *_: _caller(parts))
INCIDENTS = ListOf("/incidents", _incidents, by="purpose")
EXPOSURES = ListOf("/incidents/{incident}/exposures", incidents.exposures)
GATES = ListOf("/incidents/{incident}/gates", incidents.gates)
INVENTORY = ListOf("/inventory", lambda parts, _: inventory.entries(parts))
PROVIDERS = ListOf("/providers", lambda parts, _: kinds.kinds(parts))
DUE = ListOf("/hygiene", lambda parts, show: hygiene.due(parts, clock.now(), every=show == ALL), by="show")
SCHEDULES = ListOf("/schedules", lambda parts, _: hygiene.schedules(parts, clock.now()))
TRIGGERS = ListOf("/triggers", lambda parts, _: alarms.alarms(parts))
DRILLS = ListOf("/drills", lambda parts, _: drills.listed(parts))
DRILL_TREND = ListOf("/drills/trend", lambda parts, _: drills.trends(parts))
DRILL = OfIncident("/drills/{incident}", drills.drill)
MANIFESTS = ListOf("/manifests", lambda parts, _: manifests.listed(parts))
CHECKS = ListOf("/manifests/{incident}/checks", manifests.checks)
PLACES = ListOf("/segmentation", lambda parts, _: segmentation.places(Measured(parts)))
REACHED = ListOf("/segmentation/reached", lambda parts, place: segmentation.reached(Measured(parts), place), by="place")
SEGMENTATION = OfIncident("/segmentation/whole", lambda parts, *_: segmentation.whole(Measured(parts)))
EDGES = ListOf("/segmentation/edges", lambda parts, _: Measured(parts).edges())
SEGMENTATION_TREND = ListOf("/segmentation/trend", lambda parts, _: segmentation.trend(parts))
SHORT_LIVED = ListOf("/segmentation/short-lived", lambda parts, _: short_lived.listed(parts, clock.now()))
VENDORS = ListOf("/vendors", lambda parts, _: vendors.listed(parts))
RISKS = ListOf("/vendor-risks", lambda parts, _: vendors_risk.told(parts))
VENDOR = OfIncident("/vendors/{incident}", vendors.one)
CERTIFICATES = ListOf("/certificates", lambda parts, _: certified(parts))
PLAYBOOKS = ListOf("/playbooks", lambda parts, _: _playbooks(parts))
COMPLIANCE = FileOf("/compliance.{form}", compliance.file, MEDIA_TYPES)

"""What is looked at: made here by a function of the parts, or read under the path that the API has for it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from rotator.bootstrap import Rotator
from rotator.shown import incidents, inventory, kinds


@dataclass(frozen=True, slots=True)
class OfIncident:
    """A document about one incident. `make` takes its id, and how this reader calls the program."""

    path: str
    make: Callable[[Rotator, str, str], dict[str, Any]]


@dataclass(frozen=True, slots=True)
class ListOf:
    """A list, of which the API gives out a page at a time."""

    path: str
    make: Callable[[Rotator], list[dict[str, Any]]]


@dataclass(frozen=True, slots=True)
class ListOfIncident:
    """A list about one incident."""

    path: str
    make: Callable[[Rotator, str], list[dict[str, Any]]]


def _playbooks(parts: Rotator) -> list[dict[str, Any]]:
    return [each.model_dump(mode="json", by_alias=True) for each in parts.playbooks.values()]


REPORT = OfIncident("/incidents/{incident}", incidents.report)
PLAN = OfIncident("/incidents/{incident}/plan", incidents.plan)
INCIDENTS = ListOf("/incidents", incidents.listed)
INVENTORY = ListOf("/inventory", inventory.entries)
PROVIDERS = ListOf("/providers", kinds.kinds)
PLAYBOOKS = ListOf("/playbooks", _playbooks)

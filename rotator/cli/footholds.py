"""`--foothold`: the hosts on which the attacker ran, as a person names them, against those that are known here."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from rotator.flow.scope import foothold, host_name

if TYPE_CHECKING:
    from rotator.bootstrap import Rotator
    from rotator.flow.plan import Plan


def named(parts: Rotator, plan: Plan, given: Iterable[str] | None) -> dict[str, bool]:
    """Return each host as it is compared, and whether a consumer, a connection or a target is called so.

    Raises BadInput for what is no host's name, or is nearly a known one.
    """
    if not given:
        return {}
    known = _known(parts, plan)
    hosts = [foothold(each, known) for each in given]
    return {each: each in known for each in hosts}


def _known(parts: Rotator, plan: Plan) -> frozenset[str]:
    found = {consumer.host for entry in parts.settings.credentials for consumer in entry.custody().consumers}
    found |= {host_name(urlsplit(each.endpoint_url or "").hostname or "") for each in parts.connections}
    found |= {host_name(target) for run in plan.runs for segment in run.segments for target in segment.targets}
    return frozenset(found - {""})

"""`--foothold`: the hosts on which the attacker ran, as a person names them, against those that are known here."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from rotator.errors import BadInput
from rotator.flow.scope import foothold, host_name

if TYPE_CHECKING:
    from rotator.bootstrap import Rotator
    from rotator.flow.planned import Plan
    from rotator.flow.scope import ConsumerAddress
    from rotator.ledger.records import IncidentRecord
    from rotator.ports.connection import Connection


def named(parts: Rotator, plan: Plan, given: Iterable[str] | None) -> dict[str, bool]:
    """Return each host as it is compared, and whether a consumer, a connection or a target is called so.

    Raises BadInput for what is no host's name, or is nearly a known one.
    """
    if not given:
        return {}
    known = _known(parts, (target for run in plan.runs for segment in run.segments for target in segment.targets))
    hosts = [foothold(each, known) for each in given]
    return {each: each in known for each in hosts}


def strangers(parts: Rotator, record: IncidentRecord) -> list[str]:
    """Return the footholds of an incident of which nothing here is called so; none without a configuration."""
    every = record.family
    runs = [each for of in every for each in of.runs]
    consumers = (consumer for each in runs for consumer in each.run.consumers)
    return unknown(parts, every, consumers, (step.target for each in runs for step in each.steps))


def unknown(
    parts: Rotator, every: Iterable[IncidentRecord], consumers: Iterable[ConsumerAddress], targets: Iterable[str]
) -> list[str]:
    """Return the same of what was merged into one, of whose runs these are the consumers and the targets."""
    found = [each.host for of in every for each in of.footholds]
    if not found:
        return []
    told = {consumer.host for consumer in consumers}
    try:
        known = told | _known(parts, targets)
    except BadInput:
        return []
    return [each for each in found if each not in known]


def _known(parts: Rotator, targets: Iterable[str]) -> frozenset[str]:
    found = {consumer.host for entry in parts.settings.credentials for consumer in entry.custody().consumers}
    found |= {host_name(urlsplit(each.endpoint_url or "").hostname or "") for each in parts.connections}
    found |= {host_name(each) for connection in parts.connections for each in _fleet(connection)}
    found |= {host_name(target) for target in targets}
    return frozenset(found - {""})


def _fleet(connection: Connection) -> list[str]:
    """Return the hosts that a connection reaches, as its `hosts` name them."""
    hosts = connection.settings.get("hosts")
    return [str(each) for each in hosts] if isinstance(hosts, dict | list) else []

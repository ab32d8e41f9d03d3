"""Whose the credentials of a report are: grouped, asked of their issuers, and what is within reach beside."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from functools import cache, partial

from rotator import own_secrets, recovery
from rotator.asking import Asking
from rotator.bootstrap import Rotator
from rotator.families import by_hand
from rotator.flow.exposure import Exposure, Suspect, group
from rotator.flow.hits import Hit
from rotator.flow.playbook import Playbook
from rotator.flow.reach import Reach, reachable
from rotator.ledger import replacements
from rotator.scoping import Known, Scoping
from rotator.triage import Triage

Kinds = Mapping[tuple[str, str], str]


def recognised(playbooks: Iterable[Playbook]) -> dict[tuple[str, str], str]:
    """Return which playbook answers what a scanner calls (source, rule)."""
    return {
        (source, rule): playbook.playbook
        for playbook in playbooks
        for source, rules in playbook.recognises.items()
        for rule in rules
    }


def suspects(parts: Rotator, exposures: Iterable[Exposure], kinds: Kinds | None = None) -> list[Suspect]:
    """Return the distinct credentials that the exposures speak of; `kinds` answers what no playbook recognises."""
    return group(exposures, {**recognised(parts.playbooks.values()), **(kinds or {})}, parts.seal.fingerprint)


def triage_of(parts: Rotator) -> Triage:
    """Return who asks the issuers whose a credential is."""
    return Triage(
        connections=[*parts.connections, by_hand.CONNECTION],
        custodies=parts.custodies,
        family=parts.outside.family,
        provider=parts.outside.provider_of,
        pause=time.sleep,
        concurrency=parts.settings.concurrency,
        recoveries=recovery.of(parts.settings),
        kinds=parts.playbooks,
        own=cache(partial(own_secrets.read, parts.settings, parts.tokens.named)),
    )


def within_reach(parts: Rotator, hits: Sequence[Hit]) -> Reach:
    """Return every credential within reach of sites that had a bad package, as the inventory and issuers know them."""
    known = _known(parts)
    while True:
        found = reachable(hits, parts.entries, known.refs)
        if not known.look_up(found.exposures):
            return found


def scoping_of(parts: Rotator, kinds: Kinds | None, exposed_at: float | None) -> Scoping:
    """Return who finds the scope of suspects; since `exposed_at` issuers are asked what was made with them."""
    return Scoping(
        identify=triage_of(parts).identify,
        suspects=partial(suspects, parts, kinds=kinds),
        entries=[each.custody for each in parts.entries],
        known=_known(parts),
        connections=parts.connections,
        issuers=parts.issuers,
        asking=Asking(
            parts.outside.provider_of,
            partial(replacements.ours, parts.database),
            time.sleep,
            parts.settings.concurrency,
            exposed_at,
        ),
    )


def _known(parts: Rotator) -> Known:
    return Known(parts.inventory.known(), parts.issuers, parts.outside.provider_of)

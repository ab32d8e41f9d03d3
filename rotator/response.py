"""From reports to a declared incident: read, group, triage, plan, enrol. Shared by every way in."""

from __future__ import annotations

import getpass
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from rotator import clock, recovery
from rotator.bootstrap import Rotator
from rotator.credential import CredentialRef, Secret
from rotator.errors import BadInput
from rotator.families import by_hand
from rotator.flow.exposure import Exposure, Suspect, group
from rotator.flow.incident import Incident, Severity
from rotator.flow.plan import Plan, make
from rotator.flow.playbook import Playbook
from rotator.flow.playbook_words import Strategy
from rotator.flow.scope import Scoped, Unresolved, host_name
from rotator.ledger.enrolment import new_incident_id
from rotator.triage import Triage


@dataclass(frozen=True, slots=True)
class Prepared:
    """A plan that nobody has approved, and what is needed to carry it out."""

    plan: Plan
    scoped: tuple[Scoped, ...]

    @property
    def materials(self) -> dict[CredentialRef, Secret]:
        """Return the exposed secrets, needed for the knocks."""
        return {each.ref: each.leaked.secret for each in self.scoped if each.leaked.secret is not None}

    @property
    def exposures(self) -> dict[CredentialRef, tuple[Exposure, ...]]:
        """Return where each was seen."""
        return {each.ref: each.exposures for each in self.scoped}


def recognised(playbooks: Iterable[Playbook]) -> dict[tuple[str, str], str]:
    """Return which playbook answers what a scanner calls (source, rule)."""
    return {
        (source, rule): playbook.playbook
        for playbook in playbooks
        for source, rules in playbook.recognises.items()
        for rule in rules
    }


def suspects(
    parts: Rotator, exposures: Iterable[Exposure], kinds: Mapping[tuple[str, str], str] | None = None
) -> list[Suspect]:
    """Return the distinct credentials that the exposures speak of; `kinds` answers what no playbook recognises."""
    return group(exposures, {**recognised(parts.playbooks.values()), **(kinds or {})}, parts.seal.fingerprint)


def prepare(
    parts: Rotator,
    found: Sequence[Suspect],
    strategy: Strategy | None = None,
    unresolved: Sequence[Unresolved] = (),
) -> Prepared:
    """Ask the issuers whose they are, and plan; `unresolved` are known to be a person's. Changes nothing anywhere.

    Raises BadInput when there is nothing to plan for, or a replacement's place cannot be used.
    """
    if not found and not unresolved:
        raise BadInput("the report names no credential", "", "nothing to do: is it the right report?")
    findings = Triage(
        connections=[*parts.connections, by_hand.CONNECTION],
        custodies=parts.custodies,
        family=parts.outside.family,
        provider=parts.outside.provider_of,
        pause=time.sleep,
        concurrency=parts.settings.concurrency,
        recoveries=recovery.of(parts.settings),
        kinds=parts.playbooks,
    ).identify(found)

    def costs(kind: str, connection: str) -> Mapping[str, int]:
        return parts.outside.provider_of(kind, connection).calls

    answered = parts.reading.answered({each.ref: each.custody.deliver for each in findings.scoped})
    plan = make(
        findings.scoped,
        (*findings.unresolved, *unresolved),
        parts.playbooks,
        findings.targets,
        wanted=strategy,
        answered=answered,
        costs=costs,
        elsewhere=parts.reading.elsewhere(),
    )
    for run in plan.runs:  # a place that cannot be used is told before anything is revoked
        parts.outside.check_places(run.deliver, f"deliver of {run.ref}")
    return Prepared(plan, findings.scoped)


def declare(
    parts: Rotator,
    prepared: Prepared,
    *,
    title: str,
    severity: Severity,
    detected_at: float,
    exposed_at: float | None = None,
    footholds: Sequence[str] = (),
    approved: bool = False,
    by: str | None = None,
    incident_id: str | None = None,
) -> Incident:
    """Write the incident and its plan to the ledger; nothing starts before the plan is approved.

    `by` is who declares it, whoever runs this if absent; `incident_id` is given by who must know it beforehand.

    Raises BadInput, with nothing written, when it is `approved` and another incident has overtaken it.
    """
    now = clock.now()
    incident = Incident(
        id=incident_id or new_incident_id(now),
        title=title,
        severity=severity,
        detected_at=detected_at,
        declared_at=now,
        exposed_at=exposed_at,
    )
    parts.enrolment.declare(
        incident,
        prepared.plan,
        prepared.materials,
        prepared.exposures,
        by or actor(),
        footholds=[host_name(each) for each in footholds],
        approved=approved,
    )
    return incident


def actor() -> str:
    """Return who acts on this machine."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return "unknown"

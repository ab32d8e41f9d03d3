"""From reports to a declared incident: read, group, triage, plan, enrol. Shared by every way in."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from rotator import clock
from rotator.access.reading import Evidence
from rotator.actor import actor
from rotator.attribution import Kinds, scoping_of
from rotator.bootstrap import Rotator
from rotator.credential import CredentialRef, Secret
from rotator.errors import BadInput
from rotator.flow.access import NO_USES, Uses
from rotator.flow.choice import NOTHING_KEPT
from rotator.flow.dismissal import CANARY_FOR_GOOD
from rotator.flow.exclusion import Exclusion, canaries
from rotator.flow.exposure import Exposure, Suspect
from rotator.flow.forecast import Forecast, forecast
from rotator.flow.incident import Incident, Severity
from rotator.flow.outage import expected
from rotator.flow.ownership import ask_owners
from rotator.flow.plan import make
from rotator.flow.planned import Plan
from rotator.flow.playbook_words import Strategy
from rotator.flow.reach import NOWHERE, Reach
from rotator.flow.revision import Grown, Present
from rotator.flow.scope import Scoped, Unresolved, host_name
from rotator.flow.unguarded import ask_for_readers
from rotator.flow.wish import Wishes
from rotator.ledger.enrolment import Then, new_incident_id, nothing_more
from rotator.nothing_new import paused_holder
from rotator.ports.abilities import Batch
from rotator.report.planned import NO_HOSTS, document
from rotator.scoping import Scope, Scoping
from rotator.triggers.keeping import cleaner

Access = Callable[[Sequence[Scoped]], Evidence]


@dataclass(frozen=True, slots=True)
class Prepared:
    """A plan that nobody has approved, and what is needed to carry it out."""

    plan: Plan
    scoped: tuple[Scoped, ...]
    forecast: Forecast
    answered: Mapping[CredentialRef, str] = field(default_factory=dict)
    uses: Mapping[str, Uses] = field(default_factory=dict)
    seen: Mapping[str, Sequence[Exposure]] = field(default_factory=dict)
    asked: tuple[str, ...] = ()
    told: tuple[Exposure, ...] = ()

    @property
    def materials(self) -> dict[CredentialRef, Secret]:
        """Return the exposed secrets, needed for the knocks."""
        return {each.ref: each.leaked.secret for each in self.scoped if each.leaked.secret is not None}

    @property
    def exposures(self) -> dict[CredentialRef, tuple[Exposure, ...]]:
        """Return where each was seen."""
        return {each.ref: each.exposures for each in self.scoped}

    def document(self, footholds: Mapping[str, bool] = NO_HOSTS) -> dict[str, Any]:
        """Return the plan as it is shown."""
        outages = expected(self.plan, self.scoped, self.forecast, self.uses, self.answered)
        return document(self.plan, self.scoped, self.forecast, outages, footholds, uses=self.uses, asked=self.asked)


def prepare(
    parts: Rotator,
    found: Sequence[Suspect],
    wanted: Strategy | Wishes | None = None,
    unresolved: Sequence[Unresolved] = (),
    exclusions: Sequence[Exclusion] = (),
    *,
    reach: Reach = NOWHERE,
    access: Access | None = None,
    kinds: Kinds | None = None,
    exposed_at: float | None = None,
    severity: Severity = Severity.HIGH,
    present: Present | None = None,
    unreplaced: Mapping[CredentialRef, str] = NOTHING_KEPT,
) -> Prepared:
    """Ask the issuers whose they are, and plan; `unresolved` are known to be a person's. Changes nothing anywhere.

    `reach` has what may be within reach and nobody can say. `access` reads the access logs that were given, for these
    credentials: who used them, and what was made with them. `kinds` is as for `attribution.suspects`. Since
    `exposed_at` all are exposed, where somebody said so: issuers are asked what was made with them since. A critical
    `severity` lets nothing wait for an owner. `unreplaced` says of what nothing new is made, and why, beside what is
    held by a vendor that is paused.
    Raises BadInput when there is nothing to plan for, a replacement's place cannot be used, or a wish or an exclusion
    cannot be followed. Of an incident that grows only what it does not have yet, as `present`, is planned.
    """
    if not (found or unresolved or reach.unplaced):
        raise BadInput("the report names no credential", "", "nothing to do: is it the right report?")
    scope, unresolved, uses = _scope(scoping_of(parts, kinds, exposed_at), found, unresolved, access)
    findings = scope.findings
    named = [*(each.ref for each in findings.scoped), *(present.runs if present else ())]
    grown = Grown(findings.scoped, (*findings.unresolved, *unresolved, *reach.left(named)))
    if present is not None:
        grown = present.grown(grown)
        if grown.is_empty:  # what is wished of it, or excluded, fits nothing
            wanted, exclusions = None, ()
    of = present.incident if present else ""

    def costs(kind: str, connection: str) -> Mapping[str, int]:
        return parts.outside.provider_of(kind, connection).calls

    elsewhere = parts.reading.elsewhere(of)
    answered = parts.reading.answered({each.ref: each.custody.deliver for each in grown.scoped}, of)
    plan = make(
        grown.scoped,
        grown.left,
        parts.playbooks,
        findings.targets,
        wanted=wanted,
        exclusions=(*exclusions, *canaries(parts.entries, (*grown.scoped, *grown.left))),
        answered=answered,
        costs=costs,
        elsewhere=elsewhere,
        warned=(*reach.unread, *scope.warnings, *_bait(parts, grown.scoped), *_uncompared(grown.scoped)),
        uses=uses,
        unreplaced=_unreplaced(parts, grown.scoped, unreplaced),
    )
    plan, rules = ask_for_readers(plan, elsewhere.left), parts.settings.ownership.rules()
    plan = ask_owners(plan, findings.scoped, rules, severity=severity, uses=uses, busy=scope.busy)
    for run in plan.runs:  # a place that cannot be used is told before anything is revoked
        parts.outside.check_places(run.deliver, f"deliver of {run.ref}")
    told = tuple(one for each in found for one in each.exposures)
    return Prepared(plan, grown.scoped, _cost(parts, plan), answered, uses, grown.seen, scope.asked, told)


def _unreplaced(
    parts: Rotator, scoped: Sequence[Scoped], more: Mapping[CredentialRef, str]
) -> dict[CredentialRef, str]:
    """Say of what nothing new is made; what is acted upon through a recovery is named as its issuer does."""
    holder = paused_holder(parts)
    found = {}
    for each in scoped:
        ref = replace(each.ref, connection=each.issuer)
        why = more.get(ref)
        if why is None and (vendor := holder(ref)):
            why = f"{vendor}, which holds it, is paused: nothing new is made for it"
        if why is not None:
            found[each.ref] = why
    return found


def _bait(parts: Rotator, scoped: Sequence[Scoped]) -> list[str]:
    """Say what a person called a canary before, of one incident alone: whether it is so in this one, he decides."""
    found = parts.reading.canaries(each.ref for each in scoped if not each.custody.canary)
    return [f"{ref.id} was dismissed as a canary in {incident}: {CANARY_FOR_GOOD}" for ref, incident in found.items()]


def _uncompared(scoped: Sequence[Scoped]) -> list[str]:
    """Say whose own credential nobody could compare with what leaked."""
    return [
        f"what the rotator itself uses on {name} could not be read: it may be one of these, and to stop it would stop "
        "the rotator there; no standing order covers them"
        for name in sorted({name for each in scoped for name in each.uncompared})
    ]


def prepared(parts: Rotator, plan: Plan, scoped: tuple[Scoped, ...], answered: Mapping[CredentialRef, str]) -> Prepared:
    """Return a plan that was made otherwise, with what it costs."""
    return Prepared(plan, scoped, _cost(parts, plan), answered)


def part_of(parts: Rotator, whole: Prepared, plan: Plan) -> Prepared:
    """Return a part of what was prepared, with what that part costs."""
    return replace(whole, plan=plan, forecast=_cost(parts, plan))


def _cost(parts: Rotator, plan: Plan) -> Forecast:
    def together(kind: str, connection: str) -> int:
        provider = parts.outside.provider_of(kind, connection)
        return provider.batch_size if isinstance(provider, Batch) else 1

    return forecast(plan, parts.limits, parts.account_of, together)


def _scope(
    scoping: Scoping, found: Sequence[Suspect], unresolved: Sequence[Unresolved], access: Access | None
) -> tuple[Scope, Sequence[Unresolved], Mapping[str, Uses]]:
    """Return the scope, with what was made with the exposed ones since, and what is left to a person beside it."""
    scope = scoping.of(found, unresolved)
    if access is None:
        return scope, (*unresolved, *scope.unresolved), NO_USES
    told = access(scope.findings.scoped)
    if told.minted.exposures:
        exposures = [one for each in found for one in each.exposures]
        scope = scoping.of(
            scoping.suspects([*exposures, *told.minted.exposures]), (*unresolved, *told.minted.unresolved)
        )
        told = access(scope.findings.scoped)  # of what was made, who uses it is asked too
    logged = {each.key for each in told.minted.unresolved}
    asked = (each for each in scope.unresolved if each.key not in logged)  # the same act, told twice
    scope = replace(scope, warnings=(*scope.warnings, *told.unread))
    return scope, (*unresolved, *told.minted.unresolved, *asked), told.uses


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
    shown: Mapping[str, Any] | None = None,
    then: Then = nothing_more,
) -> Incident:
    """Write the incident and its plan to the ledger; nothing starts before the plan is approved.

    `by` is who declares it, whoever runs this if absent; `incident_id` is given by who must know it beforehand. `shown`
    is the plan's document where somebody has seen it already. `then` is done in the same transaction.

    Raises BadInput, with nothing written, when it is `approved` and another incident has overtaken it.
    """
    now = clock.now()
    incident = Incident(
        id=incident_id or new_incident_id(now),
        title=cleaner(prepared.told)(title),  # whoever reports a secret may have put it there too
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
        document=prepared.document() if shown is None else shown,
        then=then,
    )
    return incident

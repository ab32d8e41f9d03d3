"""An incident grows: read what reports name, ask about what it does not have yet, plan that, and write the revision."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from rotator import response
from rotator.actor import actor
from rotator.attribution import Kinds
from rotator.bootstrap import Rotator
from rotator.credential import CredentialRef
from rotator.flow.choice import NOTHING_KEPT
from rotator.flow.exclusion import Exclusion
from rotator.flow.exposure import Suspect
from rotator.flow.forecast import forecast
from rotator.flow.incident import Severity
from rotator.flow.planned import Plan
from rotator.flow.playbook_words import Strategy
from rotator.flow.reach import NOWHERE, Reach
from rotator.flow.revision import NOTHING_SEEN, Present
from rotator.flow.scope import Unresolved, host_name
from rotator.flow.wish import Wishes
from rotator.ledger.growing import Added, More
from rotator.response import Access, Prepared


def prepare(
    parts: Rotator,
    found: Sequence[Suspect],
    wanted: Strategy | Wishes | None = None,
    unresolved: Sequence[Unresolved] = (),
    exclusions: Sequence[Exclusion] = (),
    *,
    present: Present | None,
    reach: Reach = NOWHERE,
    access: Access | None = None,
    kinds: Kinds | None = None,
    exposed_at: float | None = None,
    severity: Severity = Severity.HIGH,
    unreplaced: Mapping[CredentialRef, str] = NOTHING_KEPT,
) -> Prepared:
    """Plan what an incident does not have yet; of what it has, keep where it was seen. Changes nothing anywhere.

    What it has is not asked about again. `present` is None for an incident that is not there yet; the `severity` of
    one that is may be worse. `kinds` is as for `attribution.suspects`. Raises BadInput as `response.prepare` does.
    """
    new, seen = list(found), NOTHING_SEEN
    if present is not None:
        severity = severity if severity.outranks(present.severity) else present.severity
        new, seen = present.split(found, parts.seal.fingerprint, {each.name: each for each in parts.connections})
    if present is not None and not (new or unresolved or reach.unplaced):
        nothing = Plan((), (), reach.unread)
        return Prepared(nothing, (), forecast(nothing, parts.limits, parts.account_of, lambda _kind, _at: 1), seen=seen)
    prepared = response.prepare(
        parts,
        new,
        wanted,
        unresolved,
        exclusions,
        reach=reach,
        access=access,
        kinds=kinds,
        exposed_at=exposed_at,
        severity=severity,
        present=present,
        unreplaced=unreplaced,
    )
    both = {name: [*seen.get(name, ()), *prepared.seen.get(name, ())] for name in {*seen, *prepared.seen}}
    return replace(prepared, seen=both)


def shown(parts: Rotator, present: Present | None, prepared: Prepared, hosts: Mapping[str, bool]) -> dict[str, Any]:
    """Return the plan as it is shown, with how it goes with what is there, and which run made what has leaked."""
    document = prepared.document(hosts)
    sentences, made_by = parts.reading.beside(present.incident if present else "", prepared.plan)
    for each in document["credentials"]:
        name = each["provider"], each["connection"], each["owner"], each["id"]
        each["predecessor"] = made_by.get(name, "")
    return {**document, "beside": sentences} if sentences else document


def add(
    parts: Rotator,
    present: Present,
    prepared: Prepared,
    *,
    detected_at: float,
    footholds: Sequence[str] = (),
    by: str | None = None,
    why: str = "added",
    shown: Mapping[str, Any] | None = None,
    severity: Severity | None = None,
) -> Added:
    """Write what is new as one revision that nobody has approved; nothing starts, and what runs goes on.

    A worse `severity` is the incident's from now on: see `ledger/raising.py`.
    Raises BadInput for an incident that grows no more, Overtaken where it has grown since `present` was read: then it
    is prepared once more.
    """
    new = more(present, prepared, detected_at, why, shown, footholds, severity)
    return parts.enrolment.add(present, new, by or actor())


def more(  # noqa: PLR0917 - what is added, and how it is told
    present: Present,
    prepared: Prepared,
    detected_at: float,
    why: str,
    shown: Mapping[str, Any] | None = None,
    footholds: Sequence[str] = (),
    severity: Severity | None = None,
) -> More:
    """Return what was prepared as it is added to an incident."""
    return More(
        prepared.plan,
        prepared.materials,
        prepared.exposures,
        prepared.seen,
        {task: each.ref for each in prepared.scoped for task in present.answers(each)},
        [host_name(each) for each in footholds],
        prepared.document() if shown is None else shown,
        detected_at,
        why,
        severity,
    )

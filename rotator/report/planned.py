"""A plan as data: what `rotator plan -o json` gives, what the ledger keeps, and what every other form is made from."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rotator.flow.access import NO_USES, Uses
from rotator.flow.constraint import Constraints, irrevocable, is_held
from rotator.flow.exposure import Certainty, Exposure
from rotator.flow.forecast import Forecast, OfAccount, Times
from rotator.flow.outage import Expected
from rotator.flow.planned import Plan, PlannedRun
from rotator.flow.playbook_words import Strategy
from rotator.flow.risk import risk_of
from rotator.flow.scope import Scoped
from rotator.report.clocks import moment

NO_HOSTS: Mapping[str, bool] = {}
_TOLD = 3
"""How many of the links that include a credential are told of one exposure's kind."""
_SECTIONS = {
    Strategy.CONTAIN_FIRST: "contain",
    Strategy.REPLACE_FIRST: "replace_first",
    Strategy.REVOKE_ONLY: "only_revoke",
    Strategy.CUT_ONLY: "only_cut",
}
_SUREST = list(Certainty)


def document(
    plan: Plan,
    scoped: Iterable[Scoped],
    found: Forecast,
    outages: Iterable[Expected],
    footholds: Mapping[str, bool] = NO_HOSTS,
    *,
    uses: Mapping[str, Uses] = NO_USES,
    asked: Sequence[str] = (),
) -> dict[str, Any]:
    """Return the whole plan, plain enough for JSON. Times are seconds from the approval, at the least.

    `footholds` are the hosts on which the attacker ran, and whether each is known here. `uses` is what access logs tell
    of each id, `asked` what issuers were asked of what was made with them.
    """
    constraints = Constraints(plan)
    of = {each.ref: each for each in scoped}
    credentials = [
        _credential(run, constraints, found.times[run.ref], of[run.ref].exposures if run.ref in of else ())
        | (_risk(of[run.ref], uses.get(run.ref.id)) if run.ref in of else {"environment": "", "risk": "", "signs": []})
        for run in plan.runs
    ]
    sections = Counter(each["section"] for each in credentials)
    return {
        "digest": plan.digest,
        "totals": {
            "credentials": len(plan.runs) + len(plan.manual) + len(plan.excluded),
            **{name: sections[name] for name in ("own", *_SECTIONS.values(), "held")},
            "manual": len(plan.manual),
            "excluded": len(plan.excluded),
            "destroyed": sum(run.destroys for run in plan.runs),
        },
        "credentials": credentials,
        "manual": [
            {
                "provider": each.kind or "",
                "id": each.key,
                "reason": each.reason,
                "mend": each.mend,
                "reaches": sorted(each.reaches),
                "stands_for": [
                    {"connection": one.connection, "owner": one.owner, "id": one.id} for one in each.stands_for
                ],
            }
            | _included(each.exposures)
            for each in plan.manual
        ],
        "excluded": [
            {
                "provider": each.kind or "",
                "connection": each.ref.connection if each.ref else "",
                "owner": each.ref.owner if each.ref else "",
                "id": each.key,
                "selector": each.selector,
                "reason": each.reason,
                "by": each.by,
                "disposition": each.disposition.value if each.disposition else "",
                "reaches": sorted(each.reaches),
                "known": sorted(each.known),
            }
            | _included(each.exposures)
            for each in plan.excluded
        ],
        "paths": {f"{run.kind}, {run.strategy}": _path(run) for run in plan.runs},
        "outages": [_outage(each) for each in outages],
        "accounts": [_account(each) for each in found.accounts],
        "calls": found.calls,
        "dead_at_least_s": found.dead_at_least_s,
        "replaced_at_least_s": found.replaced_at_least_s,
        "without_budget": list(found.without_budget),
        "constraints": list(constraints.in_all()),
        "asked": list(asked),
        "footholds": [_foothold(plan, host, known=known) for host, known in footholds.items()],
        "warnings": list(plan.warnings),
    }


def _credential(
    run: PlannedRun, constraints: Constraints, times: Times, exposures: tuple[Exposure, ...]
) -> dict[str, Any]:
    readers = constraints.readers(run)
    held = is_held(run)
    return {
        "section": "own" if run.cuts else "held" if held else _SECTIONS[run.strategy],
        "provider": run.kind,
        "connection": run.ref.connection,
        "owner": run.ref.owner,
        "id": run.ref.id,
        "doors": sorted({target for segment in run.segments for target in segment.targets if target}),
        "strategy": run.strategy.value,
        "why": run.why,
        "begins": list(constraints.begins(run)),
        "waits": list(constraints.waits(run)),
        "waits_for": {"count": readers.count, "first": list(readers.first)},
        "for_good": [_for_good(each.name, each.hold_for_s) for each in irrevocable(run)],
        "deliver": [str(each) for each in run.deliver],
        "consumers": [each.name for each in run.consumers],
        "wave": run.wave,
        "dead_not_before_s": round(times.dead_s, 3),
        "replaced_not_before_s": None if times.replaced_s is None else round(times.replaced_s, 3),
    } | _included(exposures)


def _risk(each: Scoped, uses: Uses | None) -> dict[str, Any]:
    """Say where it is used, by which terms its risk is weighed, and what access logs show of it."""
    signs = [f"{seen.sign}: {seen.words}" for seen in uses.signs] if uses else []
    return {"environment": each.custody.environment or "", "risk": str(risk_of(each, uses)), "signs": signs}


def _for_good(name: str, hold_for_s: float | None) -> str:
    if not hold_for_s:
        return name
    days = hold_for_s / 86400
    return f"{name} ({days:g} d later)" if days >= 1 else f"{name} ({hold_for_s / 60:g} min later)"


def _included(exposures: tuple[Exposure, ...]) -> dict[str, Any]:
    """Say how sure it is that a credential was within reach, and by which links it is included."""
    links = list(dict.fromkeys(_link(each) for each in exposures))
    certainty = min((each.certainty for each in exposures), key=_SUREST.index, default=None)
    return {
        "certainty": certainty.value if certainty else "",
        "included": links[:_TOLD],
        "included_more": max(0, len(links) - _TOLD),
    }


def _link(exposure: Exposure) -> str:
    if exposure.via:
        return " → ".join(exposure.via)
    return f"{exposure.certainty.value} in {exposure.where or exposure.source} ({exposure.source}:{exposure.rule})"


def _path(run: PlannedRun) -> str:
    return " → ".join(step.name for segment in run.segments for step in segment.steps)


def _outage(each: Expected) -> dict[str, Any]:
    return {
        "provider": each.ref.provider,
        "owner": each.ref.owner,
        "id": each.ref.id,
        "user": each.user,
        "places": [str(place) for place in each.places],
        "outage": each.outage.value,
        "stops": each.stops,
        "again": each.again,
        "again_not_before_s": None if each.again_s is None else round(each.again_s, 3),
        "by": each.by,
        "last_used_at": moment(each.last_used_at),
        "sources": list(each.sources),
    }


def _account(each: OfAccount) -> dict[str, Any]:
    return {
        "account": each.name,
        "credentials": each.runs,
        "calls_until_dead": each.calls_until_dead,
        "calls_until_replaced": each.calls_until_replaced,
        "calls": each.calls,
        "budget": str(each.limit) if each.limit else "",
        "dead_at_least_s": each.dead_at_least_s,
        "replaced_at_least_s": each.replaced_at_least_s,
    }


def _foothold(plan: Plan, host: str, *, known: bool) -> dict[str, Any]:
    kept = [run.ref.id for run in plan.runs if any(told.host == host for told in run.consumers)]
    return {"host": host, "known": known, "keeps": kept}

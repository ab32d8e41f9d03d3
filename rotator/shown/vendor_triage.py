"""Triage of vendors as it is shown: which a notice touches and how badly, each term with where it comes from."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from rotator.bootstrap import Rotator
from rotator.credential import Leaked
from rotator.flow.forecast import Forecast, forecast
from rotator.flow.order import PRODUCTION
from rotator.flow.plan import make
from rotator.flow.playbook_words import Strategy, Subject, Verb
from rotator.flow.scope import Scoped
from rotator.flow.vendor import Dataset
from rotator.flow.vendor_notice import NOT_LISTED, Ground, Notice, grounds
from rotator.flow.vendor_terms import LEVEL, Holds, Term, level_of
from rotator.flow.vendor_triage import Triage, assess, ranked
from rotator.held import Held, Reached, held_by_each, is_grant, reached_by_each
from rotator.packages.advisory import Advisory
from rotator.packages.vendor_software import match, spoken_about
from rotator.report.clocks import moment

_NOTHING = Leaked()
_ENDS = frozenset({Verb.SUSPEND, Verb.UNINSTALL, Verb.END_SESSIONS, Verb.REVOKE})


@dataclass(frozen=True, slots=True)
class Spoken:
    """Of whom something speaks for being touched by a notice, the gravest first; of `unknown` others nobody knows."""

    triaged: list[Triage]
    unknown: int


def spoken_of(parts: Rotator, news: Sequence[tuple[Notice, Sequence[Advisory]]]) -> list[Spoken]:
    """Return for each notice, with its advisories, the vendors of whom something speaks; what is held is read once.

    A vendor whose lists only do not have it, or that has none, is none of them.
    """
    vendors, made = parts.vendors.every(), made_at(parts)
    every_one = [each for _, advisories in news for each in advisories]
    runs = spoken_about(every_one, {each.name: each.software for each in vendors})
    of_each = []
    for notice, advisories in news:
        every = grounds(vendors, notice, match(advisories, runs), made)
        speaks = {name: some for name, some in every.items() if any(each.is_told for each in some)}
        unsure = [name for name, some in every.items() if name not in speaks and some[0].likelihood > NOT_LISTED]
        of_each.append((speaks, len(unsure)))
    touched = [each for each in vendors if any(each.name in speaks for speaks, _ in of_each)]
    held = held_by_each(parts, touched) if touched else {}
    reach = reached_by_each(parts, held, touched) if touched else {}
    cost = {each.name: holds(parts, held[each.name], reach[each.name]) for each in touched}
    found = []
    for (notice, _), (speaks, unknown) in zip(news, of_each, strict=True):
        judged = parts.assessments.every(notice.names) if speaks else {}
        mine = [each for each in touched if each.name in speaks]
        triaged = [assess(each, speaks[each.name], cost[each.name], judged.get(each.name, ())) for each in mine]
        found.append(Spoken(ranked(triaged), unknown))
    return found


def found(parts: Rotator, notice: Notice, advisories: Sequence[Advisory], only: str = "") -> list[Triage]:
    """Return every vendor that a notice may touch, the gravest first; or `only` the one of this name, if it does."""
    vendors = parts.vendors.every(software=bool(advisories))
    listed = match(advisories, {each.name: each.software for each in vendors})
    speaks = grounds(vendors, notice, listed, made_at(parts))
    touched = [each for each in vendors if each.name in speaks and only in {"", each.name}]
    held = held_by_each(parts, touched)
    reach = reached_by_each(parts, held, touched)
    judged = parts.assessments.every(notice.names)
    return ranked(
        assess(each, speaks[each.name], holds(parts, held[each.name], reach[each.name]), judged.get(each.name, ()))
        for each in touched
    )


def holds(parts: Rotator, held: Sequence[Held], reach: Reached) -> Holds:
    """Return what a vendor holds and reaches, counted, with what it takes to cut that."""
    living = [each for each in held if not each.is_dead]
    cut = _cut(parts, living)
    planned = _forecast(parts, cut)
    return replace(
        counted(parts, held, reach),
        tasks=len(living) - len(cut),
        calls=planned.calls if planned else None,
        least_s=round(planned.dead_at_least_s, 1) if planned and not planned.without_budget else None,
    )


def counted(parts: Rotator, held: Sequence[Held], reach: Reached) -> Holds:
    """Return what a vendor holds and reaches, counted; nothing is planned. What is dead is counted, and no more."""
    grants = {kind for kind in {each.kind for each in held} if is_grant(parts, kind)}
    living = [each for each in held if not each.is_dead]
    return Holds(
        credentials=sum(1 for each in held if each.kind not in grants),
        grants=sum(1 for each in held if each.kind in grants),
        dead=len(held) - len(living),
        further=len(reach.credentials),
        blind=sum(1 for each in living if each.custody.reads is None and each.kind not in grants),
        in_production=sum(1 for each in living if each.custody.environment == PRODUCTION),
        consumers=sum(1 for each in living if each.custody.consumers),
        criticality=Counter(
            [each.custody.criticality for each in living] + [each.custody.criticality for each in reach.credentials]
        ),
        datasets=_described(reach),
        undescribed=tuple(each.name for each in reach.datasets if each.sensitivity is None),
    )


def made_at(parts: Rotator) -> dict[str, dict[str, float]]:
    """Return when each list of each vendor's software was made, in epoch seconds."""
    of: dict[str, dict[str, float]] = {}
    for each in parts.vendors.lists():
        of.setdefault(each.vendor, {})[each.source] = each.at
    return of


def _described(reach: Reached) -> tuple[Dataset, ...]:
    known = (each for each in reach.datasets if each.sensitivity is not None)
    return tuple(Dataset(each.name, each.sensitivity, each.manifest) for each in known if each.sensitivity is not None)


def _cut(parts: Rotator, held: Iterable[Held]) -> list[Held]:
    """Return those that a machine cuts: it is known which they are, and their playbook has a step that ends one."""
    return [each for each in held if each.ref.id and _is_cut_by_machine(parts, each.kind)]


def _is_cut_by_machine(parts: Rotator, kind: str) -> bool:
    playbook = parts.playbooks.get(kind)
    return playbook is not None and any(
        line.do.verb in _ENDS and line.do.subject is Subject.EXPOSED and line.by_hand is None for line in playbook.steps
    )


def _forecast(parts: Rotator, held: Sequence[Held]) -> Forecast | None:
    """Return what it costs at the least to cut them, each with one door; no issuer is asked."""
    if not held:
        return None
    scoped = [Scoped(each.ref, each.kind, _NOTHING, (), each.custody, each.how) for each in held]

    def costs(kind: str, _connection: str) -> dict[str, int]:
        return next((dict(each.calls) for each in parts.outside.classes(kind) if hasattr(each, "calls")), {})

    known = {each.name for each in parts.settings.connections}
    plan = make(
        scoped,
        (),
        parts.playbooks,
        {each.ref: ("one door",) for each in held},
        wanted=Strategy.REVOKE_ONLY,
        costs=costs,
    )
    return forecast(plan, parts.limits, lambda name: parts.account_of(name) if name in known else name)


def answer(parts: Rotator, notice: Notice, triaged: Sequence[Triage]) -> dict[str, Any]:
    """Return a triage as data; who is paused already is told with the incident."""
    paused = {each.vendor: each.incident for each in parts.pauses.every() if each.is_open}
    rows = [{**row(each, rank), "paused": paused.get(each.vendor.name, "")} for rank, each in enumerate(triaged, 1)]
    return {"notice": told_of(notice), "vendors": rows}


def told_of(notice: Notice) -> dict[str, Any]:
    """Return a notice as data."""
    return {
        "id": notice.id,
        "title": notice.title,
        "summary": notice.summary,
        "names": sorted(notice.names),
        "published_at": moment(notice.at),
        "packages": list(notice.packages),
        "breached": list(notice.breached),
        "notes": list(notice.notes),
    }


def row(of: Triage, rank: int) -> dict[str, Any]:
    """Return one vendor as data: never its priority without the terms that it is of."""
    return {
        "rank": rank,
        "vendor": of.vendor.name,
        "title": of.vendor.title,
        "owner": of.vendor.owner,
        "advice": of.advice.value,
        "because": of.because,
        "priority": of.priority,
        "terms": [term(each) for each in of.terms],
        "grounds": [ground(each) for each in of.grounds],
    }


def term(each: Term) -> dict[str, Any]:
    """Return one figure as data, with where it comes from."""
    level = level_of(each.value) if each.unit == LEVEL else None
    return {
        "name": str(each.name),
        "value": each.value,
        "unit": each.unit,
        "level": level.value if level else "",
        "source": each.source,
        "why": each.why,
        "by": each.by,
        "at": moment(each.at),
        "instead_of": each.instead_of,
        "ask": each.ask,
    }


def ground(each: Ground) -> dict[str, Any]:
    """Return one reason as data."""
    return {"likelihood": each.likelihood, "why": each.why, "source": each.source, "ask": each.ask}

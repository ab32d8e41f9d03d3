"""The terms of a vendor's triage: each one figure with its unit, where it comes from and why; a person may set some.

Most weights are judgements, the same for everybody. docs/vendors.md has the formula in words.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from rotator.errors import BadInput
from rotator.flow.vendor import Dataset, Level, Said, Vendor
from rotator.flow.vendor_notice import Ground

LEVELS: Mapping[Level, float] = {Level.LOW: 0.1, Level.MEDIUM: 0.3, Level.HIGH: 0.6, Level.CRITICAL: 0.9}
"""How sensitive what a level is said of counts: no level is the whole, since many things of it are worse than one."""
NUMBERS: Mapping[Level, float] = {each: float(number) for number, each in enumerate(Level, 1)}
"""A level as the value of a term that is one."""
UNSAID = Level.MEDIUM
"""What is taken where nobody said how critical or sensitive something is."""
_TENS, _MOST_BREADTH = 4, 0.5
"""Ten thousand things reached close half of what a level leaves to the whole."""
DECIDING_H, TASK_H, LOOK_H = 0.5, 1.0, 0.05
"""Hours of people: to decide and tell, for each task of a person, and to look at each that a machine cuts."""
DIGITS = 3
"""Figures are rounded so before they are multiplied: what is shown comes to what is shown."""


class Name(StrEnum):
    """The terms that a person may set."""

    LIKELIHOOD = "likelihood"
    SENSITIVITY = "sensitivity"
    EFFORT = "effort_h"
    USER_IMPACT = "user_impact"
    COST_OF_CHANGE = "cost_of_change"


LEVELLED = frozenset({Name.USER_IMPACT, Name.COST_OF_CHANGE})
"""Those that are a level, from 1 (low) to 4 (critical)."""
SHARE, HOURS, LEVEL, COUNT, SECONDS = "0 to 1", "hours", "level", "count", "seconds"
_MOST_HOURS, _SHOWN = 10_000.0, 40


@dataclass(frozen=True, slots=True)
class Term:
    """One figure. `value` is None where nobody knows; `ask` is how to find out. `by` is "" where no person set it.

    `at` is when he did, in epoch seconds, and `instead_of` what stood there by itself.
    """

    name: str
    value: float | None
    unit: str
    source: str
    why: str
    by: str = ""
    at: float | None = None
    instead_of: float | None = None
    ask: str = ""


@dataclass(frozen=True, slots=True)
class Judged:
    """A value that a person set. `notice` is "" where it holds for every notice."""

    name: Name
    value: float
    by: str
    at: float
    reason: str
    notice: str = ""


@dataclass(frozen=True, slots=True)
class Holds:
    """What a vendor holds of ours and reaches with it, as far as anybody knows.

    `tasks` of the credentials and grants no machine cuts. `criticality` counts the held and what follows from them by
    level, "" where nobody said; `further` is how many follow. `blind` are those of which nobody knows what they read.
    `dead` of them are proven dead, and reach nothing. `calls` and `least_s` are of cutting the others, None where no
    plan can be made, or no budget says what is allowed.
    """

    credentials: int = 0
    grants: int = 0
    tasks: int = 0
    dead: int = 0
    further: int = 0
    blind: int = 0
    in_production: int = 0
    consumers: int = 0
    criticality: Mapping[str, int] = field(default_factory=dict)
    datasets: tuple[Dataset, ...] = ()
    undescribed: tuple[str, ...] = ()
    calls: int | None = None
    least_s: float | None = None

    @property
    def held(self) -> int:
        """Return how many credentials and grants there are, without the dead."""
        return self.credentials + self.grants - self.dead


def value_of(name: Name, text: str) -> float:
    """Read the value of a term as people write it: a number, or a level by its name. Raises BadInput for none."""
    if name in LEVELLED:
        if (
            level := next((each for each in Level if text.strip().lower() in {each, f"{NUMBERS[each]:g}"}), None)
        ) is None:
            raise BadInput("this is no level", f"{name}: {text[:_SHOWN]}", f"one of {', '.join(Level)}")
        return NUMBERS[level]
    most = 1.0 if name is not Name.EFFORT else _MOST_HOURS
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0.0 <= value <= most:
        raise BadInput("this is no value of it", f"{name}: {text[:_SHOWN]}", f"give a number from 0 to {most:g}")
    return round(value, DIGITS) + 0.0


def level_of(value: float | None) -> Level | None:
    """Return which level a value stands for."""
    return next((level for level, number in NUMBERS.items() if number == value), None)


def judged(term: Term, own: Mapping[Name, Judged]) -> Term:
    """Return the term as a person set it, with what it says by itself beside; as it is where nobody did."""
    said = own.get(Name(term.name))
    if said is None:
        return term
    of = f"set for {said.notice}" if said.notice else "set for every notice"
    return replace(
        term, value=said.value, source=of, why=said.reason, by=said.by, at=said.at, instead_of=term.value, ask=""
    )


def likelihood(ground: Ground) -> Term:
    """Return the likeliest ground as a term."""
    return Term(Name.LIKELIHOOD, ground.likelihood, SHARE, ground.source, ground.why, ask=ground.ask)


def worst(vendor: Vendor, holds: Holds) -> Term:
    """Return the worst level of what is reached; what nobody knows counts as the vendor's own criticality."""
    found = [(LEVELS[each.sensitivity], f"the dataset {each.name} is {each.sensitivity}") for each in holds.datasets]
    unsaid = f"{UNSAID} is taken, since nobody said"
    found += [(LEVELS[UNSAID], f"the dataset {name}: {unsaid} how sensitive it is") for name in holds.undescribed]
    for named, count in holds.criticality.items():
        level = Level(named) if named else UNSAID
        of = f"{count:,} of its credentials and what follows from them"
        found.append((LEVELS[level], f"{of}: {named or f'{unsaid} how critical they are'}"))
    if holds.blind or not (found or holds.dead):
        what = f"what {holds.blind:,} of its credentials read" if holds.blind else "what it holds or reaches"
        found.append((LEVELS[vendor.criticality], f"nobody knows {what}: its own criticality, {vendor.criticality}"))
    nothing = (0.0, f"of all that is known to be its {holds.dead:,} are proven dead, and nothing lives")
    value, why = max(found, key=lambda each: each[0], default=nothing)
    return Term("worst", value, SHARE, "the registry and the inventory", why)


def breadth(holds: Holds) -> Term:
    """Return how much is reached, by its logarithm: ten times as many are one step worse."""
    datasets = len(holds.datasets) + len(holds.undescribed)
    count = holds.held + holds.further + datasets
    value = round(min(1.0, math.log10(1 + count) / _TENS) * _MOST_BREADTH, DIGITS)
    dead = f" that live and {holds.dead:,} proven dead" if holds.dead else ""
    told = f"it holds {holds.held:,}{dead}, {holds.further:,} more follow, "
    told += "1 dataset is reached" if datasets == 1 else f"{datasets:,} datasets are reached"
    return Term("breadth", value, SHARE, "the inventory", f"{told}: the logarithm of {1 + count:,}")


def sensitivity(worst: Term, breadth: Term, holds: Holds) -> Term:
    """Return what both come to: the worst, and of what that leaves to the whole as much as the breadth says."""
    one, many = worst.value or 0.0, breadth.value or 0.0
    value = round(one + (1 - one) * many, DIGITS)
    is_known = (holds.held or holds.dead) and not (holds.blind or holds.undescribed)
    ask = "" if is_known else "say in the inventory what it holds (`vendor`), what that `reads`, and of what `datasets`"
    return Term(Name.SENSITIVITY, value, SHARE, "worst + (1 - worst) x breadth", worst.why, ask=ask)


def counts(holds: Holds) -> Iterable[Term]:
    """Yield what cutting it takes, as far as it is counted."""
    held = "the inventory"
    yield Term("credentials", float(holds.credentials), COUNT, held, "what it holds that has a secret")
    yield Term("grants", float(holds.grants), COUNT, held, "trust of ours that it holds, without a secret")
    yield Term("tasks", float(holds.tasks), COUNT, "the playbooks", "of both, what no machine cuts: a person must")
    ask = "" if holds.calls is not None else "`rotator vendor pause` shows its plan before it asks for a yes"
    least = "the least: each credential one door, and no issuer was asked"
    calls = None if holds.calls is None else float(holds.calls)
    yield Term("calls", calls, COUNT, "the playbooks", least if not ask else "no plan can be made", ask=ask)
    time = "the accounts' budgets alone; issuers' latency, settling and people come on top"
    if holds.least_s is None:
        time = "no plan can be made" if ask else "nobody said what its accounts allow: no budget is set"
    yield Term("least_s", holds.least_s, SECONDS, "the budgets", time)


def effort(holds: Holds) -> Term:
    """Return the hours of people, the sum of what its words say."""
    looked = holds.held - holds.tasks
    value = round(DECIDING_H + holds.tasks * TASK_H + looked * LOOK_H, DIGITS)
    tasks = "1 task" if holds.tasks == 1 else f"{holds.tasks:,} tasks"
    parts = f"{DECIDING_H:g} to decide and tell + {tasks} x {TASK_H:g}"
    return Term(Name.EFFORT, value, HOURS, "a judgement", f"{parts} + {looked:,} cut by machine x {LOOK_H:g} to look")


def impact(vendor: Vendor, holds: Holds) -> Term:
    """Return what a pause does to users: what people said, else what the environments and consumers suggest."""
    if vendor.user_impact is not None:
        said = vendor.user_impact
        return Term(Name.USER_IMPACT, NUMBERS[said.level], LEVEL, "the registry", said.why)
    ask = "ask who here uses it, and say `user_impact` in the registry"
    if not (holds.in_production or holds.consumers):
        why = "nobody said, and nothing is known of where what it holds is used"
        return Term(Name.USER_IMPACT, None, LEVEL, "nobody", why, ask=ask)
    level = Level.HIGH if holds.in_production and holds.consumers else Level.MEDIUM
    why = f"of what it holds {holds.in_production:,} are in production and {holds.consumers:,} have consumers"
    return Term(Name.USER_IMPACT, NUMBERS[level], LEVEL, "the inventory", f"{why}; nobody said", ask=ask)


def cost(said: Said | None) -> Term:
    """Return what it costs to do without the vendor, which only people know."""
    if said is not None:
        return Term(Name.COST_OF_CHANGE, NUMBERS[said.level], LEVEL, "the registry", said.why)
    ask = "ask its owner here what another vendor would take, and say `cost_of_change` in the registry"
    return Term(Name.COST_OF_CHANGE, None, LEVEL, "nobody", "nobody said what it costs to do without it", ask=ask)

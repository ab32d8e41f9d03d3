"""Standing orders: which credentials of an alarm may be stopped at once, on an agreement made beforehand.

What an order covers becomes a part of the incident of its own, which the order approves; the rest waits for a person.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from rotator.credential import CredentialRef
from rotator.flow.approval import Scope
from rotator.flow.planned import Plan, PlannedRun
from rotator.flow.reversibility import is_reversible, stops_by_destroying


@dataclass(frozen=True, slots=True)
class Order:
    """One `[[standing_orders]]`. `expires` in epoch seconds."""

    name: str
    triggers: frozenset[str]
    environments: frozenset[str]
    approved_by: str
    expires: float
    verified: bool = True
    reversible: bool = True


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a plan, a plan of its own: what orders approve of it, and which ones; nothing for what waits."""

    plan: Plan
    orders: tuple[str, ...] = ()
    scopes: frozenset[Scope] = frozenset()


def split(  # noqa: PLR0917 - a plan, and all that bears on it
    plan: Plan,
    orders: Sequence[Order],
    sender: str,
    environment_of: Callable[[CredentialRef], str | None],
    lives: Callable[[Sequence[CredentialRef]], frozenset[CredentialRef]],
    now: float,
) -> tuple[Part, ...]:
    """Return the parts of a plan: covered by orders first, what waits for a person last; the plan itself uncut.

    `lives` asks the issuers which of those they call active: it is asked of no other than an order would cover.
    """
    in_force = [each for each in orders if sender in each.triggers and now < each.expires]
    found = {run.ref: each for run in plan.runs if (each := _first(in_force, run, environment_of(run.ref)))}
    to_ask = [ref for ref, order in found.items() if order.verified]
    alive = lives(to_ask) if to_ask else frozenset[CredentialRef]()
    covered = {ref: order for ref, order in found.items() if not order.verified or ref in alive}
    covered = dict(_whole(plan.runs, covered))
    if not covered:
        return (Part(plan),)
    reversible = [run for run in plan.runs if run.ref in covered and not stops_by_destroying(run)]
    for_good = [run for run in plan.runs if run.ref in covered and stops_by_destroying(run)]
    left = [run for run in plan.runs if run.ref not in covered]
    parts = [
        Part(Plan(tuple(runs), ()), tuple(sorted({covered[run.ref].name for run in runs})), scopes)
        for runs, scopes in ((reversible, frozenset({Scope.CONTAINMENT})), (for_good, frozenset(Scope)))
        if runs
    ]
    if left or plan.manual or plan.excluded:
        return *parts, Part(replace(plan, runs=tuple(left)))
    parts[0] = replace(parts[0], plan=replace(parts[0].plan, warnings=plan.warnings))
    return tuple(parts)


def _first(orders: Sequence[Order], run: PlannedRun, environment: str | None) -> Order | None:
    """Return the first order that covers a run, whatever its issuer says of it.

    None covers what the rotator itself uses: to cut that is a person's decision.
    """
    if run.cuts or environment is None:
        return None
    for each in orders:
        if environment in each.environments and (not each.reversible or is_reversible(run)):
            return each
    return None


def _whole(runs: Sequence[PlannedRun], covered: Mapping[CredentialRef, Order]) -> Iterator[tuple[CredentialRef, Order]]:
    """Yield what is covered together with all that it hangs together with.

    The credentials of one owner share a replacement, and what waits for the rotator's own cannot begin before it.
    """
    owners: dict[object, list[PlannedRun]] = {}
    for run in runs:
        owners.setdefault((run.kind, run.ref.connection, run.ref.owner or run.ref), []).append(run)
    for group in owners.values():
        if all(run.ref in covered and set(run.awaits) <= covered.keys() for run in group):
            yield from ((run.ref, covered[run.ref]) for run in group)

"""Outages: who is without a working credential, from when to when, if the plan is carried out. Told before it is.

What a consumer holds fails from the first stop of the exposed credential on, and works again once the new one is
delivered and the consumer has read it. Which of the two comes first is the strategy's doing; where nothing is
delivered, it fails for good. Nobody knows every user: where access evidence is at hand it says who was seen lately.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from rotator.credential import CredentialRef
from rotator.flow.access import NO_USES, Uses
from rotator.flow.forecast import Forecast
from rotator.flow.planned import Plan, PlannedRun, Segment
from rotator.flow.playbook_words import Strategy, Subject, Verb
from rotator.flow.scope import Scoped
from rotator.ports.store import Place

STOPS = frozenset({Verb.SUSPEND, Verb.REVOKE, Verb.UNINSTALL})
"""What ends the use of an exposed credential."""


class Outage(StrEnum):
    """What is to be expected."""

    NONE = "none"
    """The new one is in use before the exposed one is stopped."""
    GAP = "gap"
    """From the stop until the new one is delivered and read."""
    FOR_GOOD = "for_good"
    """From the stop on, until a person gives it another."""
    CUT = "cut"
    """Its sessions end; what it holds goes on working."""


@dataclass(frozen=True, slots=True)
class Expected:
    """What one user of one exposed credential has to expect.

    `user` is "" where nobody is known to use it: whoever does has it all the same. `by` is the run that brings the new
    one, where another does. `stops` and `again` are the steps between which nothing works, "" where there is none.
    `again_s` is the earliest by the budgets that the new one is delivered, in seconds from the approval. `sources` are
    who was seen to use it, the latest first, as far as logs tell them apart.
    """

    ref: CredentialRef
    user: str
    outage: Outage
    places: tuple[Place, ...] = ()
    stops: str = ""
    again: str = ""
    again_s: float | None = None
    by: str = ""
    last_used_at: float | None = None
    sources: tuple[str, ...] = ()


NOTHING_ANSWERED: Mapping[CredentialRef, str] = {}


def expected(
    plan: Plan,
    scoped: Iterable[Scoped],
    found: Forecast,
    uses: Mapping[str, Uses] = NO_USES,
    answered: Mapping[CredentialRef, str] = NOTHING_ANSWERED,
) -> tuple[Expected, ...]:
    """Return what each known user of each exposed credential has to expect, in the plan's order.

    `uses` is the access evidence by credential id. `answered` names the run of an earlier incident that has replaced a
    credential already: its users hold another.
    """
    by_ref = {each.ref: each for each in scoped}
    makers = {(run.kind, run.ref.owner, place): run for run in plan.runs for place in run.deliver}
    answer: list[Expected] = []
    for run in plan.runs:
        known = by_ref.get(run.ref)
        places = known.custody.deliver if known else run.deliver
        maker = next(
            (makers[key] for place in run.deliver or places if (key := (run.kind, run.ref.owner, place)) in makers),
            None,
        )
        outage, stops, again = between(run, maker)
        by = answered.get(run.ref, "") if maker is None else "" if maker is run else maker.ref.id
        if maker is None and run.ref in answered:
            outage = Outage.NONE
        use = uses.get(run.ref.id)
        again_s = found.times[maker.ref].replaced_s if maker is not None and again else None
        # Users of one place hold what lies there, whichever entry names them.
        consumers = (known.custody.consumers if known else ()) or (maker.consumers if maker else ())
        sources = tuple(each.name for each in use.sources) if use else ()
        answer += [
            Expected(
                ref=run.ref,
                user=user,
                outage=outage,
                places=run.deliver or places,
                stops=stops,
                again=again,
                again_s=again_s,
                by=by,
                last_used_at=use.last_used_at if use else None,
                sources=sources,
            )
            for user in dict.fromkeys([each.name for each in consumers] or [""])
        ]
    return tuple(answer)


def between(run: PlannedRun, maker: PlannedRun | None) -> tuple[Outage, str, str]:
    """Say what its path leaves its users without: between which two steps, by their names."""
    steps = [step for segment in run.segments for step in segment.steps]
    stop = next((n for n, step in enumerate(steps) if step.subject is Subject.EXPOSED and step.verb in STOPS), None)
    if run.strategy is Strategy.CUT_ONLY or stop is None:
        return Outage.CUT, "", ""
    if maker is None:
        return Outage.FOR_GOOD, steps[stop].name, ""
    again = _again(maker.segments)
    if maker is run and again in {step.name for step in steps[:stop]}:
        return Outage.NONE, steps[stop].name, again
    return Outage.GAP, steps[stop].name, again


def _again(segments: Iterable[Segment]) -> str:
    """Name the step with which the users of a new secret have it: told, or delivered where nobody is told."""
    steps = [step for segment in segments for step in segment.steps]
    names = [step.name for step in steps if step.subject is Subject.CONSUMERS or step.verb is Verb.PROMOTE]
    return names[-1] if names else ""

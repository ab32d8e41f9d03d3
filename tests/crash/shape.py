"""The shape of a run: what of a playbook, a strategy and a provider decides which calls and commits it makes.

Two runs of one shape meet the same boundaries. Names and durations are no part of it; that a replacement is marked,
that nobody can look or knock, and that one call revokes many are, each in the words of the step where it is asked.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator

from rotator.credential import CredentialRef, Secret
from rotator.flow.plan import make
from rotator.flow.planned import BY_HAND, PlannedStep, Segment
from rotator.flow.playbook import Playbook
from rotator.flow.playbook_words import Strategy, Subject, Verb
from rotator.ports.abilities import Batch, Installable, Issuing, Unknockable
from rotator.ports.provider import Provider
from rotator.ports.store import Place
from rotator.rest_kind import RestKind
from tests.fakes.deployment import scoped

Shape = tuple[str, ...]
PLACE = Place("fake", "kv", "place")


def step_shapes(playbook: Playbook, strategy: Strategy, provider: Provider, rest: RestKind | None) -> dict[str, str]:
    """Return what each step of a run asks of the engine, by its name, in order.

    `rest` is what describes the provider, where that is the generic one.
    """
    segments = _planned(playbook, strategy, provider)
    shapes: dict[str, str] = {}
    for segment, step in itertools.chain.from_iterable(((each, step) for step in each.steps) for each in segments):
        where = "at each target" if segment.targets != ("",) else ""
        shapes[step.name] = ", ".join(filter(None, [*_words(step), where, *_asked(step, provider, rest)]))
    return shapes


def shape_of(playbook: Playbook, strategy: Strategy, provider: Provider, rest: RestKind | None = None) -> Shape:
    """Return the shape of the run for one credential that is delivered and has a consumer."""
    return tuple(step_shapes(playbook, strategy, provider, rest).values())


def _planned(playbook: Playbook, strategy: Strategy, provider: Provider) -> tuple[Segment, ...]:
    ref = CredentialRef(playbook.playbook, "own", "ci", "one")
    targets = {ref: ("web-1", "web-2")} if isinstance(provider, Installable) else {}
    stolen = [scoped(ref, Secret("canary"), PLACE, consumers=("http://consumer",))]
    run = make(stolen, (), {playbook.playbook: playbook}, targets, wanted=strategy).runs[0]
    assert run.strategy is strategy
    return run.segments


def _words(step: PlannedStep) -> Iterator[str]:
    yield f"{step.verb} {step.subject}"
    yield f"expects {step.expect}" if step.expect else ""
    yield "retried for a time" if step.retry_for_s is not None else ""
    yield "waits for its time" if step.hold_for_s is not None else ""
    yield f"waits until {step.hold_until}" if step.hold_until else ""
    yield f"undone by {step.undo}" if step.undo else ""
    yield "by hand" if BY_HAND in step.facts else ""


def _asked(step: PlannedStep, provider: Provider, rest: RestKind | None) -> Iterator[str]:
    """Yield what the provider makes of a step, beside what the playbook says."""
    if BY_HAND in step.facts:
        return
    do = step.verb, step.subject
    if step.verb is Verb.ISSUE and isinstance(provider, Issuing):
        yield "marked" if _marks(provider, rest) else "unmarked"
    if do == (Verb.REVOKE, Subject.EXPOSED) and isinstance(provider, Batch):
        yield "many in one call" if provider.batch_size > 1 else "shown in a call of its own"
        yield "gathers" if provider.gather_s else ""
    if do == (Verb.VERIFY, Subject.EXPOSED):
        yield "not knocked" if isinstance(provider, Unknockable) else "knocked"
        yield "" if _shows(provider, rest) else "shown by nobody"


def _marks(provider: Issuing, rest: RestKind | None) -> bool:
    """Tell whether its issuer marks what it makes: a `marked` that asks nobody has no mark to look for."""
    if rest is not None:
        return rest.list is not None and rest.list.marker is not None
    return bool(provider.marked.__code__.co_names)  # type: ignore[attr-defined]


def _shows(provider: Provider, rest: RestKind | None) -> bool:
    """Tell whether its issuer shows how one stands; what does not says so in `inspect`, and nothing else there."""
    if rest is not None:
        return rest.looks
    code = provider.inspect.__code__  # type: ignore[attr-defined]
    return not any("no_view" in str(each) for each in (*code.co_names, *code.co_consts[1:]))

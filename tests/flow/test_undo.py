"""Undo passes nothing that has no way back, and takes nothing from consumers first: over random histories."""

from __future__ import annotations

import functools
from dataclasses import asdict, replace

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from rotator.credential import CredentialRef, Secret
from rotator.errors import BadInput
from rotator.flow.plan import make
from rotator.flow.playbook_words import Expect, Strategy, Subject, Verb
from rotator.flow.proof import Evidence, Proof
from rotator.flow.run import THROUGH, UNDOES, WHY, Run, Step, StepState, taken_back
from rotator.flow.step import STOPS, UNKNOWN, Move, apply
from rotator.flow.summary import summarise
from rotator.flow.undo import undo
from rotator.ports.store import Place
from tests.fakes.deployment import PLAYBOOKS, scoped

HOSTS = ("web-1", "web-2")
WHY_NOT = "ann: the batch job broke"
REFUSED = st.sampled_from([StepState.PENDING, StepState.FAILED, StepState.HELD, StepState.SKIPPED])


PATHS = [(kind, strategy) for kind in sorted(PLAYBOOKS) for strategy in PLAYBOOKS[kind].strategies]
WITH_A_WAY_BACK = [(kind, each) for kind, each in PATHS if any(line.undo for line in PLAYBOOKS[kind].path(each))]
"""Most paths have none, and too many of them would leave too little to try."""


@functools.cache
def planned(kind, strategy, *, consumers):
    """Return a run of that kind as it is enrolled."""
    ref = CredentialRef(kind, "c", "ci", "KEY1")
    told = ("http://consumer",) if consumers else ()
    plan = make(
        [scoped(ref, Secret("x"), Place("fake", "kv", "ci"), consumers=told)],
        (),
        PLAYBOOKS,
        {ref: HOSTS},
        wanted=strategy,
    )
    [found] = plan.runs
    run = Run("inc-1.r1", "inc-1", ref, kind, found.strategy, "", 1.0, found.deliver, found.consumers, requested_at=1.0)
    steps = [
        Step(
            id=f"inc-1.r1.{segment}.{place}.{step.name}",
            branch=f"inc-1.r1.{segment}.{place}",
            position=segment * 10_000 + (number + 1) * 100,
            target=target,
            **asdict(step),
        )
        for segment, stretch in enumerate(found.segments)
        for place, target in enumerate(stretch.targets)
        for number, step in enumerate(stretch.steps)
    ]
    doors = sorted({target for stretch in found.segments for target in stretch.targets if target}) or [""]
    return run, steps, doors


def done(step, at=10.0):
    facts = {"replacement": "KEY2"} if step.verb in {Verb.ISSUE, Verb.GENERATE} else {}
    facts |= {"converged": True} if (step.verb, step.subject) == (Verb.VERIFY, Subject.CONSUMERS) else {}
    return replace(step, state=StepState.DONE, attempts=step.attempts + 1, settled_at=at, facts={**step.facts, **facts})


@st.composite
def histories(draw):
    """Make up how far a run has come: done up to somewhere, each host for itself, and one step in any state of rest.

    Also which step somebody may want to undo: mostly one that has a way back.
    """
    kind, strategy = draw(st.sampled_from(WITH_A_WAY_BACK if draw(st.integers(0, 9)) else PATHS))
    run, steps, doors = planned(kind, strategy, consumers=draw(st.booleans()))
    order = sorted({step.position for step in steps})
    # Mostly far enough that there is something to take back.
    stopped = next((order.index(step.position) for step in steps if step.undo), 0)
    far = draw(st.one_of(st.integers(stopped + 1, len(order)), st.integers(0, len(order))))
    behind = {door: draw(st.integers(0, 2)) for door in HOSTS}
    skipped = draw(st.sampled_from(order))
    found = []
    for step in steps:
        place = order.index(step.position) + behind.get(step.target, 0)
        if place < far:
            found.append(replace(step, state=StepState.SKIPPED) if step.position == skipped else done(step))
        elif place == far:
            found.append(replace(step, state=draw(REFUSED), attempts=draw(st.integers(0, 2)), reason="somehow"))
        else:
            found.append(step)
    back = [step.name for step in found if step.undo and step.state is StepState.DONE]
    return (
        run,
        found,
        doors,
        draw(st.sampled_from(back if back and draw(st.integers(0, 9)) != 5 else [s.name for s in found])),
    )


def attempted(run, steps, doors, name):
    try:
        return undo(run, steps, doors, name, WHY_NOT)
    except BadInput:
        return None


FIRST = [Verb.RESUME, Verb.DEMOTE]


def turn(step):
    """Return when a step is taken back: what consumers live by first, then the run's order backwards."""
    return FIRST.index(step.undo) if step.undo in FIRST else 2, -step.position


@given(histories())
def test_everything_that_has_a_way_back_is_taken_back_once_and_in_its_turn(history):
    run, steps, doors, name = history
    found = attempted(run, steps, doors, name)
    assume(found is not None)
    since = next(step.position for step in steps if step.name == name)
    order = [turn(step) for step in found.takes_back]
    assert order == sorted(order)
    wanted = {step.id for step in steps if step.position >= since and step.undo and step.state is StepState.DONE}
    taken = [step.id for step in found.takes_back]
    assert len(taken) == len(set(taken))
    assert wanted <= set(taken)
    # What came nowhere is taken back too, so what may have been done, or reached some places, is no exception.
    for step in found.takes_back:
        assert step.id in wanted or (step.verb in {Verb.INSTALL, Verb.PROMOTE, Verb.SUSPEND} and step.attempts)
    appended = [step for stretch in found.stretches for step in stretch.steps]
    assert [step.facts[UNDOES] for step in appended if UNDOES in step.facts] == [
        step.id for stretch in found.stretches for step in taken_in(stretch, found.takes_back)
    ]
    assert {step.facts.get(WHY) for step in appended if UNDOES in step.facts} == {WHY_NOT}


def taken_in(stretch, takes_back):
    """Return what is taken back on one branch, in the order in which it is."""
    mine = {step.facts.get(UNDOES) for step in stretch.steps}
    return [step for step in takes_back if step.id in mine]


@given(histories())
def test_no_undo_passes_what_stopped_the_exposed_credential_for_good(history):
    run, steps, doors, name = history
    found = attempted(run, steps, doors, name)
    since = next(step.position for step in steps if step.name == name)
    for step in steps:
        final = step.subject is Subject.EXPOSED and step.verb in STOPS and step.undo is None
        tried = step.attempts > 0 and step.state is not StepState.SKIPPED
        if final and (step.state is StepState.DONE or tried) and step.position >= since:
            assert found is None


@given(histories())
def test_nothing_is_given_back_before_it_opens_nor_taken_away_before_consumers_were_asked(history):
    run, steps, doors, name = history
    found = attempted(run, steps, doors, name)
    assume(found is not None)
    last = {stretch.target: stretch.steps[-1] for stretch in found.stretches}
    assert {door: last[door].do for door in doors} == dict.fromkeys(doors, "verify exposed")
    appended = [step for stretch in found.stretches for step in stretch.steps]
    order = [step.do for step in appended]
    offered = "demote replacement" in order and bool(run.consumers)
    assert ("reload consumers" in order, "verify consumers" in order) == (offered, offered)
    if found.resumes:
        again = order.count("resume exposed")
        first = appended[: again + len(doors)]
        # What was suspended at each door is resumed at each, and that door knocked on next; else all are, once it is.
        knocked = ["resume exposed", *["verify exposed"] * (len(doors) // again)]
        assert [step.do for step in first] == knocked * again
        assert {step.expect for step in first if step.verb is Verb.VERIFY} == {Expect.ACCEPTED}
    assert [step.expect for step in appended].count(Expect.ACCEPTED) == (len(doors) if found.resumes else 0)
    if offered:
        at = order.index("demote replacement")
        assert order[at + 1 : at + 3] == ["reload consumers", "verify consumers"]
    taking = [n for n, step in enumerate(appended) if step.subject is Subject.REPLACEMENT and step.verb in STOPS]
    if taking and "demote replacement" in order:
        assert min(taking) > order.index("verify consumers" if offered else "demote replacement")


@given(histories())
def test_appended_steps_are_new_and_come_after_all_others(history):
    run, steps, doors, name = history
    found = attempted(run, steps, doors, name)
    assume(found is not None)
    appended = [step for stretch in found.stretches for step in stretch.steps]
    ids = [step.id for step in (*steps, *appended)]
    assert len(ids) == len(set(ids))
    assert not {step.name for step in steps} & {step.name for step in appended}
    assert min(step.position for step in appended) > max(step.position for step in steps)
    assert {stretch.id for stretch in found.stretches}.isdisjoint(step.branch for step in steps)
    assert all(step.branch == stretch.id for stretch in found.stretches for step in stretch.steps)
    assert all(len(step.name) <= 63 for step in appended)
    assert list(found.skipped) == [step for step in steps if step.state not in THROUGH]
    for step in found.skipped:
        apply(step, Move(StepState.SKIPPED, reason=WHY_NOT), 11.0)


@given(histories())
def test_what_was_taken_back_counts_no_more_and_is_not_taken_back_again(history):
    run, steps, doors, name = history
    found = attempted(run, steps, doors, name)
    assume(found is not None)
    after = [replace(step, state=StepState.SKIPPED) if step in found.skipped else step for step in steps]
    after += [step for stretch in found.stretches for step in stretch.steps]
    proofs = [Proof(door, accepted_at=1.0) for door in doors]
    ordered = summarise(run, after, proofs)
    promoted = any(step.verb is Verb.PROMOTE for step in found.takes_back)
    if promoted:
        assert (ordered.replaced_at, ordered.converged_at) == (None, None)
    finished = [done(step, at=20.0) if step.state is StepState.PENDING else step for step in after]
    told = summarise(run, finished, proofs)
    issued_back = any(step.verb is Verb.ISSUE for step in found.takes_back)
    assert not (issued_back and told.replacement)
    assert told.evidence is Evidence.NONE
    assert {step.id for step in found.takes_back} == taken_back(finished)
    with pytest.raises(BadInput, match="taken back already"):
        undo(run, finished, doors, name, WHY_NOT)
    for other in {step.name for step in finished}:
        again = attempted(run, finished, doors, other)
        assert again is None or not {step.id for step in again.takes_back} & taken_back(finished)


def history(kind="aws_iam_access_key", strategy=Strategy.CONTAIN_FIRST, until="compare"):
    """Return a run that is done up to a step, that one not included."""
    run, steps, doors = planned(kind, strategy, consumers=True)
    stop = next(step.position for step in steps if step.name == until)
    return run, [done(step) if step.position < stop else step for step in steps], doors


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("conatin", "did you mean `contain`"),
        ("keep", "has no way back"),
        ("cut", "the playbook names no `undo`"),
        ("destroy", "it is pending, not done"),
    ],
)
def test_what_cannot_be_undone_is_told_in_one_line(name, said):
    run, steps, doors = history()
    with pytest.raises(BadInput, match=said) as told:
        undo(run, steps, doors, name, WHY_NOT)
    assert "\n" not in str(told.value)


def test_a_destroyed_credential_is_never_passed():
    run, steps, doors = history(until="still")
    for name, said in (("contain", "it would pass destroy"), ("destroy", "destroyed is destroyed")):
        with pytest.raises(BadInput, match=said):
            undo(run, steps, doors, name, WHY_NOT)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"state": StepState.RUNNING}, "its outcome is not known yet"),
        ({"state": StepState.UNCERTAIN}, "its outcome is not known yet"),
        ({"state": StepState.HELD, "reason": f"{UNKNOWN}: lost"}, "nobody knows whether deliver was done"),
        ({"state": StepState.HELD, "facts": {"unresolved": True}}, "nobody knows whether deliver was done"),
        ({"state": StepState.FAILED, "attempts": 1, "facts": {UNDOES: "x"}}, "another undo is not finished"),
    ],
)
def test_what_nobody_knows_is_settled_first(change, said):
    run, steps, doors = history(until="deliver")
    steps = [replace(step, **change) if step.name == "deliver" else step for step in steps]
    with pytest.raises(BadInput, match=said):
        undo(run, steps, doors, "contain", WHY_NOT)


def test_an_undo_that_was_skipped_before_it_was_tried_takes_nothing_back():
    run, steps, doors = history()
    found = undo(run, steps, doors, "deliver", WHY_NOT)
    appended = [replace(step, state=StepState.SKIPPED) for stretch in found.stretches for step in stretch.steps]
    after = [*steps, *appended]
    assert summarise(run, after, []).replaced_at is not None
    assert [step.name for step in undo(run, after, doors, "deliver", WHY_NOT).takes_back] == ["deliver"]


@pytest.mark.parametrize("state", [StepState.FAILED, StepState.PENDING, StepState.SKIPPED])
@pytest.mark.parametrize("name", ["contain", "issue", "deliver"])
def test_a_delivery_that_may_have_reached_some_places_is_taken_back_too(name, state):
    run, steps, doors = history(until="deliver")
    steps = [replace(step, state=state, attempts=1) if step.name == "deliver" else step for step in steps]
    found = undo(run, steps, doors, name, WHY_NOT)
    assert "deliver" in [step.name for step in found.takes_back]
    at = found.in_words.index("demote replacement")
    assert found.in_words[at : at + 3] == ["demote replacement", "reload consumers", "verify consumers"]


def test_a_delivery_that_was_never_tried_is_not_taken_back():
    run, steps, doors = history(until="deliver")
    assert "demote replacement" not in undo(run, steps, doors, "issue", WHY_NOT).in_words


@pytest.mark.parametrize("state", [StepState.PENDING, StepState.FAILED, StepState.HELD])
@pytest.mark.parametrize("name", ["contain", "issue", "deliver", "destroy"])
def test_a_destruction_that_was_tried_and_is_not_settled_is_never_passed(name, state):
    run, steps, doors = history(until="destroy")
    steps = [replace(step, state=state, attempts=1) if step.name == "destroy" else step for step in steps]
    with pytest.raises(BadInput, match="nobody knows whether it was done") as told:
        undo(run, steps, doors, name, WHY_NOT)
    assert "\n" not in str(told.value)
    assert f"rotator run skip {run.id} destroy" in str(told.value)


def test_a_destruction_that_a_person_says_was_not_done_is_passed():
    run, steps, doors = history(until="destroy")
    skipped = {"state": StepState.SKIPPED, "attempts": 1}
    steps = [replace(step, **skipped) if step.name == "destroy" else step for step in steps]
    assert [step.name for step in undo(run, steps, doors, "deliver", WHY_NOT).takes_back] == ["deliver"]


@pytest.mark.parametrize("state", [StepState.PENDING, StepState.FAILED, StepState.SKIPPED])
@pytest.mark.parametrize(
    ("strategy", "stop", "name"),
    [(Strategy.REPLACE_FIRST, "retire", "deliver"), (Strategy.REVOKE_ONLY, "contain", "contain")],
)
def test_a_suspension_of_which_nobody_knows_is_taken_back_too(strategy, stop, name, state):
    run, steps, doors = history(strategy=strategy, until=stop)
    steps = [replace(step, state=state, attempts=1) if step.name == stop else step for step in steps]
    found = undo(run, steps, doors, name, WHY_NOT)
    assert found.resumes
    assert found.in_words[:2] == ["resume exposed", "verify exposed"]
    untried = [replace(step, attempts=0) if step.name == stop else step for step in steps]
    if name == "deliver":
        assert not undo(run, untried, doors, name, WHY_NOT).resumes


def after(found, steps, changed=()):
    """Return a run's steps as an undo leaves them, each done unless it is changed."""
    left = [replace(step, state=StepState.SKIPPED) if step in found.skipped else step for step in steps]
    appended = [done(step, at=20.0) for stretch in found.stretches for step in stretch.steps]
    return [*left, *(replace(step, **dict(changed).get(step.name, {})) for step in appended)]


KEPT = {"facts": {"using": {"http://consumer": "KEY2"}, "converged": False}, "state": StepState.SKIPPED}


@pytest.mark.parametrize("name", ["issue", "contain"])
def test_who_was_given_something_back_and_kept_the_replacement_is_told_again_by_the_next_undo(name):
    run, steps, doors = history()
    steps = after(undo(run, steps, doors, "deliver", WHY_NOT), steps, {"undo_converged": KEPT})
    found = undo(run, steps, doors, name, WHY_NOT)
    first = ["resume exposed", "verify exposed"] if name == "contain" else []
    told = ["reload consumers", "verify consumers", "revoke replacement", "verify exposed"]
    assert found.in_words == [*first, *told]
    assert found.strands == (name == "issue")


def test_who_was_seen_on_what_was_given_back_is_not_told_again():
    run, steps, doors = history()
    using = {"facts": {"using": {"http://consumer": "KEY1"}, "converged": True}}
    steps = after(undo(run, steps, doors, "deliver", WHY_NOT), steps, {"undo_converged": using})
    assert undo(run, steps, doors, "issue", WHY_NOT).in_words == ["revoke replacement", "verify exposed"]


@pytest.mark.parametrize("state", [StepState.PENDING, StepState.HELD])
def test_another_undo_takes_the_place_of_what_one_has_not_tried_yet(state):
    run, steps, doors = history()
    first = undo(run, steps, doors, "issue", WHY_NOT)
    kept = {"state": StepState.HELD, "reason": "not yet converged"}
    steps = after(first, steps, {"undo_converged": kept, "undo_issue": {"state": state, "attempts": 0}})
    found = undo(run, steps, doors, "contain", WHY_NOT)
    assert [step.name for step in found.takes_back] == ["contain", "issue"]
    assert {step.name for step in found.skipped} == {"undo_converged", "undo_issue"}
    assert found.in_words[:4] == ["resume exposed", "verify exposed", "reload consumers", "verify consumers"]

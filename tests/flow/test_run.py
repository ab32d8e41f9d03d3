"""Where a run stands, told once: the states partition, and the live display counts as the report does."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from rotator.credential import CredentialRef
from rotator.flow.planned import Lane
from rotator.flow.playbook_words import Expect, Strategy, Subject, Verb
from rotator.flow.proof import Evidence, Proof
from rotator.flow.run import SCHEDULED, THROUGH, BranchState, Run, Step, StepState
from rotator.flow.standing import CredentialState, state_of, still_open
from rotator.flow.summary import death, needs_material, summarise
from rotator.ledger.counting import count_as

RUN = Run("r", "i", CredentialRef("p", "c", "o", "1"), "p", Strategy.CONTAIN_FIRST, "", 1.0)
COUNTED_AS = {"dead": "proven_dead", "stated": "stated_dead"}


def step(state: StepState = StepState.PENDING, verb=Verb.VERIFY, subject=Subject.EXPOSED, **given_) -> Step:
    place = {"id": "s", "branch": "b", "position": 100, "name": "name", "target": "", **given_}
    return Step(verb=verb, subject=subject, lane=Lane.CONTAIN, state=state, **place)


@st.composite
def branches(draw) -> tuple[BranchState, list[Step], bool]:
    """Draw a branch as a worker leaves it, its steps, and whether it is held for its time alone."""
    done = [step(draw(st.sampled_from(sorted(THROUGH)))) for _ in range(draw(st.integers(0, 3)))]
    rest = [step() for _ in range(draw(st.integers(0, 3)))]
    state = draw(st.sampled_from(BranchState))
    if state is BranchState.DONE:
        return state, done or [step(StepState.DONE)], False
    if state is BranchState.WAITING:
        return state, [step(), *rest], False
    reason = draw(st.sampled_from([SCHEDULED, "unpaired", None])) if state is BranchState.HELD else None
    active = {
        BranchState.OPEN: [StepState.PENDING, StepState.RUNNING, StepState.UNCERTAIN],
        BranchState.HELD: [StepState.HELD],
        BranchState.FAILED: [StepState.FAILED],
    }[state]
    return state, [*done, step(draw(st.sampled_from(active)), reason=reason), *rest], reason == SCHEDULED


proofs = st.lists(
    st.builds(
        Proof,
        refused_since=st.none() | st.just(1.0),
        dead_at=st.none() | st.just(1.0),
        evidence=st.just(Evidence.NONE),
    ),
    min_size=1,
    max_size=3,
)
runs = st.builds(
    lambda evidence, dismissed: replace(RUN, evidence=evidence, dismissed=dismissed),
    st.sampled_from(Evidence),
    st.none() | st.just("false positive"),
)


@given(runs, st.lists(branches(), min_size=1, max_size=4), proofs)
def test_the_live_display_counts_a_run_as_the_report_does(run, found, doors):
    steps = [each for _, mine, _ in found for each in mine]
    states = {"scheduled" if scheduled else state.value for state, _, scheduled in found}
    refused = all(proof.refused_since is not None or proof.dead_at is not None for proof in doors)
    counted = count_as(run.evidence.value, run.dismissed, states, refused=refused)
    assert COUNTED_AS.get(counted, counted) == state_of(run, steps, doors).value


@given(runs, st.lists(branches(), min_size=1, max_size=4), proofs)
def test_every_run_is_in_one_state_and_what_is_open_says_why(run, found, doors):
    steps = [each for _, mine, _ in found for each in mine]
    state = state_of(run, steps, doors)
    assert state is not CredentialState.MANUAL
    why = still_open(run, steps)
    if state in {CredentialState.SETTLING, CredentialState.PENDING, CredentialState.HELD, CredentialState.FAILED}:
        assert why
    if any(each.state is StepState.FAILED for each in steps) and state is not CredentialState.DISMISSED:
        assert why


def test_a_scheduled_destruction_is_not_open():
    waits = step(StepState.HELD, Verb.REVOKE, hold_for_s=60.0, reason=SCHEDULED)
    proven = replace(RUN, evidence=Evidence.PROVEN, replaced_at=1.0)
    assert still_open(proven, [step(StepState.DONE), waits, step()]) == []


def test_a_destruction_that_went_wrong_after_its_wait_is_open():
    lost = step(StepState.HELD, Verb.REVOKE, hold_for_s=60.0, attempts=3, reason="nobody could find out")
    assert still_open(replace(RUN, evidence=Evidence.PROVEN), [lost, step()]) != []


def test_a_run_is_dead_when_its_last_door_is_and_as_surely_as_its_weakest():
    proven = Proof("a", dead_at=5.0, evidence=Evidence.PROVEN)
    stated = Proof("b", dead_at=7.0, evidence=Evidence.STATED)
    assert death([proven, Proof("b")]) == (Evidence.NONE, None)
    assert death([proven, replace(proven, dead_at=9.0)]) == (Evidence.PROVEN, 9.0)
    assert death([proven, stated]) == (Evidence.STATED, 7.0)
    assert death([]) == (Evidence.NONE, None)


@given(st.permutations(range(3)), st.sets(st.integers(0, 2)))
def test_a_clock_stops_only_when_every_door_is_through(order, open_doors):
    steps = [
        step(
            StepState.PENDING if door in open_doors else StepState.DONE,
            Verb.UNINSTALL,
            name="contain",
            target=f"door-{door}",
            settled_at=None if door in open_doors else float(door),
        )
        for door in order
    ]
    assert summarise(RUN, steps, []).acknowledged_at == (None if open_doors else 2.0)


def test_the_runs_clocks_are_of_what_happened():
    steps = [
        step(StepState.DONE, Verb.SUSPEND, name="contain", settled_at=1.0),
        step(StepState.DONE, Verb.ISSUE, Subject.REPLACEMENT, name="issue", settled_at=2.0, facts={"replacement": "2"}),
        step(StepState.DONE, Verb.PROMOTE, Subject.REPLACEMENT, name="deliver", settled_at=3.0),
        step(StepState.DONE, Verb.VERIFY, Subject.CONSUMERS, name="told", settled_at=4.0, facts={"converged": True}),
        step(StepState.DONE, Verb.REVOKE, name="destroy", settled_at=5.0),
    ]
    proof = Proof(dead_at=1.5, contained_at=1.5, evidence=Evidence.PROVEN)
    run = summarise(RUN, steps, [proof])
    assert (run.acknowledged_at, run.dead_at, run.contained_at) == (1.0, 1.5, 1.5)
    assert (run.replacement, run.replaced_at, run.converged_at, run.destroyed_at) == ("2", 3.0, 4.0, 5.0)
    silent = summarise(RUN, [replace(steps[3], facts={"converged": False})], [proof])
    assert (silent.converged_at, silent.replaced_at, silent.replacement) == (None, None, None)


def test_the_secret_is_needed_while_a_knock_is_ahead_and_no_wait_stands_before_it():
    knock, wait = step(expect=Expect.REJECTED, position=300), step(verb=Verb.REVOKE, position=200, hold_for_s=60.0)
    assert needs_material([knock])
    assert needs_material([replace(knock, position=100), wait])
    assert not needs_material([wait, knock])
    assert not needs_material([replace(knock, state=StepState.DONE)])
    assert not needs_material([step(verb=Verb.VERIFY, subject=Subject.REPLACEMENT)])

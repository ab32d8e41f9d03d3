"""How a step moves: never a move that the state machine does not have, whatever comes."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from rotator.errors import Rejected, Unavailable, Uncertain
from rotator.flow.outcome import (
    MISMATCH,
    PATIENCE_S,
    after_asking_consumers,
    after_error,
    after_knock_exposed,
    after_knock_replacement,
    after_look,
    after_look_error,
    after_statement,
    backoff,
)
from rotator.flow.planned import Lane
from rotator.flow.playbook_words import ALLOWED, Expect, Subject, Verb
from rotator.flow.proof import Evidence, Proof, knocked, stated
from rotator.flow.run import SCHEDULED, THROUGH, Step, StepState
from rotator.flow.step import LEASE_S, MOVES, SEND_MARGIN_S, Move, apply, hold_before
from rotator.ports.connection import CALL_DEADLINE_S
from rotator.ports.provider import Answer, State, Verdict

MOVES_OF_THE_DESIGN = """
PENDING → RUNNING HELD SKIPPED UNCERTAIN
HELD → PENDING SKIPPED
FAILED → PENDING SKIPPED
RUNNING → DONE FAILED UNCERTAIN HELD PENDING
UNCERTAIN → PENDING DONE HELD FAILED UNCERTAIN
DONE →
SKIPPED →
"""


def step(verb: Verb = Verb.VERIFY, subject: Subject = Subject.EXPOSED, **given_) -> Step:
    return Step("s", "b", 100, "name", "", verb, subject, Lane.CONTAIN, **given_)


actions = st.sampled_from(sorted((verb, subject) for verb, subjects in ALLOWED.items() for subject in subjects))
states = st.sampled_from(StepState)
durations = st.none() | st.sampled_from([1.0, 300.0, 5000.0])
moments = st.floats(min_value=0, max_value=1e5)
errors = st.builds(
    lambda kind, reason, later: kind(reason, retry_after=later) if kind is Unavailable else kind(reason),
    st.sampled_from([Rejected, Unavailable, Uncertain]),
    st.sampled_from(["quota", "down", "lost"]),
    st.none() | st.floats(min_value=0, max_value=1e4),
)
verdicts = st.builds(Verdict, st.sampled_from(Answer), st.just("said"), names_id=st.booleans(), mismatch=st.booleans())
steps = st.builds(
    lambda action, **kept: step(*action, **kept),
    actions,
    expect=st.none() | st.sampled_from(Expect),
    retry_for_s=durations,
    hold_for_s=durations,
    attempts=st.integers(min_value=0, max_value=100_000),
    started_at=st.none() | moments,
)


def test_the_moves_are_those_of_the_design():
    told = dict(line.split(" →") for line in MOVES_OF_THE_DESIGN.strip().splitlines())
    assert {state.name: {each.name for each in to} for state, to in MOVES.items()} == {
        name: set(to.split()) for name, to in told.items()
    }


@given(steps, states, states, moments)
def test_a_move_that_the_machine_does_not_have_is_refused(before, state, to, now):
    before = replace(before, state=state)
    if to in MOVES[state]:
        assert apply(before, Move(to), now).state is to
    else:
        with pytest.raises(ValueError, match="cannot become"):
            apply(before, Move(to), now)


@given(steps, errors, moments)
def test_an_error_leads_only_where_a_running_step_may_go(before, error, now):
    running = replace(before, state=StepState.RUNNING)
    move = after_error(running, error, now)
    after = apply(running, move, now)
    assert move.reason
    assert error.reason in move.reason
    if isinstance(error, Unavailable) and move.state is StepState.PENDING:
        assert move.due_at >= now + (error.retry_after or 0)
    if isinstance(error, Uncertain) and before.verb is Verb.ISSUE:
        assert move.state is StepState.UNCERTAIN  # a mint is never done again, nor given up, before somebody looked
    if isinstance(error, Uncertain) and after.state is StepState.DONE:
        assert before.verb in {Verb.PRESERVE, Verb.VERIFY}  # nothing that acts is called done on a lost answer


@given(steps, errors, moments)
def test_a_failed_look_acts_on_nothing(before, error, now):
    uncertain = replace(before, state=StepState.UNCERTAIN)
    assert after_look_error(uncertain, error, now).state in {StepState.UNCERTAIN, StepState.HELD}


@given(steps, st.sampled_from([StepState.PENDING, StepState.DONE, StepState.HELD, StepState.UNCERTAIN]), moments)
def test_what_is_looked_at_for_ever_is_given_up(before, found, now):
    uncertain = replace(before, state=StepState.UNCERTAIN, started_at=now - PATIENCE_S, retry_for_s=None)
    move = after_look(uncertain, Move(found, reason="looked"), now)
    assert move.state is (StepState.FAILED if found is StepState.PENDING else found)
    apply(uncertain, move, now)


@given(steps, verdicts, st.builds(Proof, known_at=st.none() | moments), moments)
def test_a_knock_is_answered_by_done_only_where_it_may_be(before, verdict, proof, now):
    running = replace(before, verb=Verb.VERIFY, subject=Subject.EXPOSED, state=StepState.RUNNING)
    proof = knocked(proof, verdict, 5.0, now)
    move = after_knock_exposed(running, verdict, proof, 5.0, now)
    apply(running, move, now)
    if move.state is StepState.DONE and running.expect is Expect.REJECTED:
        assert verdict.answer is Answer.REJECTED
        assert proof.evidence is not Evidence.NONE
    if running.expect is None:  # whatever the door says is recorded; that it says nothing is no answer yet
        unanswered = verdict.answer is Answer.INCONCLUSIVE and not verdict.mismatch
        assert move.state is StepState.DONE or unanswered
    if running.expect is Expect.ACCEPTED:  # after an undo: told as it is, once there was time to spread
        assert move.state is StepState.DONE or verdict.answer is not Answer.ACCEPTED


@given(steps, verdicts, moments)
def test_a_replacement_is_done_only_when_it_answers_as_expected(before, verdict, now):
    running = replace(before, state=StepState.RUNNING)
    move = after_knock_replacement(running, verdict, now)
    apply(running, move, now)
    wanted = Answer.REJECTED if running.expect is Expect.REJECTED else Answer.ACCEPTED
    assert (move.state is StepState.DONE) == (verdict.answer is wanted)


@given(steps, st.sampled_from(State), st.builds(Proof, known_at=st.none() | moments, mismatch=st.booleans()), moments)
def test_the_issuers_word_ends_a_step_only_with_a_death(before, state, proof, now):
    running = replace(before, state=StepState.RUNNING, expect=Expect.REJECTED)
    early = stated(proof, state, 5.0, now)
    assert early.evidence is Evidence.NONE  # as a refusal, a word must hold for the settle time
    assert early.contained_at is None
    proof = stated(early, state, 5.0, now + 5.0)
    move = after_statement(running, proof, state, 5.0, now + 5.0)
    apply(running, move, now + 5.0)
    assert (move.state is StepState.DONE) == (proof.evidence is not Evidence.NONE)
    if proof.mismatch and state is not State.ACTIVE and proof.known_at is not None:
        assert move == Move(StepState.HELD, None, MISMATCH, move.facts)


@pytest.mark.parametrize(
    ("state", "said"),
    [(State.ABSENT, "no such one is there"), (State.SUSPENDED, "it is suspended"), (State.ACTIVE, "it is active")],
)
def test_what_the_issuer_said_is_told_and_called_its_word(state, said):
    looked = replace(step(), state=StepState.RUNNING)
    assert after_statement(looked, Proof(""), state, 5.0, 0.0).reason == f"stated: the issuer says that {said}"


@given(steps, st.dictionaries(st.sampled_from("abc"), st.none() | st.sampled_from(["new", "old"])), moments)
def test_consumers_converge_when_none_holds_another_one(before, using, now):
    running = replace(before, state=StepState.RUNNING)
    move = after_asking_consumers(running, using, "new", now)
    apply(running, move, now)
    assert (move.state is StepState.DONE) == all(held in {None, "new"} for held in using.values())
    if move.state is StepState.DONE:
        assert move.facts["converged"] == all(held == "new" for held in using.values())


@given(st.integers(min_value=0, max_value=10**9), st.sampled_from([5.0, 30.0]))
def test_patience_between_attempts_grows_to_its_ceiling_and_never_overflows(attempts, ceiling):
    assert 0.5 <= backoff(attempts, ceiling) <= ceiling
    assert backoff(attempts, ceiling) <= backoff(attempts + 1, ceiling)


def test_a_claim_outlives_the_longest_call_by_a_margin():
    assert SEND_MARGIN_S + CALL_DEADLINE_S < LEASE_S


class Life(RuleBasedStateMachine):
    """One step's life, with everything that engine, issuer and people may do to it, in any order."""

    @initialize(verb=actions, hold=durations, expect=st.none() | st.sampled_from(Expect))
    def begin(self, verb, hold, expect):
        self.now = 1000.0
        self.step = step(*verb, hold_for_s=hold, expect=expect)
        self.ended = None

    def move(self, move: Move) -> None:
        attempts = self.step.attempts
        self.step = apply(self.step, move, self.now)
        assert self.step.attempts == attempts + (move.state is StepState.RUNNING)
        if self.step.state in THROUGH:
            self.ended = self.step

    @rule(seconds=st.sampled_from([0.0, 1.0, 300.0, 7 * 86400.0]))
    def time_passes(self, seconds):
        self.now += seconds

    @rule()
    def a_worker_takes_it(self):
        if self.step.state is StepState.HELD:
            self.move(Move(StepState.PENDING))
        if self.step.state is StepState.PENDING:
            held = hold_before(self.step, self.now)
            self.move(held or Move(StepState.RUNNING))

    @rule()
    def its_worker_is_lost(self):
        if self.step.state is StepState.RUNNING:
            self.move(Move(StepState.UNCERTAIN, reason="its worker was lost"))

    @rule(error=errors)
    def it_goes_wrong(self, error):
        if self.step.state is StepState.RUNNING:
            self.move(after_error(self.step, error, self.now))

    @rule(found=st.sampled_from([StepState.PENDING, StepState.DONE, StepState.HELD, StepState.UNCERTAIN]))
    def somebody_looks(self, found):
        if self.step.state is StepState.UNCERTAIN:
            self.move(after_look(self.step, Move(found, reason="looked"), self.now))

    @rule()
    def it_works(self):
        if self.step.state is StepState.RUNNING:
            self.move(Move(StepState.DONE))

    @rule(skip=st.booleans())
    def a_person_decides(self, skip):
        if self.step.state in {StepState.FAILED, StepState.HELD}:
            self.move(Move(StepState.SKIPPED if skip else StepState.PENDING, reason="ann: seen"))

    @invariant()
    def what_is_through_stays_through(self):
        assert getattr(self, "ended", None) in (None, getattr(self, "step", None))

    @invariant()
    def its_clocks_tell_what_was(self):
        if not hasattr(self, "step"):
            return
        if self.step.state in {*THROUGH, StepState.FAILED}:
            assert self.step.settled_at is not None
        if self.step.state is StepState.RUNNING:
            assert self.step.settled_at is None
        if self.step.state in {StepState.RUNNING, StepState.UNCERTAIN}:
            assert self.step.intended_at is not None

    @invariant()
    def it_is_held_for_its_time_only_before_it_was_tried(self):
        if getattr(self, "step", None) and self.step.waits_for_time:
            assert (self.step.attempts, self.step.reason) == (0, SCHEDULED)
            assert not self.step.waits_for_person


TestALife = Life.TestCase

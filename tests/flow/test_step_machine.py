"""The knocks on one door: step after step, whatever is answered, in any order, as the engine passes it on.

What the proof says is checked against the plain history of the answers: whatever decided, a death needs an unbroken
series. One step's whole life with every verb is in `test_step.py`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from rotator.errors import Rejected, Unavailable, Uncertain
from rotator.flow.outcome import after_error, after_knock_exposed, after_statement
from rotator.flow.planned import Lane
from rotator.flow.playbook_words import Expect, Subject, Verb
from rotator.flow.proof import Evidence, Proof, knocked, revived, seen, shut, stated
from rotator.flow.run import THROUGH, Step, StepState
from rotator.flow.step import Move, apply, hold_before
from rotator.ports.provider import Answer, State, Verdict

SETTLE_S = 5.0
ALIVE = {Answer.ACCEPTED, State.ACTIVE}
AGAINST = {Answer.REJECTED, State.SUSPENDED, State.ABSENT}
VERDICTS = st.builds(
    Verdict,
    st.sampled_from([Answer.REJECTED, *Answer]),
    st.just("said"),
    mismatch=st.booleans(),
)
ERRORS = st.sampled_from([Rejected("no"), Unavailable("down", retry_after=7.0), Uncertain("lost")])


@dataclass(frozen=True)
class Heard:
    """One thing that was said of the exposed credential."""

    at: float
    answer: Answer | State


class Knocks(RuleBasedStateMachine):
    """Verifications of one exposed credential, one after the other, on one proof."""

    @initialize(known=st.booleans(), accepted=st.booleans(), names_id=st.booleans())
    def begin(self, known, accepted, names_id):
        self.names_id = names_id  # an issuer does, or it does not
        self.now = 1000.0
        self.proof = seen(Proof(), State.ACTIVE if known else State.ABSENT, self.now)
        self.heard: list[Heard] = []
        self.ended: list[Step] = []
        self.next_step(Expect.REJECTED, 300.0, None)
        if accepted:
            self.the_door_answers(Verdict(Answer.ACCEPTED, "said"), 0.0, State.ACTIVE)

    @precondition(lambda self: self.step.state in THROUGH)
    @rule(
        expect=st.sampled_from([Expect.REJECTED, Expect.REJECTED, Expect.ACCEPTED, None]),
        retry_for_s=st.sampled_from([None, 1.0, 300.0]),
        hold_for_s=st.sampled_from([None, None, 3.0]),
    )
    def next_step(self, expect, retry_for_s, hold_for_s):
        number = len(self.ended)
        what = (Verb.VERIFY, Subject.EXPOSED, Lane.CONTAIN)
        options = {"expect": expect, "retry_for_s": retry_for_s, "hold_for_s": hold_for_s}
        self.step = Step(f"s{number}", "b", number, "name", "", *what, **options)

    def move(self, move: Move) -> None:
        """Apply it, which refuses what the state machine does not have."""
        before, self.step = self.step, apply(self.step, move, self.now)
        assert self.step.attempts == before.attempts + (move.state is StepState.RUNNING)
        assert set(before.facts) <= set(self.step.facts)
        if move.state in THROUGH:
            self.ended.append(self.step)

    def taken(self) -> bool:
        """Take it as a worker does; False while it is held."""
        if self.step.state in {StepState.HELD, StepState.UNCERTAIN}:
            self.move(Move(StepState.PENDING, due_at=self.now))
        self.move(hold_before(self.step, self.now) or Move(StepState.RUNNING))
        return self.step.state is StepState.RUNNING

    def answered(self, answer: Answer | State, move: Move) -> None:
        self.heard.append(Heard(self.now, answer))
        if move.state is StepState.PENDING:
            assert move.due_at is not None
            assert move.due_at >= self.now
        self.move(move)
        if self.step.state is StepState.DONE and self.step.expect is Expect.REJECTED:
            assert answer in AGAINST
            assert self.proof.evidence is not Evidence.NONE

    @precondition(lambda self: self.step.state not in {*THROUGH, StepState.FAILED})
    @rule(verdict=VERDICTS, seconds=st.sampled_from([0.0, SETTLE_S / 2, SETTLE_S]), issuer=st.sampled_from(State))
    def the_door_answers(self, verdict, seconds, issuer):
        """Where it refuses what it never took, the issuer is asked as well."""
        self.now += seconds
        verdict = replace(verdict, names_id=self.names_id)
        if not self.taken():
            return
        refused = verdict.answer is Answer.REJECTED and self.step.expect is Expect.REJECTED
        unpaired = refused and not self.proof.shuts(verdict)
        self.proof = knocked(self.proof, verdict, SETTLE_S, self.now)
        if unpaired:
            self.proof = shut(self.proof, issuer, SETTLE_S, self.now)
            self.heard.append(Heard(self.now, issuer))
        self.answered(verdict.answer, after_knock_exposed(self.step, verdict, self.proof, SETTLE_S, self.now))

    @precondition(lambda self: self.step.state not in {*THROUGH, StepState.FAILED})
    @rule(state=st.sampled_from(State))
    def the_issuer_says(self, state):
        if self.taken():
            self.proof = stated(self.proof, state, SETTLE_S, self.now)
            self.answered(state, after_statement(self.step, self.proof, state, SETTLE_S, self.now))

    @precondition(lambda self: self.step.state not in {*THROUGH, StepState.FAILED})
    @rule(error=ERRORS)
    def nobody_answers(self, error):
        before = self.proof
        if self.taken():
            self.move(after_error(self.step, error, self.now))
            assert self.proof == before
            assert self.step.state is not StepState.DONE or self.step.expect is None

    @rule()
    def time_passes(self):
        self.now += 300.0

    @rule()
    def somebody_resumes_it(self):
        self.proof = revived(self.proof)
        self.heard.append(Heard(self.now, State.ACTIVE))

    @precondition(lambda self: self.step.state in {StepState.FAILED, StepState.HELD})
    @rule(skip=st.booleans())
    def a_person_decides(self, skip):
        self.move(Move(StepState.SKIPPED if skip else StepState.PENDING, reason="ann: seen"))

    @invariant()
    def what_is_through_stays_through(self):
        assert all(each.state in THROUGH for each in self.ended)
        assert not self.ended or self.step == self.ended[-1] or self.step.position == len(self.ended)

    @invariant()
    def a_death_is_an_unbroken_series_that_has_settled(self):
        dead_at = self.proof.dead_at
        assert (dead_at is None) == (self.proof.evidence is Evidence.NONE)
        if dead_at is None:
            return
        # Several things may be heard in one moment: what follows the last sign of life counts.
        alive = [place for place, each in enumerate(self.heard) if each.answer in ALIVE]
        since = self.heard[alive[-1] + 1 :] if alive else self.heard
        against = [each.at for each in since if each.answer in AGAINST]
        assert dead_at in against, "dead without a refusal"
        assert max(against) >= dead_at + SETTLE_S, "dead before it has settled"

    @invariant()
    def proven_is_paired_with_an_acceptance_and_nothing_unclear_came_between(self):
        if self.proof.evidence is not Evidence.PROVEN:
            return
        dead_at = self.proof.dead_at
        assert any(each.answer is Answer.ACCEPTED and each.at <= dead_at for each in self.heard)
        settled = [each.at for each in self.heard if each.answer is Answer.REJECTED and each.at >= dead_at + SETTLE_S]
        assert not any(each.answer is Answer.INCONCLUSIVE and dead_at < each.at < settled[0] for each in self.heard)


TestKnocks = Knocks.TestCase
TestKnocks.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)


def test_a_sign_of_life_ends_a_series_of_refusals():
    proof = seen(Proof(), State.ACTIVE, 1000.0)
    proof = knocked(proof, Verdict(Answer.REJECTED, "said", names_id=True), SETTLE_S, 1000.0)
    unpaired = Verdict(Answer.REJECTED, "said")
    proof = shut(knocked(proof, unpaired, SETTLE_S, 1001.0), State.ACTIVE, SETTLE_S, 1001.0)
    proof = knocked(proof, Verdict(Answer.REJECTED, "said", names_id=True), SETTLE_S, 1005.0)
    assert proof.evidence is Evidence.NONE

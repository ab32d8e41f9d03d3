"""Claims on a real ledger under any interleaving of dispatcher and workers: one writes at a time, nothing is lost."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from rotator.claims import Draft, LostClaim
from rotator.flow.playbook_words import Strategy
from rotator.flow.run import BranchState, StepState, Work
from rotator.flow.step import Move, apply
from rotator.ledger.due import RESEND_S, Claimed
from rotator.ledger.working import WorkingLedger
from tests.fakes.company import founded
from tests.fakes.deployment import SEAL, broken_chains, emptied

KEY = "aws_iam_access_key"
STOLEN = 3


class Claims(RuleBasedStateMachine):
    """A dispatcher, some workers, and messages that come twice, late or never."""

    def __init__(self, database: Any, folder: Any) -> None:
        super().__init__()
        self._database, self._folder = database, folder

    @initialize()
    def begin(self):
        company, self.deployment = founded(self._folder, database=emptied(self._database))
        stolen = [company.stolen(KEY, owner=f"owner-{number}")[0] for number in range(STOLEN)]
        self.deployment.start(stolen, wanted=Strategy.REVOKE_ONLY)
        self.ledger = WorkingLedger(self._database, SEAL, company.world.now)
        self.world, self.due = company.world, self.deployment.due
        self.messages: list[str] = []
        self.held: dict[str, Work] = {}
        self.late: list[Work] = []
        """Claims that were lost or given back, as their workers still remember them."""
        self.seen: list[Claimed] = []
        self.fences: dict[str, int] = {}
        self.intents: dict[str, int] = {}

    def a_draft(self, work: Work) -> Draft:
        """Move the first step on: an intent, or that its outcome is unknown, or that it was looked at."""
        step = work.next_step
        to = {
            StepState.PENDING: StepState.RUNNING,
            StepState.RUNNING: StepState.UNCERTAIN,
            StepState.UNCERTAIN: StepState.PENDING,
        }[step.state]
        moved = apply(step, Move(to, reason="said"), self.world.now())
        return Draft(steps={moved.id: moved}, records=[{"step": moved.name, "state": to.value}])

    def moved(self, work: Work, draft: Draft) -> Work:
        """Return the work as the engine hands it over with the draft."""
        steps = tuple(draft.steps.get(each.id, each) for each in work.steps)
        running = sum(step.state is StepState.RUNNING for step in draft.steps.values())
        self.intents[work.branch.id] = self.intents.get(work.branch.id, 0) + running
        return replace(work, steps=steps)

    @rule(taken=st.booleans())
    def send(self, taken):
        sent = [branch for branch, _lane in self.due.take_due(10)]
        assert not set(sent) & set(self.held), "what is claimed was sent"
        if taken:
            assert all(self.take(branch) for branch in sent)
        self.messages += sent

    @rule()
    def time_passes(self):
        self.world.wait_until(self.world.now() + RESEND_S + 1)

    @precondition(lambda self: self.messages)
    @rule(data=st.data(), lost=st.booleans(), twice=st.booleans())
    def a_message_comes(self, data, lost, twice):
        branch = data.draw(st.sampled_from(self.messages))
        if not twice:
            self.messages.remove(branch)
        if not lost:
            self.take(branch)

    def take(self, branch: str) -> Work | None:
        work = self.ledger.claim(branch, "worker")
        if work is not None:
            assert branch not in self.held, "two live claims"
            assert work.branch.fence > self.fences.get(branch, 0)
            self.fences[branch] = work.branch.fence
            self.held[branch] = work
        return work

    @precondition(lambda self: self.held)
    @rule(data=st.data())
    def a_holder_commits(self, data):
        branch = data.draw(st.sampled_from(sorted(self.held)))
        work = self.held[branch]
        draft = self.a_draft(work)
        self.held[branch] = self.ledger.commit(self.moved(work, draft), draft)
        with pytest.raises(LostClaim):
            self.ledger.commit(work, draft)  # as it was before that commit
        self.late.append(work)

    @precondition(lambda self: self.held)
    @rule(data=st.data(), wait_s=st.sampled_from([0.0, 100.0]))
    def a_holder_gives_way(self, data, wait_s):
        branch = data.draw(st.sampled_from(sorted(self.held)))
        work = self.held.pop(branch)
        draft = self.a_draft(work)
        self.ledger.release(self.moved(work, draft), draft, BranchState.OPEN, self.world.now() + wait_s, "later")
        self.late.append(work)

    @precondition(lambda self: self.held)
    @rule(data=st.data())
    def the_dispatcher_looks_and_frees(self, data):
        """Free what is seen now, its worker taken for dead, or what was seen at any time before."""
        self.seen += self.due.claims()
        claim = data.draw(st.sampled_from(self.seen[::-1]))
        still = claim in self.due.claims()
        assert self.due.free(claim) == still
        if still:
            self.late.append(self.held.pop(claim.branch))

    @precondition(lambda self: self.late)
    @rule(data=st.data(), ends=st.booleans())
    def a_late_writer_comes(self, data, ends):
        late = data.draw(st.sampled_from(self.late[::-1]))
        draft = self.a_draft(late)
        with pytest.raises(LostClaim):
            _ = (
                self.ledger.release(late, draft, BranchState.DONE, None, None)
                if ends
                else self.ledger.commit(late, draft)
            )

    @invariant()
    def the_ledger_knows_who_holds_what(self):
        assert {claim.branch: claim.fence for claim in self.due.claims()} == {
            branch: work.branch.fence for branch, work in self.held.items()
        }

    @invariant()
    def only_holders_have_written(self):
        assert broken_chains(self.deployment) == []
        attempts: dict[str, int] = {}
        for row in self.deployment.rows("step"):
            attempts[row["branch"]] = attempts.get(row["branch"], 0) + row["attempts"]
        assert {branch: count for branch, count in attempts.items() if count} == {
            branch: count for branch, count in self.intents.items() if count
        }

    def teardown(self):
        """Whatever happened, all of it is sent again and can be taken, once its holders are found dead."""
        if not hasattr(self, "due"):
            return
        for claim in self.due.claims():
            assert self.due.free(claim)
        self.world.wait_until(self.world.now() + 100.0 + RESEND_S)
        self.held.clear()
        sent = [branch for branch, _lane in self.due.take_due(100)]
        assert len(sent) == len(set(sent)) == STOLEN
        assert all(self.take(branch) for branch in sent)


def test_any_interleaving_of_claims(database, tmp_path):
    examples = 50 if database.sqlite else 15  # each begins with an empty ledger, which takes PostgreSQL longer
    limits = settings(
        max_examples=examples,
        stateful_step_count=40,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow],
    )
    run_state_machine_as_test(lambda: Claims(database, tmp_path), settings=limits)

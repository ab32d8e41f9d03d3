"""What a lost claim had minted is settled by a comparison at once, and the run then rests as it did before."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import insert, update

from rotator.claims import Draft
from rotator.errors import Rejected, Unavailable
from rotator.flow.playbook_words import Strategy
from rotator.flow.run import BranchState, StepState
from rotator.ledger import tables
from rotator.ledger.working import WorkingLedger
from tests.fakes.company import founded
from tests.fakes.deployment import SEAL, broken_chains

KEY = "aws_iam_access_key"
FIRST = "inc-1.r1.0.0"
SOON = 3600.0


@pytest.fixture
def house(database, tmp_path):
    """Give a company whose owners may have many keys."""
    return founded(tmp_path, database=database, quota=None)


@pytest.fixture
def resting(house):
    """Replace one key until only its destruction is ahead, in a week."""
    company, deployment = house
    stolen, _ = company.stolen(KEY)
    deployment.start([stolen], wanted=Strategy.CONTAIN_FIRST)
    deployment.rest(patience_s=SOON)
    return company, deployment, stolen.ref


def minted_late(company, deployment, ref):
    """Mint as a worker does that froze before its call and has lost its claim, and note it."""
    late = company.outside.provider(ref).issue(ref, marker="of nobody's", preserved={}).ref
    with deployment.database.write() as connection:
        connection.execute(insert(tables.late).values(run="inc-1.r1", credential=late.id, at=company.world.now()))
    return late


def answering(company, what, error):
    """Let every call of that name be answered so."""

    def meet(phase, this, _changes):
        if (phase, this) == ("before", what):
            raise error

    company.world.meet = meet


def appearing(company, deployment, ref, number):
    """Let a run come to its comparison, with so many credentials there of which nobody has noted anything."""
    made = []

    def meet(phase, this, _changes):
        while (phase, this) == ("before", "consumer.reload") and len(made) < number:
            made.append(company.outside.provider(ref).issue(ref, marker="", preserved={}).ref)

    company.world.meet = meet
    deployment.rest(patience_s=SOON)
    return made


def first_branch(deployment):
    [row] = [row for row in deployment.rows("branch") if row["id"] == FIRST]
    return row


def replacement(deployment):
    return deployment.record().runs[0].run.replacement


def test_a_late_mint_is_revoked_before_the_destruction_that_waits_and_its_wait_is_the_same(resting):
    company, deployment, ref = resting
    before, steps = first_branch(deployment), deployment.steps()
    assert steps["destroy"] == "held"
    late = minted_late(company, deployment, ref)
    assert deployment.due.compare_late() == 1
    assert deployment.due.compare_late() == 0  # once is enough
    deployment.rest(patience_s=SOON)
    assert company.living(ref) == {replacement(deployment)}
    assert deployment.rows("late") == []
    assert first_branch(deployment) == before
    assert deployment.steps() == {**steps, "compare_late": "done"}
    [compared] = [step for step in deployment.record().runs[0].steps if step.name == "compare_late"]
    assert late.id in compared.reason
    deployment.rest()
    assert set(deployment.steps().values()) == {"done"}
    assert broken_chains(deployment) == []


def test_a_run_that_is_done_is_compared_again_as_often_as_it_takes(resting):
    company, deployment, ref = resting
    deployment.rest()
    before = first_branch(deployment)
    for _ in range(2):
        minted_late(company, deployment, ref)
        assert deployment.due.compare_late() == 1
        deployment.rest()
        assert first_branch(deployment) == before
    assert company.living(ref) == {replacement(deployment)}
    assert {"compare_late", "compare_late_2"} < set(deployment.steps())
    assert broken_chains(deployment) == []


def test_a_claim_lost_between_two_places_leaves_a_note_of_its_mint_and_writes_to_no_other(house):
    company, deployment = house
    stolen, _ = company.stolen(KEY, places=("kv", "kv-2"))
    deployment.start([stolen], wanted=Strategy.CONTAIN_FIRST)
    staged, noted = [], []

    def lose(phase, what, _changes):
        if (phase, what) == ("after", "store.stage") and not staged:
            staged.append(company.world.about)
            [claim] = deployment.due.claims()
            deployment.due.free(claim)
        elif (phase, what) == ("after", "ledger.note_late"):
            noted.extend(row["credential"] for row in deployment.rows("late"))
            staged[:] = company.world.done("store.stage")
            company.world.meet = lambda *_: None

    company.world.meet = lose
    deployment.rest(patience_s=SOON)
    assert noted == [replacement(deployment)]
    assert [each.partition(":")[0] for each in staged] == ["kv"]
    deployment.rest()
    assert set(deployment.steps().values()) == {"done"}
    assert company.living(stolen.ref) == {replacement(deployment)}
    assert deployment.rows("late") == []


def test_a_comparison_that_read_the_run_a_moment_before_its_steps_writes_no_old_summary(house):
    """PostgreSQL lets the main branch commit in between."""
    company, deployment = house
    stolen, _ = company.stolen(KEY)
    deployment.start([stolen], wanted=Strategy.CONTAIN_FIRST)
    before = deployment.record().runs[0]
    deployment.rest(patience_s=SOON)
    minted_late(company, deployment, stolen.ref)
    assert deployment.due.compare_late() == 1
    [(branch, _)] = deployment.due.take_due(10)
    ledger = WorkingLedger(deployment.database, SEAL, company.world.now)
    work = replace(ledger.claim(branch, "ann"), run=before.run, proofs={each.target: each for each in before.proofs})
    [row] = deployment.rows("run")
    assert row["evidence"] == "proven"
    work = ledger.commit(work, Draft(steps={work.next_step.id: replace(work.next_step, state=StepState.RUNNING)}))
    done = replace(work.next_step, state=StepState.DONE, settled_at=company.world.now())
    ledger.release(work, Draft(steps={done.id: done}), BranchState.DONE, None, None)
    assert deployment.steps()["compare_late"] == "done"
    assert deployment.rows("run") == [row]


def test_a_run_whose_comparison_comes_anyway_gets_no_other(house):
    company, deployment = house
    stolen, _ = company.stolen(KEY)
    deployment.start([stolen], wanted=Strategy.CONTAIN_FIRST)
    minted_late(company, deployment, stolen.ref)
    assert deployment.due.compare_late() == 0


@pytest.mark.parametrize(
    ("what", "failed", "lives"),
    [("issuer.issue", "issue", 0), ("store.promote", "deliver", 1), ("consumer.reload", "reload", 1)],
)
def test_a_run_that_failed_is_settled_by_itself_and_stays_failed(house, what, failed, lives):
    company, deployment = house
    stolen, _ = company.stolen(KEY)
    answering(company, what, Rejected("denied"))
    deployment.start([stolen], wanted=Strategy.CONTAIN_FIRST)
    deployment.rest(patience_s=SOON)
    before = first_branch(deployment)
    assert deployment.steps()[failed] == "failed"
    company.world.meet = lambda *_: None
    minted_late(company, deployment, stolen.ref)
    assert deployment.due.compare_late() == 1
    deployment.rest(patience_s=SOON)
    assert company.living(stolen.ref) == ({replacement(deployment)} if lives else set())
    assert deployment.rows("late") == []
    assert first_branch(deployment) == before
    assert deployment.steps()[failed] == "failed"
    deployment.hands.decide("inc-1.r1", failed, skip=False, by="ann", reason="it is mended")
    deployment.rest()
    assert set(deployment.steps().values()) == {"done"}
    assert company.living(stolen.ref) == {replacement(deployment)}
    assert broken_chains(deployment) == []


@pytest.mark.parametrize(
    ("state", "reason"),
    [
        ("failed", "denied"),
        ("held", "possible_persistence: KEY1 appeared"),
        ("held", "gate: no_legal_hold"),
        ("held", "scheduled"),
        ("uncertain", "lost"),
    ],
)
def test_however_the_run_rests_it_is_compared_and_rests_on(resting, state, reason):
    company, deployment, ref = resting
    with deployment.database.write() as connection:
        destroy = tables.step.c.name == "destroy"
        connection.execute(update(tables.step).where(destroy).values(state=state, reason=reason))
    before = first_branch(deployment)
    minted_late(company, deployment, ref)
    assert deployment.due.compare_late() == 1
    deployment.rest(patience_s=SOON)
    assert company.living(ref) == {replacement(deployment)}
    assert first_branch(deployment) == before
    assert deployment.steps()["destroy"] == state


def test_a_comparison_that_asks_a_person_has_settled_what_was_noted(resting):
    company, deployment, ref = resting
    minted_late(company, deployment, ref)
    stranger = company.outside.provider(ref).issue(ref, marker="", preserved={}).ref
    assert deployment.due.compare_late() == 1
    deployment.rest(patience_s=SOON)
    assert deployment.steps()["compare_late"] == "held"
    assert company.living(ref) == {replacement(deployment), stranger.id}
    assert deployment.rows("late") == []


def test_a_comparison_that_asks_about_what_is_noted_only_later_looks_again_by_itself(house):
    company, deployment = house
    stolen, _ = company.stolen(KEY)
    deployment.start([stolen], wanted=Strategy.CONTAIN_FIRST)
    [late] = appearing(company, deployment, stolen.ref, 1)
    assert deployment.steps()["compare"] == "held"  # its worker lies frozen still: nobody knows whose it is
    assert deployment.due.compare_late() == 0
    with deployment.database.write() as connection:
        connection.execute(insert(tables.late).values(run="inc-1.r1", credential=late.id, at=company.world.now()))
    assert deployment.due.compare_late() == 1
    assert deployment.due.compare_late() == 0
    deployment.rest()
    assert set(deployment.steps().values()) == {"done"}
    assert company.living(stolen.ref) == {replacement(deployment)}
    assert deployment.rows("late") == []
    assert broken_chains(deployment) == []


def test_a_comparison_that_asks_about_a_stranger_too_stays_a_persons(house):
    company, deployment = house
    stolen, _ = company.stolen(KEY)
    deployment.start([stolen], wanted=Strategy.CONTAIN_FIRST)
    late, stranger = appearing(company, deployment, stolen.ref, 2)
    assert deployment.steps()["compare"] == "held"
    company.world.wait_until(company.world.now() + 1)
    with deployment.database.write() as connection:
        connection.execute(insert(tables.late).values(run="inc-1.r1", credential=late.id, at=company.world.now()))
    assert deployment.due.compare_late() == 1
    deployment.rest()
    assert deployment.steps()["compare"] == "held"
    assert company.living(stolen.ref) == {replacement(deployment), stranger.id}


def test_a_machine_never_accepts_what_a_person_was_asked_about(house):
    """The noted mint is the replacement, and another hand has deleted it: consumers hold what is dead."""
    company, deployment = house
    stolen, _ = company.stolen(KEY)
    deployment.start([stolen], wanted=Strategy.CONTAIN_FIRST)

    def delete(phase, this, _changes):
        if (phase, this) == ("after", "consumer.reload") and replacement(deployment) in company.living(stolen.ref):
            company.outside.provider(stolen.ref).revoke(stolen.ref.with_id(replacement(deployment)))

    company.world.meet = delete
    deployment.rest(patience_s=SOON)
    asked = deployment.record().runs[0].steps
    assert [step.reason.partition(":")[0] for step in asked if step.state.value == "held"] == ["replacement_gone"]
    noted = {"run": "inc-1.r1", "credential": replacement(deployment), "at": company.world.now()}
    with deployment.database.write() as connection:
        connection.execute(insert(tables.late).values(**noted))
    deployment.due.compare_late()
    deployment.rest(patience_s=SOON)
    assert deployment.steps()["compare"] == "held"


def test_comparisons_of_other_runs_of_the_owner_look_again_too(house):
    company, deployment = house
    mine, other = (company.stolen(KEY, places=(place,))[0] for place in ("kv", "kv-2"))
    deployment.start([mine], wanted=Strategy.CONTAIN_FIRST)
    deployment.rest(patience_s=SOON)
    deployment.start([other], wanted=Strategy.CONTAIN_FIRST, incident="inc-2")
    [late] = appearing(company, deployment, other.ref, 1)
    assert deployment.steps("inc-2.r1")["compare"] == "held"
    with deployment.database.write() as connection:
        connection.execute(insert(tables.late).values(run="inc-1.r1", credential=late.id, at=company.world.now()))
    assert deployment.due.compare_late() == 2
    deployment.rest(patience_s=SOON)
    assert deployment.steps("inc-2.r1")["compare"] == "done"
    assert late.id not in company.living(other.ref)


def test_one_that_failed_is_a_persons_until_something_else_is_noted(resting):
    company, deployment, ref = resting
    minted_late(company, deployment, ref)
    answering(company, "issuer.siblings", Unavailable("unreachable"))
    assert deployment.due.compare_late() == 1
    deployment.rest(patience_s=SOON)
    assert deployment.steps()["compare_late"] == "failed"
    assert deployment.due.compare_late() == 0
    company.world.meet = lambda *_: None
    company.world.wait_until(company.world.now() + 1)
    minted_late(company, deployment, ref)
    assert deployment.due.compare_late() == 1
    deployment.rest(patience_s=SOON)
    assert company.living(ref) == {replacement(deployment)}
    assert deployment.rows("late") == []


def test_nothing_late_costs_one_question(resting):
    assert resting[1].due.compare_late() == 0

"""What a lost claim had minted is settled by a comparison at once, and the run then rests as it did before."""

from __future__ import annotations

import pytest
from sqlalchemy import insert, update

from rotator.flow.playbook import Strategy
from rotator.ledger import tables
from tests.fakes.company import founded
from tests.fakes.deployment import broken_chains

KEY = "aws_iam_access_key"
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
        connection.execute(insert(tables.late).values(run="inc-1.r1", credential=late.id, at=0.0))
    return late


def branch(deployment):
    [row] = deployment.rows("branch")
    return {name: row[name] for name in ("state", "due_at", "reason", "lane", "calls", "holder")}


def replacement(deployment):
    return deployment.record().runs[0].run.replacement


def test_a_late_mint_is_revoked_before_the_destruction_that_waits_and_its_wait_is_the_same(resting):
    company, deployment, ref = resting
    before, steps = branch(deployment), deployment.steps()
    assert steps["destroy"] == "held"
    late = minted_late(company, deployment, ref)
    assert deployment.due.compare_late() == 1
    assert deployment.due.compare_late() == 0  # once is enough
    deployment.rest(patience_s=SOON)
    assert company.living(ref) == {replacement(deployment)}
    assert deployment.rows("late") == []
    assert branch(deployment) == before
    assert deployment.steps() == {**steps, "compare_late": "done"}
    [compared] = [step for step in deployment.record().runs[0].steps if step.name == "compare_late"]
    assert late.id in compared.reason
    deployment.rest()
    assert set(deployment.steps().values()) == {"done"}
    assert broken_chains(deployment) == []


def test_a_run_that_is_done_is_opened_for_it_and_closed_again_as_often_as_it_takes(resting):
    company, deployment, ref = resting
    deployment.rest()
    before = branch(deployment)
    for _ in range(2):
        minted_late(company, deployment, ref)
        assert deployment.due.compare_late() == 1
        deployment.rest()
        assert branch(deployment) == {**before, "lane": "replace", "calls": before["calls"]}
    assert company.living(ref) == {replacement(deployment)}
    assert {"compare_late", "compare_late_2"} < set(deployment.steps())


def test_a_run_whose_comparison_comes_anyway_gets_no_other(house):
    company, deployment = house
    stolen, _ = company.stolen(KEY)
    deployment.start([stolen], wanted=Strategy.CONTAIN_FIRST)
    minted_late(company, deployment, stolen.ref)
    assert deployment.due.compare_late() == 0


def test_a_branch_in_a_workers_hand_is_opened_when_it_is_free(resting):
    company, deployment, ref = resting
    minted_late(company, deployment, ref)
    with deployment.database.write() as connection:
        connection.execute(update(tables.branch).values(holder="worker"))
    assert deployment.due.compare_late() == 0
    assert "compare_late" not in deployment.steps()
    with deployment.database.write() as connection:
        connection.execute(update(tables.branch).values(holder=None))
    assert deployment.due.compare_late() == 1


@pytest.mark.parametrize(
    ("state", "reason", "opened"),
    [
        ("failed", "denied", 0),
        ("held", "possible_persistence: KEY1 appeared", 0),
        ("uncertain", "lost", 0),
        ("held", "gate: no_legal_hold", 1),
        ("held", "scheduled", 1),
    ],
)
def test_what_waits_for_a_person_is_not_taken_up_without_one(resting, state, reason, opened):
    company, deployment, ref = resting
    minted_late(company, deployment, ref)
    with deployment.database.write() as connection:
        destroy = tables.step.c.name == "destroy"
        connection.execute(update(tables.step).where(destroy).values(state=state, reason=reason))
    assert deployment.due.compare_late() == opened


def test_nothing_late_costs_one_question(resting):
    assert resting[1].due.compare_late() == 0

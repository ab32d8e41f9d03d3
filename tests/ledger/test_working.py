"""Claims, commits under a fence, joins, reservations: one worker at a time, and nothing of one that lost its claim."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Barrier

import pytest

from rotator.claims import Draft, LostClaim, Other
from rotator.flow.playbook_words import Strategy
from rotator.flow.proof import Evidence, Proof
from rotator.flow.run import BranchState, StepState, Work
from rotator.flow.step import Move, apply
from rotator.ledger.working import WorkingLedger
from tests.fakes.company import founded
from tests.fakes.deployment import SEAL, broken_chains

KEY = "aws_iam_access_key"
FIRST = "inc-1.r1.0.0"
MANY_DOORS = tuple(f"web-{number}" for number in range(8))


def at_once(doings):
    """Do all of it at the same moment, each in a thread of its own; return what came of each."""
    barrier = Barrier(len(doings))

    def one(doing):
        barrier.wait()
        try:
            return doing()
        except LostClaim as error:
            return error

    with ThreadPoolExecutor(len(doings)) as pool:
        return list(pool.map(one, doings))


@pytest.fixture
def ledger(house):
    _, deployment = house
    return WorkingLedger(deployment.database, SEAL, deployment.world.now)


@pytest.fixture
def sent(house):
    """Start a run, and send its first branch."""
    company, deployment = house
    stolen, secret = company.stolen(KEY)
    deployment.start([stolen], wanted=Strategy.REVOKE_ONLY)
    assert deployment.due.take_due(10) == [(FIRST, "contain")]
    return deployment, secret


def running(work: Work) -> Draft:
    step = apply(work.next_step, Move(StepState.RUNNING), 1.0)
    return Draft(steps={step.id: step}, records=[{"step": step.name, "state": "running"}])


def test_a_branch_that_was_not_sent_cannot_be_claimed(house, ledger):
    company, deployment = house
    stolen, _ = company.stolen(KEY)
    deployment.start([stolen])
    assert ledger.claim(FIRST, "ann") is None
    assert ledger.claim("nobody", "ann") is None


def test_of_many_workers_one_gets_the_claim(sent, ledger):
    deployment, _ = sent
    given = at_once([lambda name=f"worker-{n}": ledger.claim(FIRST, name) for n in range(8)])
    [work] = [each for each in given if each is not None]
    assert work.branch.fence == 1
    assert ledger.claim(FIRST, "late") is None
    assert len(deployment.due.claims()) == 1


def test_a_commit_is_all_or_nothing_of_what_was_drafted(sent, ledger):
    deployment, _ = sent
    work = ledger.claim(FIRST, "ann")
    after = ledger.commit(work, running(work))
    assert (after.branch.length, after.branch.head) != (work.branch.length, work.branch.head)
    assert deployment.steps()["keep"] == "running"
    assert broken_chains(deployment) == []
    with pytest.raises(LostClaim):
        ledger.commit(work, running(work))  # from before: another commit came between
    assert len(deployment.evidence(FIRST)) == 1


def test_a_worker_whose_claim_was_freed_writes_nothing(sent, ledger):
    deployment, _ = sent
    old = ledger.claim(FIRST, "frozen")
    [claim] = deployment.due.claims()
    assert deployment.due.free(claim)
    before = deployment.rows("branch"), deployment.rows("step")
    with pytest.raises(LostClaim):
        ledger.commit(old, running(old))
    with pytest.raises(LostClaim):
        ledger.release(old, running(old), BranchState.DONE, None, None)
    assert (deployment.rows("branch"), deployment.rows("step")) == before
    deployment.due.take_due(10)
    new = ledger.claim(FIRST, "ann")
    assert new.branch.fence > old.branch.fence
    with pytest.raises(LostClaim):
        ledger.commit(old, running(old))
    ledger.commit(new, running(new))
    assert broken_chains(deployment) == []


def test_of_many_writers_under_one_claim_one_writes(sent, ledger):
    deployment, _ = sent
    work = ledger.claim(FIRST, "ann")
    given = at_once([lambda: ledger.commit(work, running(work)) for _ in range(6)])
    assert sum(isinstance(each, Work) for each in given) == 1
    assert sum(isinstance(each, LostClaim) for each in given) == 5
    assert len(deployment.evidence(FIRST)) == 1
    assert broken_chains(deployment) == []


def test_a_released_branch_is_due_when_it_was_said_to_be(sent, ledger):
    deployment, _ = sent
    work = ledger.claim(FIRST, "ann")
    ledger.release(work, running(work), BranchState.OPEN, deployment.world.now() + 5, "later")
    assert deployment.due.take_due(10) == []
    assert ledger.claim(FIRST, "ann") is None
    deployment.world.wait_until(deployment.world.now() + 5)
    assert deployment.due.take_due(10) == [(FIRST, "contain")]


def several(house, database, tmp_path):
    """Start a run on many doors, its first segment done."""
    del house
    company, deployment = founded(tmp_path, database=database, doors=MANY_DOORS)
    stolen, _ = company.stolen("ssh_authorized_key")
    deployment.start([stolen], wanted=Strategy.CONTAIN_FIRST)
    [(first, _lane)] = deployment.due.take_due(10)
    deployment.engine().advance(first)
    sisters = deployment.due.take_due(100)
    assert len(sisters) == len(MANY_DOORS)
    return deployment, [branch for branch, _ in sisters]


@pytest.mark.parametrize("round_", range(3))
def test_the_last_sister_and_only_she_opens_the_next_segment(house, database, tmp_path, round_):  # noqa: ARG001
    deployment, sisters = several(house, database, tmp_path)
    ledger = WorkingLedger(database, SEAL, deployment.world.now)
    works = [ledger.claim(branch, "ann") for branch in sisters]
    at_once([lambda work=work: ledger.release(work, Draft(), BranchState.DONE, None, None) for work in works[1:]])
    states = {row["id"]: row["state"] for row in deployment.rows("branch") if row["segment"] == 2}
    assert set(states.values()) == {"waiting"}
    ledger.release(works[0], Draft(), BranchState.DONE, None, None)
    assert deployment.due.take_due(10) == [("inc-1.r1.2.0", "replace")]


@pytest.mark.parametrize("round_", range(5))
def test_sisters_that_finish_in_the_same_moment_open_the_next_segment(house, database, tmp_path, round_):  # noqa: ARG001
    deployment, sisters = several(house, database, tmp_path)
    ledger = WorkingLedger(database, SEAL, deployment.world.now)
    works = [ledger.claim(branch, "ann") for branch in sisters]
    dead = Proof(known_at=1.0, accepted_at=1.0, refused_since=2.0, contained_at=2.0, evidence=Evidence.PROVEN)

    def finish(number, work):
        door = work.branch.target
        draft = Draft(proofs={door: replace(dead, target=door, dead_at=2.0 + number)})
        ledger.release(work, draft, BranchState.DONE, None, None)

    at_once([lambda number=number, work=work: finish(number, work) for number, work in enumerate(works)])
    assert deployment.due.take_due(10) == [("inc-1.r1.2.0", "replace")]
    run = deployment.record().runs[0].run
    assert (run.evidence, run.dead_at) == (Evidence.PROVEN, 2.0 + len(works) - 1)


def test_one_door_that_is_not_closed_keeps_the_run_open(house, database, tmp_path):
    deployment, sisters = several(house, database, tmp_path)
    ledger = WorkingLedger(database, SEAL, deployment.world.now)
    works = [ledger.claim(branch, "ann") for branch in sisters]
    for work in works[1:]:
        ledger.release(work, Draft(), BranchState.DONE, None, None)
    ledger.release(works[0], Draft(), BranchState.FAILED, None, "access_denied")
    assert deployment.due.take_due(10) == []
    assert {row["state"] for row in deployment.rows("branch") if row["segment"] == 2} == {"waiting"}


def test_a_quorum_opens_the_next_segment_before_all_are_through(house, database, tmp_path):
    deployment, sisters = several(house, database, tmp_path)
    with database.write() as connection:
        connection.exec_driver_sql("UPDATE branch SET quorum = 50 WHERE segment = 1")
    ledger = WorkingLedger(database, SEAL, deployment.world.now)
    works = [ledger.claim(branch, "ann") for branch in sisters]
    half = len(works) // 2
    for work in works[: half - 1]:
        ledger.release(work, Draft(), BranchState.DONE, None, None)
    assert deployment.due.take_due(10) == []
    ledger.release(works[half], Draft(), BranchState.DONE, None, None)
    assert deployment.due.take_due(10) == [("inc-1.r1.2.0", "replace")]
    for work in works[half + 1 :]:
        ledger.release(work, Draft(), BranchState.DONE, None, None)
    assert deployment.due.take_due(10) == []  # opened once


@pytest.fixture
def claimed(house, ledger):
    """Claim the first branches of nine runs: eight of one owner, and one of another."""
    company, deployment = house
    owners = ["ci"] * 8 + ["web"]
    deployment.start([company.stolen(KEY, owner, ("kv",))[0] for owner in owners], wanted=Strategy.REVOKE_ONLY)
    works = [ledger.claim(branch, "ann") for branch, _ in deployment.due.take_due(20)]
    by_owner = sorted(works, key=lambda work: (work.run.ref.owner, work.run.id))
    return by_owner[:-1], by_owner[-1]


def test_one_mint_per_owner_at_a_time_until_a_draft_gives_it_back(claimed, ledger):
    (mine, another, *_), of_another_owner = claimed
    assert ledger.take_mint(mine) is None
    assert ledger.take_mint(mine) is None  # ours already
    assert ledger.take_mint(another) == Other(mine.run.id, None)
    assert ledger.take_mint(of_another_owner) is None
    ledger.commit(mine, Draft(gives_mint=True))
    assert ledger.take_mint(another) is None


def test_of_many_who_reserve_an_owner_at_once_one_gets_it(claimed, ledger):
    of_one_owner, _ = claimed
    given = at_once([lambda work=work: ledger.take_mint(work) for work in of_one_owner])
    assert given.count(None) == 1


def test_a_worker_that_lost_its_claim_gives_no_reservation_back_and_takes_none(claimed, house, ledger):
    (old, another, *_), of_another_owner = claimed
    assert ledger.take_mint(old) is None
    for claim in house[1].due.claims():
        if claim.branch in {old.branch.id, of_another_owner.branch.id}:
            house[1].due.free(claim)
    with pytest.raises(LostClaim):
        ledger.commit(old, Draft(gives_mint=True))
    assert ledger.take_mint(another) == Other(old.run.id, None)
    with pytest.raises(LostClaim):
        ledger.take_mint(of_another_owner)


def test_the_secret_is_kept_sealed_and_destroyed_with_the_commit_that_proves_its_death(sent, ledger):
    deployment, secret = sent
    [row] = deployment.rows("sealed")
    assert secret.reveal().encode() not in bytes(row["blob"])
    work = ledger.claim("inc-1.r1.0.0", "somebody")
    assert ledger.material(work) == secret
    assert secret.reveal() not in repr(work)
    deployment.due.free(deployment.due.claims()[0])
    deployment.rest()
    assert deployment.record().runs[0].run.evidence is Evidence.PROVEN
    assert deployment.rows("sealed") == []

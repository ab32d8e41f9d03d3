"""Who is taken along in a call for many, on both ledgers: only who may go there now, and nobody twice."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import update

from rotator.claims import GATHERS, Draft, Release
from rotator.flow.run import BranchState, StepState
from rotator.flow.step import Move
from rotator.holding import Holding
from rotator.ledger import tables
from rotator.ledger.working import WorkingLedger
from tests.fakes.batch_issuer import Mint
from tests.fakes.deployment import SEAL, broken_chains
from tests.fakes.world import World

MANY = 6


@pytest.fixture
def mint(database):
    """Bring some tokens to their revocation, and let them be due."""
    found = Mint(World(), database)
    found.deployment.start(found.stolen(MANY))
    found.deployment.rest()
    found.isolated()
    return found


@pytest.fixture
def ledger(mint):
    return WorkingLedger(mint.deployment.database, SEAL, mint.world.now)


def name(number):
    return f"inc-1.r{number}.0.0"


def change(mint, number, **values):
    branch = tables.branch
    with mint.deployment.database.write() as connection:
        connection.execute(update(branch).where(branch.c.id == name(number)).values(**values))


def led(mint, ledger, worker="one"):
    """Claim the first, as who will make the call."""
    mint.deployment.due.take_due(1)
    [first] = [row["id"] for row in mint.deployment.rows("branch") if row["sent_at"] is not None]
    work = ledger.claim(first, worker)
    return work, work.next_step


def alike(mint, ledger, most=100):
    work, step = led(mint, ledger)
    return [each.branch.id for each in ledger.claim_alike(work, step, "one", most)]


def row(mint, branch):
    return next(each for each in mint.deployment.rows("branch") if each["id"] == branch)


def test_all_that_are_due_there_go_along_each_under_its_own_claim(mint, ledger):
    work, step = led(mint, ledger)
    found = ledger.claim_alike(work, step, "one", 100)
    assert len(found) == MANY - 1
    assert work.branch.id not in {each.branch.id for each in found}
    for each in found:
        kept = row(mint, each.branch.id)
        assert (kept["holder"], kept["fence"], kept["sent_at"]) == ("one", each.branch.fence, None)
        assert each.next_step.name == "contain"
        assert ledger.material(each) is not None
        assert each.run.id == each.branch.run
    assert ledger.claim_alike(work, step, "one", 100) == []


def test_no_more_than_fit_and_the_most_urgent_first(mint, ledger):
    change(mint, 5, priority=2e9)
    change(mint, 2, priority=1e9)
    change(mint, 4, priority=5e8)
    assert alike(mint, ledger, most=2) == [name(2), name(4)]


@pytest.mark.parametrize(
    "values",
    [
        {"due_at": 4e9},
        {"state": BranchState.HELD.value, "due_at": None},
        {"state": BranchState.WAITING.value},
        {"holder": "another"},
        {"account": "github:2"},
        {"lane": "replace"},
    ],
    ids=str,
)
def test_who_is_not_due_there_stays(mint, ledger, values):
    change(mint, 1, priority=1e9)
    change(mint, 3, **values)
    assert name(3) not in alike(mint, ledger)


def test_who_gathers_goes_along_before_its_time(mint, ledger):
    change(mint, 1, priority=1e9)
    change(mint, 3, due_at=4e9, reason=GATHERS)
    assert name(3) in alike(mint, ledger)


def test_who_has_something_else_to_do_first_stays(mint, ledger):
    change(mint, 1, priority=1e9)
    step = tables.step
    with mint.deployment.database.write() as connection:
        earlier = update(step).where(step.c.branch == name(3), step.c.name == "paired")
        connection.execute(earlier.values(state=StepState.PENDING.value))
    assert name(3) not in alike(mint, ledger)


def test_who_is_stopped_stays(mint, ledger):
    work, step = led(mint, ledger)
    mint.deployment.stops.stop("inc-1", "ann", "wait", ())
    assert ledger.claim_alike(work, step, "one", 100) == []


def test_what_a_message_brought_is_given_back_and_what_none_brought_is_not(mint, ledger):
    change(mint, 1, priority=1e9)
    change(mint, 2, sent_at=mint.world.now(), granted=3)
    change(mint, 3, sent_at=None, granted=3)
    work, step = led_first(mint, ledger)
    granted = {each.branch.id: each.branch.granted for each in ledger.claim_alike(work, step, "one", 100)}
    assert (granted[name(2)], granted[name(3)]) == (3, None)


def led_first(mint, ledger):
    change(mint, 1, sent_at=mint.world.now())
    work = ledger.claim(name(1), "one")
    return work, work.next_step


def test_two_workers_share_nobody(mint, ledger):
    """Both lead a batch at the same moment."""
    sent = [branch for branch, _ in mint.deployment.due.take_due(2)]
    works = [ledger.claim(branch, f"worker-{branch}") for branch in sent]
    with ThreadPoolExecutor(2) as pool:
        taken = list(pool.map(lambda work: ledger.claim_alike(work, work.next_step, work.branch.id, 100), works))
    names = [each.branch.id for found in taken for each in found]
    assert len(names) == len(set(names))
    assert set(names) | set(sent) == {name(number) for number in range(1, MANY + 1)}


def test_a_claim_that_was_lost_writes_nothing_and_takes_nobody_along(mint, ledger):
    work, step = led(mint, ledger)
    found = ledger.claim_alike(work, step, "one", 100)
    holdings = [Holding(ledger, each, mint.world.now) for each in found]
    for each in holdings:
        each.record(each.work.next_step, Move(StepState.PENDING))
        each.record(each.work.next_step, Move(StepState.RUNNING))
    lost = next(each for each in mint.deployment.due.claims() if each.branch == found[2].branch.id)
    assert mint.deployment.due.free(lost)
    kept = ledger.commit_all([(each.work, each.draft) for each in holdings])
    assert [each is None for each in kept] == [False, False, True, False, False]
    states = {each["branch"]: each["state"] for each in mint.deployment.rows("step") if each["name"] == "contain"}
    assert [states[each.branch.id] for each in found] == ["running", "running", "held", "running", "running"]
    done = ledger.release_all([Release(each or found[2], Draft(), BranchState.OPEN, 0.0) for each in kept])
    assert done == [True, True, False, True, True]
    assert broken_chains(mint.deployment) == []
    assert [each.branch for each in mint.deployment.due.claims()] == [work.branch.id]


def test_a_whole_batch_dies_on_this_ledger(mint):
    mint.deployment.rest()
    assert mint.provider.sizes == [MANY]
    assert {each.run.evidence for each in mint.deployment.record().runs} == {"proven"}
    assert broken_chains(mint.deployment) == []

"""Many revocations in one call: each keeps its own outcome, and none is worse off than it would be alone."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import update

from rotator.errors import THROTTLED, Rejected, Unavailable, Uncertain
from rotator.flow.budget import Limit
from rotator.flow.proof import Evidence
from rotator.ledger import tables
from rotator.ledger.due import DueWork
from rotator.ledger.enrolment import Enrolment
from tests.fakes.batch_issuer import CALL, Mint, minted
from tests.fakes.deployment import SEAL, broken_chains, emptied, sqlite
from tests.fakes.world import World

A = "github:1"
THREADS = 8


class Died(BaseException):
    """The worker is gone, as by SIGKILL: nothing of it goes on."""


@pytest.fixture
def mint(tmp_path):
    found = minted(tmp_path)
    yield found
    found.deployment.database.close()


def ready(mint, many):
    """Steal tokens and bring each to its revocation, which is due when the gate opens."""
    stolen = mint.stolen(many)
    mint.deployment.start(stolen)
    mint.deployment.rest()
    assert {state for _, state, _ in mint.deployment.branches()} == {"held"}
    return stolen


def once(mint, phase, happens, what=CALL):
    """Let something happen the first time that the call is made."""
    left = [True]

    def meet(now, done, _changes):
        if (now, done) == (phase, what) and left:
            left.clear()
            happens()

    mint.world.meet = meet


def fails(error):
    def happens():
        raise error

    return happens


def outcomes(mint, incident="inc-1"):
    """Return what became of each token: its steps, and how sure its death is."""
    return {
        found.run.ref.id: (found.run.evidence.value, tuple((step.name, step.state.value) for step in found.steps))
        for found in mint.deployment.record(incident).runs
    }


def all_proven(mint):
    runs = mint.deployment.record().runs
    return {found.run.evidence for found in runs} == {Evidence.PROVEN} and broken_chains(mint.deployment) == []


def told(mint, run):
    """Return the evidence of a run's revocation."""
    return [each for each in mint.deployment.evidence(f"{run}.0.0") if each["step"] == "contain"]


def test_stolen_tokens_die_with_as_few_calls_as_their_issuer_allows(tmp_path):
    mint = minted(tmp_path, batch_size=10)
    stolen = ready(mint, 25)
    mint.isolated()
    mint.deployment.rest()
    assert mint.provider.sizes == [10, 10, 5]
    assert not any(mint.opens(each) for each in stolen)
    assert all_proven(mint)
    mint.deployment.database.close()


def test_each_keeps_intent_outcome_and_evidence_of_its_own(mint):
    ready(mint, 3)
    mint.isolated()
    mint.deployment.rest()
    for number in (1, 2, 3):
        records = told(mint, f"inc-1.r{number}")
        assert [each["state"] for each in records] == ["held", "pending", "running", "done"]
        assert records[-1]["facts"] == {"in_one_call": 3}


def test_one_that_is_refused_alone_fails_alone(mint):
    stolen = ready(mint, 4)
    mint.provider.refused = {stolen[2].ref.id}
    mint.isolated()
    mint.deployment.rest()
    found = outcomes(mint)
    assert mint.provider.sizes == [4]
    assert {name for name, (evidence, _) in found.items() if evidence == "none"} == mint.provider.refused
    assert ("contain", "failed") in found[stolen[2].ref.id][1]
    assert [mint.opens(each) for each in stolen] == [False, False, True, False]


def test_a_call_refused_as_a_whole_is_halved_until_one_stands_alone(mint):
    stolen = ready(mint, 64)
    mint.provider.poison = {stolen[37].ref.id}
    mint.isolated()
    mint.deployment.rest()
    assert [mint.opens(each) for each in stolen].count(True) == 1
    assert Counter(evidence for evidence, _ in outcomes(mint).values()) == {"proven": 63, "none": 1}
    assert mint.provider.sizes[0] == 64
    assert len(mint.provider.sizes) < 32, mint.provider.sizes


def test_a_call_refused_for_who_asks_is_refused_for_all_of_them_at_once(mint):
    stolen = ready(mint, 4)
    once(mint, "before", fails(Rejected("refused", "http_403")))
    mint.isolated()
    mint.deployment.rest()
    assert mint.provider.sizes == []
    assert all(mint.opens(each) for each in stolen)
    assert all(("contain", "failed") in steps for _, steps in outcomes(mint).values())


def test_a_lost_answer_makes_each_uncertain_and_all_are_asked_again(mint):
    stolen = ready(mint, 5)
    once(mint, "after", fails(Uncertain("answer_lost")))
    mint.isolated()
    mint.deployment.rest()
    for number in range(1, 6):
        states = [each["state"] for each in told(mint, f"inc-1.r{number}")]
        assert states.count("uncertain") == 1
        assert states[-1] == "done"
    assert mint.provider.sizes == [5, 5]
    assert not any(mint.opens(each) for each in stolen)
    assert all_proven(mint)


def test_a_throttled_call_puts_all_of_them_off(mint):
    ready(mint, 5)
    began = mint.world.now()
    once(mint, "before", fails(Unavailable(THROTTLED, retry_after=40.0)))
    mint.isolated()
    mint.deployment.rest()
    assert mint.provider.sizes == [5]
    assert all(found.run.dead_at >= began + 40 for found in mint.deployment.record().runs)


@pytest.mark.parametrize(
    ("error", "failures", "pauses"),
    [(Unavailable(THROTTLED, retry_after=40.0), 0, True), (Uncertain("timed_out"), 3, False)],
)
def test_what_is_answered_for_one_of_them_tells_of_their_account(tmp_path, error, failures, pauses):
    mint = minted(tmp_path)
    deployment = mint.deployment
    deployment.enrolment = Enrolment(deployment.database, SEAL, mint.world.now, account_of=lambda _: A)
    ready(mint, 3)
    with deployment.database.write() as connection:
        connection.execute(update(tables.account).values(failures=2))
    mint.provider.revoke_all = lambda exposed: [error, *([None] * (len(exposed) - 1))]
    mint.isolated()
    [(branch, _), *_] = deployment.due.take_due(1)
    deployment.engine().advance(branch)
    account = account_of(deployment)
    assert account["failures"] == failures
    assert (account["throttled"] > 0) == pauses


def test_a_secret_that_cannot_be_opened_is_the_trouble_of_its_own_run_alone(mint):
    stolen = ready(mint, 4)
    with mint.deployment.database.write() as connection:
        connection.execute(
            update(tables.sealed).where(tables.sealed.c.run == "inc-1.r2").values(blob=b"of another key")
        )
    mint.isolated()
    mint.deployment.rest()
    assert mint.provider.sizes == [3]
    assert sum(mint.opens(each) for each in stolen) == 1
    runs = {found.run.id: found for found in mint.deployment.record().runs}
    assert {name for name, found in runs.items() if found.run.evidence is Evidence.NONE} == {"inc-1.r2"}
    assert "cannot be opened" in str(next(s for s in runs["inc-1.r2"].steps if s.state.value == "failed").reason)


def test_a_gate_that_shuts_meanwhile_keeps_its_own_back_and_no_other(mint):
    first, second = mint.stolen(3), mint.stolen(2)
    mint.deployment.start(first)
    mint.deployment.start(second, incident="inc-2")
    mint.deployment.rest()
    mint.isolated("inc-2")
    mint.isolated("inc-2", is_open=False)
    mint.isolated()
    mint.deployment.rest()
    assert mint.provider.sizes == [3]
    assert [mint.opens(each) for each in (*first, *second)] == [False] * 3 + [True] * 2
    assert {reason for _, state, reason in mint.deployment.branches() if state == "held"} == {"gate: host_isolated"}
    mint.isolated("inc-2")
    mint.deployment.rest()
    assert mint.provider.sizes == [3, 2]


def test_what_is_stopped_rides_with_nobody(mint):
    first, second = mint.stolen(3), mint.stolen(2)
    mint.deployment.start(first)
    mint.deployment.start(second, incident="inc-2")
    mint.deployment.rest()
    mint.isolated()
    mint.isolated("inc-2")
    mint.deployment.stops.stop("inc-2", "ann", "wait", ())
    mint.deployment.rest()
    assert mint.provider.sizes == [3]
    mint.deployment.stops.lift("inc-2", "ann", "go on", ())
    mint.deployment.rest()
    assert mint.provider.sizes == [3, 2]


@pytest.mark.parametrize("incident", ["inc-1", "inc-2"])
def test_a_stop_that_comes_after_the_claim_takes_its_own_out_and_no_other(mint, incident):
    of = {"inc-1": mint.stolen(3), "inc-2": mint.stolen(2)}
    for name, stolen in of.items():
        mint.deployment.start(stolen, incident=name)
    mint.deployment.rest()
    for name in of:
        mint.isolated(name)
    once(mint, "after", lambda: mint.deployment.stops.stop(incident, "ann", "wait", ()), what="ledger.claim_alike")
    mint.deployment.rest()
    opened = {name: {mint.opens(each) for each in stolen} for name, stolen in of.items()}
    assert opened == {name: {name == incident} for name in of}
    mint.deployment.stops.lift(incident, "ann", "go on", ())
    mint.deployment.rest()
    assert not any(mint.opens(each) for stolen in of.values() for each in stolen)
    assert sum(mint.provider.sizes) == 5


@pytest.mark.parametrize("which", [0, 1])
def test_a_lost_claim_of_one_leaves_the_others_alone(mint, which):
    """The first is the leader's own."""
    stolen = ready(mint, 4)
    mint.isolated()

    def freed():
        claims = sorted(mint.deployment.due.claims(), key=lambda each: each.branch)
        assert mint.deployment.due.free(claims[which])

    once(mint, "before", freed, what="ledger.commit_all")
    mint.deployment.rest()
    assert mint.provider.sizes == [3, 1]
    assert not any(mint.opens(each) for each in stolen)
    assert all_proven(mint)
    assert mint.deployment.due.claims() == []


def test_a_claim_that_is_lost_during_the_call_is_looked_at_by_its_successor(mint):
    stolen = ready(mint, 3)
    mint.isolated()

    def freed():
        claims = sorted(mint.deployment.due.claims(), key=lambda each: each.branch)
        assert mint.deployment.due.free(claims[1])

    once(mint, "after", freed)
    mint.deployment.rest()
    assert mint.provider.sizes == [3, 1]
    assert not any(mint.opens(each) for each in stolen)
    assert all_proven(mint)


@pytest.mark.parametrize("phase", ["before", "after"])
@pytest.mark.parametrize("what", ["ledger.claim_alike", "ledger.commit_all", CALL, "ledger.release_all"])
def test_a_worker_that_dies_at_any_boundary_loses_and_doubles_nothing(mint, phase, what):
    stolen = ready(mint, 4)
    mint.isolated()
    once(mint, phase, fails(Died()), what=what)
    with pytest.raises(Died):
        mint.deployment.rest()
    mint.deployment.rest(mint.deployment.recover())
    assert not any(mint.opens(each) for each in stolen)
    assert all_proven(mint)
    assert mint.deployment.due.claims() == []
    for number in range(1, 5):
        assert [each["state"] for each in told(mint, f"inc-1.r{number}")].count("done") == 1


def account_of(deployment):
    [account] = deployment.rows("account")
    return account


def test_what_rides_along_costs_its_account_nothing(tmp_path):
    mint = minted(tmp_path)
    deployment = mint.deployment
    deployment.enrolment = Enrolment(deployment.database, SEAL, mint.world.now, account_of=lambda _: A)
    deployment.due = DueWork(deployment.database, mint.world.now, {A: Limit(1 / 60, 2)})
    stolen = ready(mint, 50)
    assert account_of(deployment)["tokens"] == 2.0  # the knocks before are free, and the call is not granted with them
    mint.isolated()
    began = mint.world.now()
    deployment.rest()
    assert mint.provider.sizes == [50]
    assert not any(mint.opens(each) for each in stolen)
    assert all(found.run.dead_at == began for found in deployment.record().runs)
    assert 1.0 <= account_of(deployment)["tokens"] <= 1.1
    deployment.database.close()


def test_those_that_come_one_after_the_other_gather(tmp_path):
    mint = minted(tmp_path, gather_s=5.0)
    stolen = mint.stolen(30)
    mint.deployment.start(stolen)
    mint.isolated()
    mint.deployment.rest()
    assert mint.provider.sizes == [30]
    assert not any(mint.opens(each) for each in stolen)
    mint.deployment.database.close()


def test_a_worker_that_finds_a_batch_under_way_gives_way(mint):
    stolen = ready(mint, 3)
    mint.isolated()
    worker = mint.deployment.engine()
    sent = [branch for branch, _ in mint.deployment.due.take_due(10)]

    def meanwhile():
        claimed = [each.branch for each in mint.deployment.due.claims()]
        assert claimed == [sent[0]]
        worker.advance(sent[1])

    once(mint, "before", meanwhile, what="ledger.claim_alike")
    worker.advance(sent[0])
    mint.deployment.rest(worker)
    assert mint.provider.sizes == [3]
    assert not any(mint.opens(each) for each in stolen)


def test_threads_that_come_at_once_make_few_calls_and_revoke_nothing_twice(tmp_path):
    mint = minted(tmp_path, batch_size=30)
    stolen = ready(mint, 90)
    mint.isolated()
    worker = mint.deployment.engine()
    mint.deployment.world.meet = lambda *_: None
    with ThreadPoolExecutor(THREADS) as pool:
        while sent := mint.deployment.due.take_due(64):
            list(pool.map(worker.advance, [branch for branch, _ in sent]))
    mint.deployment.rest(worker)
    assert sum(mint.provider.sizes) == 90
    assert len(mint.provider.sizes) <= 3 + THREADS
    assert not any(mint.opens(each) for each in stolen)
    assert all_proven(mint)
    mint.deployment.database.close()


def test_the_material_of_what_died_is_destroyed(mint):
    ready(mint, 3)
    mint.isolated()
    mint.deployment.rest()
    assert mint.deployment.rows("sealed") == []


FAULTS = {
    "lost": Uncertain("answer_lost"),
    "late": Unavailable(THROTTLED, retry_after=3.0),
    "down": Unavailable("unreachable"),
}


@pytest.fixture(scope="module")
def database(tmp_path_factory):
    found = sqlite(tmp_path_factory.mktemp("ledger") / "ledger.db")
    yield found
    found.close()


@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_a_batch_never_changes_what_becomes_of_one(database, data):
    """The same tokens, refusals and faults: in one call, in calls of several, and one at a time."""
    many = data.draw(st.integers(1, 5))
    refused = data.draw(st.sets(st.integers(0, many - 1), max_size=2))
    poison = data.draw(st.sets(st.integers(0, many - 1), max_size=2))
    faults = data.draw(
        st.lists(st.tuples(st.sampled_from(sorted(FAULTS)), st.sampled_from(["before", "after"])), max_size=3)
    )
    found = []
    for size in (1, data.draw(st.sampled_from([2, 3, 4, 1000]))):
        mint = Mint(World(), emptied(database), batch_size=size, settle_s=2.0)
        stolen = ready(mint, many)
        mint.provider.refused = {stolen[each].ref.id for each in refused}
        mint.provider.poison = {stolen[each].ref.id for each in poison}
        left = list(faults)

        def meet(phase, what, _changes, left=left):
            if what == CALL and left and left[0][1] == phase:
                fault, _ = left.pop(0)
                raise FAULTS[fault]

        mint.world.meet = meet
        mint.isolated()
        mint.deployment.rest()
        mint.world.meet = lambda *_: None
        found.append((outcomes(mint), [mint.opens(each) for each in stolen]))
        assert broken_chains(mint.deployment) == []
        assert max(mint.provider.sizes) <= size
    assert found[0] == found[1]

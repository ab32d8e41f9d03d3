"""One step after the other on a real ledger, between fakes: what every path ends in, and what stops it."""

from __future__ import annotations

import contextlib
from dataclasses import replace

import pytest

from rotator.credential import Leaked, Secret
from rotator.errors import Rejected, Unavailable, Uncertain
from rotator.flow.outcome import PATIENCE_S
from rotator.flow.playbook_words import Strategy
from rotator.flow.step import SEND_MARGIN_S
from rotator.ports.provider import State
from rotator.ports.store import Place
from tests.fakes.company import KINDS, PROPAGATION_S, SETTLE_S, founded
from tests.fakes.deployment import PLAYBOOKS, broken_chains
from tests.fakes.world import START

PATHS = [(kind, strategy) for kind in KINDS for strategy in PLAYBOOKS[kind].strategies]
KEY = "aws_iam_access_key"


@pytest.fixture
def house(tmp_path):
    company, deployment = founded(tmp_path)
    yield company, deployment
    deployment.database.close()


def at(what: str, phase: str, happens, times: int = 1):
    """Return a `meet` that lets something happen the first times that something is done."""
    left = [times]

    def meet(now: str, done: str, _changes: bool) -> None:
        if (now, done) == (phase, what) and left[0]:
            left[0] -= 1
            happens()

    return meet


def fails(error: Exception):
    def happens() -> None:
        raise error

    return happens


def reason(deployment, name: str, run: str = "inc-1.r1") -> str:
    record = deployment.record(run.rpartition(".")[0])
    return next(
        step.reason or "" for each in record.runs if each.run.id == run for step in each.steps if step.name == name
    )


@pytest.mark.parametrize(("kind", "strategy"), PATHS)
def test_each_path_ends_as_its_strategy_says(house, kind, strategy):
    company, deployment = house
    stolen, secret = company.stolen(kind)
    deployment.start([stolen], wanted=strategy)
    deployment.rest()
    assert set(deployment.steps().values()) == {"done"}
    assert broken_chains(deployment) == []
    run = deployment.record().runs[0].run
    assert company.sessions(stolen.ref) == 0
    replaces = strategy in {Strategy.CONTAIN_FIRST, Strategy.REPLACE_FIRST}
    if strategy is Strategy.CUT_ONLY:
        assert (run.evidence, company.opens(stolen.ref, secret)) == ("none", True)
    else:
        assert (run.evidence, company.opens(stolen.ref, secret)) == ("proven", False)
        assert deployment.rows("sealed") == []
    assert (run.replacement is not None) == replaces
    if replaces:
        ref, new = company.delivered(stolen.ref, stolen.custody.deliver[0])
        assert company.living(stolen.ref) == {run.replacement} == {ref.id} == set(company.holders().values())
        assert company.opens(ref, new)
        assert run.converged_at is not None


@pytest.mark.parametrize(("kind", "strategy"), PATHS)
def test_the_steps_are_done_in_the_playbooks_order_and_only_they(house, kind, strategy):
    company, deployment = house
    stolen, _ = company.stolen(kind)
    deployment.start([stolen], wanted=strategy)
    deployment.rest()
    done = [
        (record["at"], record["step"])
        for chain in {row["chain"] for row in deployment.rows("evidence")}
        for record in deployment.evidence(chain)
        if record.get("state") == "done"
    ]
    order = [line.id for line in PLAYBOOKS[kind].path(strategy)]
    settled = {step.name: step.settled_at for step in deployment.record().runs[0].steps}
    assert {name for _, name in done if not name.startswith("compare")} == set(order)
    assert [settled[name] for name in order] == sorted(settled[name] for name in order)


def test_death_counts_from_the_first_refusal_and_only_once_it_held(house):
    company, deployment = house
    stolen, _ = company.stolen(KEY)
    deployment.start([stolen], wanted=Strategy.REVOKE_ONLY)
    deployment.rest()
    run = deployment.record().runs[0].run
    refusals = [each for each in deployment.evidence("inc-1.r1.0.0") if each["facts"].get("answer") == "rejected"]
    assert run.dead_at == refusals[0]["at"] >= START + PROPAGATION_S
    proven_at = next(each["at"] for each in refusals if each["step"] == "refused" and each["state"] == "done")
    assert proven_at - run.dead_at >= SETTLE_S


class Died(BaseException):
    """The worker's process is gone."""


@pytest.mark.parametrize("lost", [Died(), Uncertain("read_timeout"), Unavailable("read_timeout")], ids=repr)
def test_no_death_is_dated_before_a_knock_whose_answer_nobody_heard(house, lost):
    """The door stood open for the second knock; who heard that died, or never did."""
    company, deployment = house
    stolen, _ = company.stolen(KEY)
    deployment.start([stolen], wanted=Strategy.REVOKE_ONLY)
    opened: list[float] = []

    def open_for_one_knock(phase: str, what: str, _changes: bool) -> None:
        refused = [each for each in deployment.evidence("inc-1.r1.0.0") if each["facts"].get("answer") == "rejected"]
        if what != "issuer.verify" or not refused or bool(opened) == (phase == "before"):
            return
        with company.world.open() as state:
            door = state["credentials"][stolen.ref.id]
            door["before"] = door["state"] = "active" if phase == "before" else "suspended"
        if phase == "before":
            opened.append(company.world.now())
        else:
            company.world.meet = lambda *_: None
            raise lost

    company.world.meet = open_for_one_knock
    with contextlib.suppress(Died):
        deployment.rest()
    deployment.rest(deployment.recover())
    run = deployment.record().runs[0].run
    assert (run.evidence, len(opened)) == ("proven", 1)
    assert run.dead_at >= opened[0]


def test_a_truncated_secret_stops_the_key_and_is_never_called_its_death(house):
    company, deployment = house
    stolen, secret = company.stolen(KEY)
    cut = replace(stolen, leaked=Leaked(id=stolen.ref.id, secret=Secret(secret.reveal()[:-3])))
    deployment.start([cut], wanted=Strategy.REVOKE_ONLY)
    deployment.rest()
    run = deployment.record().runs[0].run
    assert run.evidence == "none"
    assert run.contained_at is not None
    assert deployment.steps()["refused"] == "held"
    assert "mismatch" in reason(deployment, "refused")
    assert not company.opens(stolen.ref, secret)


def test_without_its_secret_a_death_is_stated_and_never_proven(house):
    company, deployment = house
    stolen, secret = company.stolen(KEY)
    deployment.start([replace(stolen, leaked=Leaked(id=stolen.ref.id))], wanted=Strategy.CONTAIN_FIRST)
    deployment.rest()
    run = deployment.record().runs[0].run
    assert (run.evidence, run.dead_at is not None) == ("stated", True)
    assert set(deployment.steps().values()) == {"done"}
    assert not company.opens(stolen.ref, secret)


def test_an_exposed_key_that_fills_the_quota_is_destroyed_to_make_room(house):
    company, deployment = house
    stolen, _ = company.stolen(KEY)
    other, other_secret = company.aws.plant(stolen.ref.owner)
    deployment.start([stolen], wanted=Strategy.CONTAIN_FIRST)
    deployment.rest()
    run = deployment.record().runs[0].run
    assert deployment.steps()["make_room"] == "done"
    assert set(deployment.steps().values()) == {"done"}
    assert company.living(stolen.ref) == {other.id, run.replacement}
    assert company.opens(other, other_secret)
    assert run.evidence == "proven"


def test_a_full_quota_under_replace_first_asks_a_person_and_harms_nothing(house):
    company, deployment = house
    stolen, secret = company.stolen(KEY)
    company.aws.plant(stolen.ref.owner)
    deployment.start([stolen], wanted=Strategy.REPLACE_FIRST)
    deployment.rest()
    assert deployment.steps()["issue"] == "held"
    assert reason(deployment, "issue").startswith("quota")
    assert company.opens(stolen.ref, secret)
    assert deployment.rows("mint") == []


def test_the_first_segment_of_a_run_is_never_started_without_approval(house):
    company, deployment = house
    stolen, secret = company.stolen(KEY)
    deployment.declare([stolen])
    deployment.rest()
    deployment.engine().advance("inc-1.r1.0.0")
    assert set(deployment.steps().values()) == {"pending"}
    assert company.opens(stolen.ref, secret)
    assert company.world.done("issuer.suspend") == []


def test_a_message_twice_late_or_for_nobody_does_nothing(house):
    company, deployment = house
    stolen, _ = company.stolen(KEY)
    deployment.start([stolen])
    worker = deployment.engine()
    worker.advance("inc-1.r1.0.0")  # not sent yet
    assert set(deployment.steps().values()) == {"pending"}
    ((branch, _lane),) = deployment.due.take_due(10)
    worker.advance(branch)
    log, chain = len(company.world.done("issuer.suspend")), len(deployment.evidence(branch))
    for name in (branch, branch, "inc-1.r1.9.9", "nobody", ""):
        worker.advance(name)
    assert (len(company.world.done("issuer.suspend")), len(deployment.evidence(branch))) == (log, chain)
    deployment.rest(worker)
    log, chain = company.world.done("issuer.issue"), len(deployment.evidence(branch))
    worker.advance(branch)
    assert (company.world.done("issuer.issue"), len(deployment.evidence(branch))) == (log, chain)


@pytest.mark.parametrize("frozen_at", ["issuer.preserve", "issuer.suspend", "issuer.end_sessions", "issuer.verify"])
def test_a_frozen_worker_whose_claim_was_taken_writes_nothing_more(house, frozen_at):
    company, deployment = house
    stolen, secret = company.stolen(KEY)
    deployment.start([stolen], wanted=Strategy.REVOKE_ONLY)
    after: list[object] = []

    def another_takes_over() -> None:
        company.world.meet = lambda *_: None
        deployment.rest(deployment.recover())
        after.append((deployment.rows("step"), deployment.rows("evidence"), deployment.rows("run")))

    company.world.meet = at(frozen_at, "after", another_takes_over)
    deployment.rest()
    assert len(after) == 1
    assert (deployment.rows("step"), deployment.rows("evidence"), deployment.rows("run")) == after[0]
    assert set(deployment.steps().values()) == {"done"}
    assert broken_chains(deployment) == []
    assert not company.opens(stolen.ref, secret)


def test_a_worker_that_froze_before_it_sent_sends_nothing(house, monkeypatch):
    company, deployment = house
    stolen, _ = company.stolen(KEY)
    deployment.start([stolen], wanted=Strategy.CONTAIN_FIRST)
    moved = [0.0]
    monkeypatch.setattr("rotator.holding.time.monotonic", lambda: moved[0])

    def freeze_before_the_mint() -> None:
        step = next(row for row in deployment.rows("step") if row["name"] == "issue")
        if step["state"] == "running" and not moved[0]:
            moved[0] = SEND_MARGIN_S + 1

    def meet(phase: str, what: str, _changes: bool) -> None:
        if (phase, what) == ("after", "ledger.commit"):
            freeze_before_the_mint()

    company.world.meet = meet
    deployment.rest()
    assert company.world.done("issuer.issue") == []
    company.world.meet = lambda *_: None
    deployment.rest(deployment.recover())
    assert company.world.done("issuer.issue") == [stolen.ref.owner]
    assert set(deployment.steps().values()) == {"done"}


def test_two_runs_of_one_owner_mint_one_after_the_other(house):
    """Otherwise each would take the other's new key for its own lost one."""
    company, deployment = house
    company.aws = replace(company.aws, quota=None)
    company.outside.providers[KEY, "aws"].at = company.aws
    first, _ = company.stolen(KEY, places=("kv",))
    second, _ = company.stolen(KEY, places=("kv-2",))
    deployment.start([first, second], wanted=Strategy.CONTAIN_FIRST)

    def lose() -> None:
        raise Uncertain("lost")

    company.world.meet = at("issuer.issue", "after", lose)
    deployment.rest()
    for run in ("inc-1.r1", "inc-1.r2"):
        assert set(deployment.steps(run).values()) == {"done"}
    replacements = {each.run.replacement for each in deployment.record().runs}
    assert len(replacements) == 2
    assert company.living(first.ref) == replacements
    assert deployment.rows("mint") == []


def test_a_strangers_key_that_appears_is_left_to_a_person(house):
    company, deployment = house
    stolen, secret = company.stolen(KEY)
    company.aws = replace(company.aws, quota=None)
    company.outside.providers[KEY, "aws"].at = company.aws
    deployment.start([stolen], wanted=Strategy.CONTAIN_FIRST)
    strangers: list[str] = []

    def a_thief_mints_and_the_answer_is_lost() -> None:
        with company.world.open() as state:
            ref, _ = company.aws.make(state, stolen.ref.owner, company.world.now())
            state["credentials"][ref.id]["last_used_at"] = "2026-01-01T00:00:00Z"
        strangers.append(ref.id)
        raise Uncertain("lost")

    company.world.meet = at("issuer.issue", "before", a_thief_mints_and_the_answer_is_lost)
    deployment.rest()
    assert deployment.steps()["issue"] == "held"
    assert strangers[0] in reason(deployment, "issue")
    assert company.credential(strangers[0])["state"] == State.ACTIVE.value
    assert deployment.record().runs[0].run.evidence == "proven"
    assert deployment.rows("mint") == []
    deployment.hands.decide("inc-1.r1", "issue", skip=False, by="ann", reason="it is the auditor's")
    deployment.rest()
    assert set(deployment.steps().values()) == {"done"}
    assert company.credential(strangers[0])["state"] == State.ACTIVE.value
    assert not company.opens(stolen.ref, secret)


def test_a_mint_that_is_always_lost_is_given_up_and_leaves_no_orphan(house):
    company, deployment = house
    stolen, _ = company.stolen("acme_api_token")
    deployment.start([stolen], wanted=Strategy.CONTAIN_FIRST)
    company.world.meet = at("issuer.issue", "after", fails(Uncertain("http_500")), times=10_000)
    deployment.rest()
    assert deployment.steps()["issue"] == "failed"
    assert "given up" in reason(deployment, "issue")
    assert company.world.now() < START + 4 * PATIENCE_S
    assert company.living(stolen.ref) == set()
    assert deployment.rows("mint") == []


def test_a_store_that_refuses_is_told_at_once_and_leaves_no_orphan(house):
    company, deployment = house
    stolen, _ = company.stolen(KEY)
    deployment.start([stolen], wanted=Strategy.CONTAIN_FIRST)
    company.world.meet = at("store.stage", "before", fails(Rejected("access_denied")), times=10_000)
    deployment.rest()
    assert deployment.steps()["issue"] == "failed"
    assert reason(deployment, "issue").startswith("store_failed: access_denied")
    assert company.world.done("issuer.issue") == [stolen.ref.owner]
    assert company.living(stolen.ref) == set()


def test_a_minted_key_that_can_neither_be_staged_nor_revoked_is_found_again(house):
    company, deployment = house
    stolen, _ = company.stolen(KEY)
    deployment.start([stolen], wanted=Strategy.CONTAIN_FIRST)
    broken = [True, True]

    def meet(phase: str, what: str, _changes: bool) -> None:
        for number, name in enumerate(("store.stage", "issuer.revoke")):
            if (phase, what) == ("before", name) and broken[number]:
                broken[number] = False
                raise Unavailable("down")

    company.world.meet = meet
    deployment.rest()
    assert broken == [False, False]
    assert set(deployment.steps().values()) == {"done"}
    assert company.living(stolen.ref) == {deployment.record().runs[0].run.replacement}


@pytest.mark.parametrize("what", ["issuer.preserve", "issuer.inspect"])
def test_what_cannot_be_looked_at_is_stopped_all_the_same(house, what):
    company, deployment = house
    stolen, secret = company.stolen(KEY)
    deployment.start([stolen], wanted=Strategy.REVOKE_ONLY)
    company.world.meet = at(what, "before", fails(Rejected("access_denied")))
    deployment.rest()
    assert deployment.steps()["keep"] == "done"
    assert not company.opens(stolen.ref, secret)
    assert deployment.record().runs[0].run.evidence == "proven"


@pytest.mark.parametrize("what", ["issuer.siblings", "issuer.marked", "issuer.issue", "store.stage", "issuer.suspend"])
def test_a_defect_of_ours_is_a_visible_reason_and_tells_no_material(house, what):
    company, deployment = house
    stolen, secret = company.stolen("acme_api_token")
    deployment.start([stolen], wanted=Strategy.CONTAIN_FIRST)
    spoiled = at(what, "before", fails(KeyError(secret.reveal())), times=3)
    lost = at("issuer.issue", "after", fails(Uncertain("lost")))

    def meet(phase: str, done: str, changes: bool) -> None:
        spoiled(phase, done, changes)
        lost(phase, done, changes)

    company.world.meet = meet
    deployment.rest()
    assert set(deployment.steps().values()) == {"done"}
    told = [row["body"] for row in deployment.rows("evidence")]
    assert any("internal_error" in body for body in told)
    assert not any(secret.reveal() in body for body in told)
    assert company.living(stolen.ref) == {deployment.record().runs[0].run.replacement}


def test_no_material_is_in_any_table_but_sealed(house):
    company, deployment = house
    secrets = []
    stolen = []
    for kind in KINDS:
        each, secret = company.stolen(kind, owner=f"of-{kind}")
        stolen.append(each)
        secrets.append(secret.reveal())
    deployment.start(stolen)
    deployment.rest()
    for each in stolen:
        secrets += [company.delivered(each.ref, place)[1].reveal() for place in each.custody.deliver]
    assert len(secrets) == 2 * len(KINDS)
    kept = [
        repr(row)
        for table in ("incident", "run", "branch", "step", "proof", "evidence", "exposure", "sealed")
        for row in deployment.rows(table)
    ]
    assert not [secret for secret in secrets for row in kept if secret in row]


def test_a_failed_step_that_a_person_retries_goes_on_from_there(house):
    company, deployment = house
    stolen, secret = company.stolen(KEY)
    deployment.start([stolen], wanted=Strategy.CONTAIN_FIRST)
    company.world.meet = at("issuer.suspend", "before", fails(Rejected("access_denied")))
    deployment.rest()
    assert deployment.steps()["contain"] == "failed"
    assert company.opens(stolen.ref, secret)
    deployment.hands.decide("inc-1.r1", "contain", skip=False, by="ann", reason="the policy is mended")
    deployment.rest()
    assert set(deployment.steps().values()) == {"done"}
    assert not company.opens(stolen.ref, secret)


def test_another_hand_at_the_store_is_not_overwritten(house):
    company, deployment = house
    stolen, _ = company.stolen(KEY)
    place: Place = stolen.custody.deliver[0]
    deployment.start([stolen], wanted=Strategy.CONTAIN_FIRST)
    company.world.meet = at("store.promote", "before", lambda: company.store.put(place.name, '{"id": "theirs"}'))
    deployment.rest()
    assert deployment.steps()["deliver"] == "failed"
    assert reason(deployment, "deliver").startswith("store_changed")
    assert company.store.consumed(place.name) == '{"id": "theirs"}'


def test_a_secret_that_was_never_the_ids_is_contained_by_the_issuers_word_and_keeps_nobody_waiting(house):
    company, deployment = house
    stolen, secret = company.stolen("acme_api_token")
    cut = replace(stolen, leaked=Leaked(id=stolen.ref.id, secret=Secret(secret.reveal()[:-3])))
    deployment.start([cut], wanted=Strategy.REVOKE_ONLY)
    deployment.rest()
    run = deployment.record().runs[0].run
    assert (run.evidence, run.dead_at) == ("none", None)
    assert run.contained_at is not None
    assert deployment.steps()["refused"] == "held"


def test_a_door_that_does_not_answer_the_pairing_knock_is_knocked_at_again(house):
    company, deployment = house
    stolen, _ = company.stolen("acme_api_token")
    deployment.start([stolen], wanted=Strategy.CONTAIN_FIRST)
    company.world.meet = at("issuer.verify", "before", fails(Unavailable("http_503")))
    deployment.rest()
    assert deployment.record().runs[0].run.evidence == "proven"


def test_a_death_that_nobody_could_pair_is_the_issuers_word_and_goes_on(tmp_path):
    company, deployment = founded(tmp_path, propagation_s=0.0)
    stolen, secret = company.stolen("acme_api_token")
    deployment.start([stolen], wanted=Strategy.CONTAIN_FIRST)

    def until_it_is_contained() -> None:
        if not company.world.done("issuer.suspend"):
            raise Unavailable("http_503")

    company.world.meet = at("issuer.verify", "before", until_it_is_contained, times=100)
    deployment.rest()
    run = deployment.record().runs[0].run
    assert (run.evidence, company.opens(stolen.ref, secret)) == ("stated", False)
    assert set(deployment.steps().values()) == {"done"}
    assert set(company.holders().values()) == {run.replacement}
    deployment.database.close()


def test_the_room_that_one_run_makes_is_not_taken_by_another_of_its_owner(house):
    company, deployment = house
    first, _ = company.stolen(KEY, places=("kv",))
    second, _ = company.stolen(KEY, places=("kv-2",))
    deployment.start([first, second], wanted=Strategy.CONTAIN_FIRST)
    deployment.rest()
    for run in ("inc-1.r1", "inc-1.r2"):
        assert set(deployment.steps(run).values()) == {"done"}
    assert company.living(first.ref) == {each.run.replacement for each in deployment.record().runs}
    assert deployment.rows("mint") == []

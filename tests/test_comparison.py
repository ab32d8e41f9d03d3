"""Before a run closes the world is compared with the ledger: a late mint, a stranger's key, a place that changed."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from rotator.credential import Leaked, Secret
from rotator.delivery import attempt_token
from rotator.errors import Rejected, Uncertain
from rotator.flow.playbook_words import Strategy
from rotator.ledger import counting
from rotator.ports.provider import State
from rotator.ports.store import Place
from rotator.report.incident import build
from tests.fakes.company import founded
from tests.fakes.deployment import broken_chains
from tests.fakes.world import START

KEY, TOKEN, VAULT = "aws_iam_access_key", "acme_api_token", "vault_token"
FIRST_MINUTE = 60.0


class Died(BaseException):
    """The worker's process is gone."""


@pytest.fixture
def house(tmp_path):
    company, deployment = founded(tmp_path, quota=None)
    yield company, deployment
    deployment.database.close()


def reason(deployment, name: str) -> str:
    return next(step.reason or "" for step in deployment.record().runs[0].steps if step.name == name)


def fail(error: BaseException):
    def happens() -> None:
        raise error

    return happens


def at_once(company, what: str, phase: str, happens) -> None:
    """Let something happen the first time that something is done."""
    done: list[str] = []

    def meet(now: str, this: str, _changes: bool) -> None:
        if (now, this) == (phase, what) and not done:
            done.append(this)
            happens()

    company.world.meet = meet


@pytest.mark.parametrize("kind", [KEY, TOKEN])
def test_a_mint_that_lands_after_its_frozen_workers_successor_minted_is_found_and_revoked(house, kind):
    company, deployment = house
    stolen, secret = company.stolen(kind)
    deployment.start([stolen], wanted=Strategy.CONTAIN_FIRST)
    ended: list[str] = []

    def freeze_until_another_has_ended_it() -> None:
        company.world.meet = lambda *_: None
        deployment.rest(deployment.recover(), patience_s=3600)
        ended.append(deployment.steps()["compare"])

    at_once(company, "issuer.issue", "before", freeze_until_another_has_ended_it)
    deployment.rest(patience_s=3600)
    assert ended == ["done"]
    replacement = deployment.record().runs[0].run.replacement
    assert len(company.living(stolen.ref)) == 2
    # What the frozen worker noted is in the ledger, and is settled by whichever comparison comes first.
    assert [row["credential"] for row in deployment.rows("late")] == sorted(company.living(stolen.ref) - {replacement})
    deployment.rest()
    assert company.living(stolen.ref) == {replacement}
    assert deployment.rows("late") == []
    assert set(deployment.steps().values()) == {"done"}
    assert "revoked" in reason(deployment, "compare_long_lost")
    assert not company.opens(stolen.ref, secret)
    assert broken_chains(deployment) == []


@pytest.fixture
def orphaned(house):
    """Let a worker freeze before its mint, which lands when all others are through, and die before it notes that."""
    company, deployment = house

    def meet_death(phase: str, what: str, _changes: bool) -> None:
        if (phase, what) == ("after", "issuer.issue"):
            raise Died

    def of(kind: str):
        stolen, _ = company.stolen(kind)
        deployment.start([stolen], wanted=Strategy.CONTAIN_FIRST)

        def freeze_until_another_has_gone_on() -> None:
            company.world.meet = lambda *_: None
            deployment.rest(deployment.recover(), patience_s=FIRST_MINUTE)
            company.world.meet = meet_death

        at_once(company, "issuer.issue", "before", freeze_until_another_has_gone_on)
        with pytest.raises(Died):
            deployment.rest(patience_s=FIRST_MINUTE)
        company.world.meet = lambda *_: None
        assert deployment.rows("late") == []
        assert deployment.steps()["compare_lost"] == "held"
        assert len(company.living(stolen.ref)) == 2
        return company, deployment, stolen.ref

    return of


@pytest.mark.parametrize("kind", [TOKEN, VAULT])
def test_what_a_dead_worker_minted_with_our_marker_is_revoked_minutes_later(orphaned, kind):
    company, deployment, ref = orphaned(kind)
    deployment.rest(patience_s=3600)
    assert company.living(ref) == {deployment.record().runs[0].run.replacement}
    assert "revoked" in reason(deployment, "compare_lost")
    deployment.rest()
    assert set(deployment.steps().values()) == {"done"}
    assert broken_chains(deployment) == []


@pytest.fixture
def landed_hours_later(house):
    """Let a worker die before its mint, whose call lands when the comparison of minutes later is over."""
    company, deployment = house

    def of(kind: str) -> str:
        stolen, _ = company.stolen(kind)
        deployment.start([stolen], wanted=Strategy.CONTAIN_FIRST)
        at_once(company, "issuer.issue", "before", fail(Died()))
        with pytest.raises(Died):
            deployment.rest(patience_s=FIRST_MINUTE)
        first = next(each for each in deployment.record().runs[0].steps if each.name == "issue")
        deployment.rest(deployment.recover(), patience_s=3600)
        assert deployment.steps()["compare_lost"] == "done"
        assert deployment.steps()["compare_long_lost"] == "held"
        return company.outside.provider(stolen.ref).issue(stolen.ref, attempt_token(first), {}).ref

    return of


@pytest.mark.parametrize("kind", [TOKEN, VAULT])
def test_what_a_worker_minted_hours_later_is_revoked_and_no_incident_waits_for_that(house, landed_hours_later, kind):
    company, deployment = house
    orphan = landed_hours_later(kind)
    with deployment.database.read() as connection:
        assert not counting.progress(connection, "inc-1", company.world.now()).busy
    deployment.rest(patience_s=2 * 86_400)
    assert company.living(orphan) == {deployment.record().runs[0].run.replacement}
    assert "revoked" in reason(deployment, "compare_long_lost")


def test_what_a_worker_minted_hours_later_where_nothing_is_marked_is_shown_to_a_person(house, landed_hours_later):
    _, deployment = house
    orphan = landed_hours_later(KEY)
    deployment.rest(patience_s=2 * 86_400)
    assert deployment.steps()["compare_long_lost"] == "held"
    assert f"possible_persistence: {orphan.id}" in reason(deployment, "compare_long_lost")


def test_what_is_open_is_told_as_if_no_comparison_came_a_day_later(house, landed_hours_later):
    company, deployment = house
    company.outside.consumers.clear()  # they cannot be told
    landed_hours_later(TOKEN)
    [entry] = build(deployment.record())["credentials"]
    assert deployment.steps()["compare_long_lost"] == "held"
    assert [each.partition(":")[0] for each in entry["open"]] == ["reload"]


def test_a_run_that_was_taken_back_stands_as_if_no_comparison_came_a_day_later(house, landed_hours_later):
    _, deployment = house
    landed_hours_later(TOKEN)
    deployment.hands.undo("inc-1.r1", "contain", "ann", "wrong", deployment.hands.undoing("inc-1.r1", "contain"))
    deployment.rest(patience_s=3600)
    with deployment.database.read() as connection:
        assert counting.progress(connection, "inc-1", START + 7200).held == 1
    assert build(deployment.record())["credentials"][0]["state"] == "held"


def test_two_losses_within_half_a_day_have_one_comparison_a_day_later(house):
    company, deployment = house
    stolen, _ = company.stolen(TOKEN)
    deployment.start([stolen], wanted=Strategy.CONTAIN_FIRST)
    for _ in range(2):
        at_once(company, "issuer.issue", "before", fail(Died()))
        with pytest.raises(Died):
            deployment.rest(deployment.recover(), patience_s=FIRST_MINUTE)
    company.world.meet = lambda *_: None
    deployment.rest(deployment.recover(), patience_s=3600)
    assert sum(name.startswith("compare_long_lost") for name in deployment.steps()) == 1


def test_a_day_later_nobody_is_asked_about_what_other_hands_have_changed_since(house, landed_hours_later):
    company, deployment = house
    orphan = landed_hours_later(TOKEN)
    provider = company.outside.provider(orphan)
    provider.revoke(orphan.with_id(deployment.record().runs[0].run.replacement))
    deployment.rest(patience_s=2 * 86_400)
    assert deployment.steps()["compare_long_lost"] == "done"
    assert company.living(orphan) == set()


def test_what_a_dead_worker_minted_where_nothing_is_marked_is_shown_as_possible_persistence(orphaned):
    company, deployment, ref = orphaned(KEY)
    deployment.rest(patience_s=3600)
    [orphan] = company.living(ref) - {deployment.record().runs[0].run.replacement}
    assert deployment.steps()["compare_lost"] == "held"
    assert f"possible_persistence: {orphan}" in reason(deployment, "compare_lost")


@pytest.mark.parametrize("step", ["deliver", "issue"])
def test_what_a_dead_worker_minted_is_looked_for_although_the_run_was_undone(house, step):
    company, deployment = house
    stolen, _ = company.stolen(TOKEN)
    deployment.start([stolen], wanted=Strategy.CONTAIN_FIRST)
    provider = company.outside.provider(stolen.ref)
    at_once(company, "issuer.issue", "before", fail(Died()))
    with pytest.raises(Died):
        deployment.rest(patience_s=FIRST_MINUTE)
    first = next(each for each in deployment.record().runs[0].steps if each.name == "issue")
    deployment.rest(deployment.recover(), patience_s=FIRST_MINUTE)
    deployment.hands.undo("inc-1.r1", step, "ann", "wrong", deployment.hands.undoing("inc-1.r1", step))
    deployment.rest(patience_s=10)
    orphan = provider.issue(
        stolen.ref, attempt_token(first), {}
    ).ref.id  # what the frozen worker had sent lands only now
    assert "compare_lost" in str(build(deployment.record())["credentials"][0]["steps"])
    deployment.rest(patience_s=3600)
    assert orphan not in company.living(stolen.ref)
    assert deployment.steps()["compare_lost"] == "done"
    assert broken_chains(deployment) == []


def test_what_a_dead_worker_minted_is_looked_for_although_the_run_failed(house):
    company, deployment = house
    stolen, _ = company.stolen(TOKEN)
    deployment.start([stolen], wanted=Strategy.CONTAIN_FIRST)
    provider = company.outside.provider(stolen.ref)
    at_once(company, "issuer.issue", "before", fail(Died()))
    with pytest.raises(Died):
        deployment.rest(patience_s=FIRST_MINUTE)
    first = next(each for each in deployment.record().runs[0].steps if each.name == "issue")
    at_once(company, "issuer.issue", "before", fail(Rejected("denied", "no more")))
    deployment.rest(deployment.recover(), patience_s=FIRST_MINUTE)
    assert deployment.steps()["issue"] == "failed"
    orphan = provider.issue(stolen.ref, attempt_token(first), {}).ref.id
    deployment.rest(patience_s=3600)
    assert orphan not in company.living(stolen.ref)
    assert (deployment.steps()["issue"], deployment.steps()["compare_lost"]) == ("failed", "done")


def test_a_lost_mint_with_our_marker_is_revoked_although_nobody_noted_it(house):
    company, deployment = house
    stolen, _ = company.stolen(TOKEN)
    deployment.start([stolen], wanted=Strategy.CONTAIN_FIRST)

    lost: list[str] = []

    def meet(phase: str, what: str, _changes: bool) -> None:
        if (phase, what) == ("before", "issuer.issue") and not lost:
            lost.append(next(row["id"] for row in deployment.rows("step") if row["name"] == "issue"))
            raise Uncertain("read_timeout")
        if (phase, what) == ("before", "store.promote"):
            company.world.meet = lambda *_: None
            with company.world.open() as state:  # only now does the first attempt's call arrive
                company.acme.make(state, stolen.ref.owner, company.world.now(), marker=f"{lost[0]}.1")

    company.world.meet = meet
    deployment.rest()
    assert company.living(stolen.ref) == {deployment.record().runs[0].run.replacement}
    assert "revoked" in reason(deployment, "compare")


@pytest.mark.parametrize("kind", [KEY, TOKEN])
def test_a_strangers_key_is_held_until_a_person_accepts_it(house, kind):
    company, deployment = house
    stolen, _ = company.stolen(kind)
    issuer = company.aws if kind == KEY else company.acme
    deployment.start([stolen], wanted=Strategy.CONTAIN_FIRST)
    strangers: list[str] = []

    def a_thief_mints() -> None:
        with company.world.open() as state:
            strangers.append(issuer.make(state, stolen.ref.owner, company.world.now())[0].id)

    at_once(company, "store.promote", "after", a_thief_mints)
    deployment.rest()
    assert deployment.steps()["compare"] == "held"
    assert f"possible_persistence: {strangers[0]}" in reason(deployment, "compare")
    assert company.credential(strangers[0])["state"] == State.ACTIVE.value
    deployment.hands.decide("inc-1.r1", "compare", skip=False, by="ann", reason="made by the release job")
    deployment.rest(patience_s=3600)
    assert deployment.steps()["compare"] == "done"


def test_a_place_that_another_hand_changed_is_held(house):
    company, deployment = house
    stolen, _ = company.stolen(KEY)
    deployment.start([stolen], wanted=Strategy.CONTAIN_FIRST)

    def another_hand() -> None:
        company.store.put(stolen.custody.deliver[0].name, json.dumps({"id": "KEY-OF-BEFORE"}))

    at_once(company, "consumer.reload", "after", another_hand)
    deployment.rest(patience_s=3600)
    assert deployment.steps()["compare"] == "held"
    assert "store_changed" in reason(deployment, "compare")


class Blind:
    """A place that nobody can read: it says only when it was written."""

    def __init__(self):
        self.written = []

    def current(self, _name):
        return str(len(self.written)) if self.written else None

    def write(self, _name, document):
        self.written.append(document.reveal())
        return str(len(self.written))

    def erase(self, _name):
        raise AssertionError


@pytest.mark.parametrize("meddles", [False, True])
def test_what_a_later_run_of_the_ledger_delivered_there_is_no_change(house, meddles):
    company, deployment = house
    stolen, _ = company.stolen(KEY)
    company.outside.stores["blind"] = blind = Blind()
    places = (*stolen.custody.deliver, Place("fake", "blind", "app"))
    stolen = replace(stolen, custody=replace(stolen.custody, deliver=places))
    deployment.start([stolen], wanted=Strategy.CONTAIN_FIRST)
    deployment.rest(patience_s=3600)
    ref, secret = company.delivered(stolen.ref, stolen.custody.deliver[0])
    again = replace(stolen, ref=ref, leaked=Leaked(id=ref.id, secret=secret))
    deployment.start([again], wanted=Strategy.CONTAIN_FIRST, incident="inc-2")
    deployment.rest(patience_s=3600)
    assert len(blind.written) == 2
    if meddles:
        blind.write("app", Secret("another hand's"))
    deployment.rest()
    last = "held" if meddles else "done"
    for run in ("inc-1.r1", "inc-2.r1"):
        steps = deployment.steps(run)
        assert steps.pop("compare_last") == last
        assert set(steps.values()) == {"done"}

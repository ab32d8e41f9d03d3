"""The watch over what is dead, between fakes, on both ledgers: seldom, and what has come back is stopped again."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import pytest
from sqlalchemy import insert, update

from rotator import resurrection
from rotator.credential import Leaked
from rotator.errors import Rejected, Unavailable
from rotator.flow.budget import Limit
from rotator.flow.exposure import Certainty, Exposure
from rotator.flow.planned import Plan
from rotator.flow.playbook_words import Strategy
from rotator.flow.proof import Evidence
from rotator.flow.resurrection import DAY_S, HOUR_S
from rotator.ledger import tables
from rotator.ledger.closing import Closing, Left
from rotator.ledger.growing import More
from rotator.operations import grown
from rotator.ports.provider import State
from rotator.report.clocks import moment
from rotator.report.incident import build
from tests.fakes.deployment import SEAL, broken_chains

KEY, HOSTS = "aws_iam_access_key", "ssh_authorized_key"


def parts_of(deployment, days=30, limits=None):
    return SimpleNamespace(
        database=deployment.database,
        seal=SEAL,
        settings=SimpleNamespace(
            watch=SimpleNamespace(days=days),
            connections=[SimpleNamespace(name=name) for name in ("aws", "acme", "vault", "hosts")],
        ),
        outside=deployment.outside,
        limits=limits or {},
        account_of=lambda _: "",
    )


def pass_days(deployment, days):
    """Let time pass, with a look whenever one is due and workers at work."""
    until = deployment.world.now() + days * DAY_S
    parts = parts_of(deployment)
    resurrection.look_again(parts, deployment.world.now)
    while True:
        now = deployment.world.now()
        due = [row["due_at"] for row in deployment.rows("watched") if (row["due_at"] or 0.0) > now]
        deployment.world.wait_until(min([*due, until]))
        resurrection.look_again(parts, deployment.world.now)
        deployment.rest(patience_s=60.0)
        if deployment.world.now() >= until:
            resurrection.look_again(parts, deployment.world.now)
            return


def died(house, kind=KEY, wanted=Strategy.REVOKE_ONLY):
    company, deployment = house
    stolen, secret = company.stolen(kind)
    deployment.start([stolen], wanted=wanted)
    deployment.rest(patience_s=HOUR_S)
    [run] = deployment.record().runs
    assert run.run.evidence is Evidence.PROVEN
    return stolen.ref, secret


def revive(company, ref):
    with company.world.open() as state:
        company.aws.turn(state, state["credentials"][ref.id], State.ACTIVE)


def acts(deployment, what, incident="inc-1"):
    return [each for each in deployment.evidence(incident) if each.get("act") == what]


def told(deployment, event):
    return [each for each in deployment.rows("notice") if each["event"] == event]


def close(deployment):
    Closing(deployment.database, lambda _: Left(), clock=deployment.world.now).close(
        "inc-1", "jana", "over", accept_open=True
    )


def test_a_clean_one_is_looked_at_again_for_thirty_days_and_then_no_more(house):
    _, deployment = house
    died(house)
    pass_days(deployment, 32)
    [row] = deployment.rows("watched")
    assert (row["due_at"], row["missed"]) == (None, 0)
    assert row["looks"] == len(acts(deployment, "looked_again")) == 31
    assert row["until"] - row["since"] == 30 * DAY_S
    assert told(deployment, "came_back") == []
    says = acts(deployment, "looked_again")
    assert says[0]["looks"][0]["says"].startswith("suspended")
    assert says[-1]["looks"][0]["says"] == "absent; its issuer's word alone, since the material is destroyed"
    assert broken_chains(deployment) == []


def test_a_key_that_is_activated_again_on_day_twelve_reopens_its_incident_and_is_stopped_again(house):
    company, deployment = house
    ref, secret = died(house)
    pass_days(deployment, 12)
    close(deployment)
    assert deployment.record().incident.closed_at is not None
    revive(company, ref)
    deployment.world.wait_until(deployment.world.now() + 10.0)
    assert company.opens(ref, secret)
    pass_days(deployment, 2)
    assert not company.opens(ref, secret)
    record = deployment.record()
    assert record.incident.closed_at is None
    [run] = record.runs
    assert run.run.evidence is not Evidence.NONE
    assert run.run.dead_at > deployment.rows("incident")[0]["declared_at"] + 11 * DAY_S
    [back] = acts(deployment, "alive_again")
    assert back["says"].startswith("active")
    assert [each["reason"] for each in acts(deployment, "reopened")] == [f"{ref.id} is alive again: {back['says']}"]
    [notice] = told(deployment, "came_back")
    assert ref.id in notice["facts"]
    assert {step.name for step in run.steps} >= {"again_contain", "again_refused"}
    assert deployment.rows("watched")[0]["since"] == run.run.dead_at  # a death of its own is watched anew
    assert broken_chains(deployment) == []


def test_while_it_lives_again_the_report_says_so_first(house):
    company, deployment = house
    ref, _ = died(house)
    pass_days(deployment, 9)
    revive(company, ref)
    deployment.world.wait_until(deployment.world.now() + DAY_S + 4 * HOUR_S)
    resurrection.look_again(parts_of(deployment), deployment.world.now)
    report = build(deployment.record())
    [again] = report["incident"]["alive_again"]
    assert (again["run"], again["being_stopped"]) == ("inc-1.r1", True)
    said = report["credentials"][0]["open"]
    assert [each for each in said if each.startswith("ALIVE AGAIN: resurrection watch: active")]
    assert deployment.reading.incidents()[0].state == "at work"
    deployment.rest(patience_s=HOUR_S)
    after = build(deployment.record())
    assert after["incident"]["alive_again"] == []
    assert after["credentials"][0]["looked_again"]["times"] == 1 + 10


def test_one_stale_answer_wakes_nobody(house):
    company, deployment = house
    ref, _ = died(house)
    inspect = company.outside.provider(ref).inspect
    answers = iter([State.ACTIVE])

    def stale(ref_):
        status = inspect(ref_)
        return replace(status, state=next(answers, status.state))

    company.outside.provider(ref).inspect = stale
    pass_days(deployment, 1)
    assert acts(deployment, "alive_again") == []
    assert len(acts(deployment, "looked_again")) == 2


def test_what_was_missed_in_a_down_time_is_caught_up_by_one_look(house):
    _, deployment = house
    died(house)
    pass_days(deployment, 2)
    before = deployment.rows("watched")[0]["looks"]
    deployment.world.wait_until(deployment.world.now() + 9 * DAY_S)
    for _ in range(3):
        resurrection.look_again(parts_of(deployment), deployment.world.now)
    assert deployment.rows("watched")[0]["looks"] == before + 1


def test_what_cannot_be_looked_at_is_said_to_be_so_and_nothing_else_is_said_of_it(house):
    company, deployment = house
    ref, _ = died(house)
    provider = company.outside.provider(ref)

    def unreachable(_):
        raise Unavailable("unreachable", "nothing listens there")

    def shows_nothing(_):
        raise Rejected("no_view", "it shows nothing")

    provider.inspect = unreachable
    pass_days(deployment, 1)
    [row] = deployment.rows("watched")
    assert (row["looks"], row["missed"], row["says"]) == (0, 2, "not seen: unreachable")
    provider.inspect = shows_nothing
    pass_days(deployment, 2)
    [row] = deployment.rows("watched")
    assert (row["looks"], row["missed"], row["due_at"]) == (0, 3, None)
    until = moment(row["until"])
    assert build(deployment.record())["credentials"][0]["looked_again"] == {
        "told": f"looked at again 0 times, until {until[:10]}: {resurrection.NO_VIEW}; 3 looks were not answered",
        "times": 0,
        "missed": 3,
        "last_at": "",
        "until": until,
        "says": resurrection.NO_VIEW,
    }
    assert deployment.record().runs[0].run.evidence is Evidence.PROVEN


def test_a_key_that_stands_again_on_one_host_is_taken_away_there_again(house):
    company, deployment = house
    ref, secret = died(house, HOSTS)
    pass_days(deployment, 3)
    company.outside.provider(ref).install("web-2", ref, {"public_key": ref.id}, {"options": ""})
    pass_days(deployment, 2)
    assert not company.opens(ref, secret)
    [back] = acts(deployment, "alive_again")
    assert back["doors"] == ["web-2"]


def test_nothing_is_looked_at_while_an_incident_is_at_work_there_or_a_person_stopped_it(house):
    company, deployment = house
    died(house)
    parts = parts_of(deployment)
    deployment.world.wait_until(deployment.world.now() + 3 * HOUR_S)
    stolen, _ = company.stolen(KEY, owner="other")
    deployment.start([stolen], incident="inc-2", wanted=Strategy.REVOKE_ONLY)
    resurrection.look_again(parts, deployment.world.now)
    assert acts(deployment, "looked_again") == []
    deployment.rest(patience_s=HOUR_S)
    deployment.stops.stop(None, "jana", "a look", ["aws"])
    resurrection.look_again(parts, deployment.world.now)
    assert acts(deployment, "looked_again") == []
    deployment.stops.lift(None, "jana", "go on", ["aws"])
    resurrection.look_again(parts, deployment.world.now)
    assert len(acts(deployment, "looked_again")) == 1


def test_looks_keep_below_what_an_account_allows(house):
    company, deployment = house
    found = [company.stolen(KEY, owner=f"o{number}")[0] for number in range(8)]
    deployment.start(found, wanted=Strategy.REVOKE_ONLY)
    deployment.rest(patience_s=HOUR_S)
    deployment.world.wait_until(deployment.world.now() + 3 * HOUR_S)
    parts = parts_of(deployment, limits={"": Limit(0.5)})  # a tenth of it, in a minute: three calls
    assert len(resurrection.look_again(parts, deployment.world.now)) == 2
    assert len(resurrection.look_again(parts, deployment.world.now)) == 2


def test_an_account_with_more_dead_than_calls_keeps_no_other_waiting(house, monkeypatch):
    company, deployment = house
    keys = [company.stolen(KEY, owner=f"o{number}")[0] for number in range(3)]
    deployment.start(keys, wanted=Strategy.REVOKE_ONLY)
    deployment.rest(patience_s=HOUR_S)
    token, _ = company.stolen("acme_api_token")
    deployment.start([token], incident="inc-2", wanted=Strategy.REVOKE_ONLY)
    deployment.rest(patience_s=HOUR_S)
    monkeypatch.setattr(resurrection, "MOST", 2)
    deployment.world.wait_until(deployment.world.now() + 3 * HOUR_S)
    parts = parts_of(deployment)
    parts.account_of = lambda name: name
    looked = resurrection.look_again(parts, deployment.world.now)
    assert sorted(each.dead.ref.connection for each in looked) == ["acme", "aws", "aws"]


def test_what_our_own_defect_hides_is_said_to_be_missed_and_keeps_no_other_waiting(house, monkeypatch):
    company, deployment = house
    died(house)
    token, _ = company.stolen("acme_api_token")
    deployment.start([token], incident="inc-2", wanted=Strategy.REVOKE_ONLY)
    deployment.rest(patience_s=HOUR_S)
    deployment.world.wait_until(deployment.world.now() + 3 * HOUR_S)
    monkeypatch.setattr(company.outside.provider(token.ref), "inspect", lambda _: {}["secret"])
    looked = resurrection.look_again(parts_of(deployment), deployment.world.now)
    assert {each.dead.incident: each.missed for each in looked} == {"inc-1": False, "inc-2": True}
    assert [each["says"] for each in deployment.rows("watched") if each["missed"]] == ["not seen: internal_error"]


def test_what_is_reported_again_reopens_the_incident_of_its_death_and_is_told_once(house):
    company, deployment = house
    ref, secret = died(house)
    pass_days(deployment, 5)
    close(deployment)
    scoped = replace(company.stolen(KEY)[0], ref=ref)
    plan = deployment.declare([scoped], incident="inc-2")
    assert plan.runs
    for _ in range(3):
        deployment.world.wait_until(deployment.world.now() + 60.0)
        resurrection.look_again(parts_of(deployment), deployment.world.now)
    assert deployment.record().incident.closed_at is None
    [again] = acts(deployment, "named_again")
    assert (again["run"], again["in"]) == ("inc-1.r1", "inc-2")
    assert len(told(deployment, "came_back")) == 1
    assert not company.opens(ref, secret)


@pytest.mark.parametrize("other", ["within_reach", "of_another_owner"])
def test_what_a_plan_names_and_nobody_reported_again_wakes_nobody(house, other):
    company, deployment = house
    ref, _ = died(house)
    close(deployment)
    stolen = company.stolen(KEY)[0]
    [seen] = stolen.exposures
    again = {
        "within_reach": replace(stolen, ref=ref, exposures=(replace(seen, certainty=Certainty.REACHABLE),)),
        "of_another_owner": replace(stolen, ref=replace(ref, owner="somebody")),
    }[other]
    assert deployment.declare([again], incident="inc-2").runs
    deployment.world.wait_until(deployment.world.now() + 60.0)
    resurrection.look_again(parts_of(deployment), deployment.world.now)
    assert acts(deployment, "named_again") == told(deployment, "came_back") == []
    assert deployment.record().incident.closed_at is not None


def report_again(deployment, ref, secret, path):
    """Tell the incident of its own credential once more, as `growth.add` does."""
    told = Exposure("list", KEY, Leaked(ref.id, secret), path=path)
    present = deployment.enrolment.present("inc-1")
    nothing = Plan((), (), ())
    seen = {present.runs[ref]: [told]}
    more = More(nothing, {}, {}, seen, {}, (), {}, deployment.world.now())
    return deployment.enrolment.add(present, more, by="jana")


def test_what_its_own_incident_is_told_of_again_is_knocked_with_at_once_and_stopped_again_where_it_lives(house):
    company, deployment = house
    ref, secret = died(house)
    pass_days(deployment, 9)
    assert deployment.rows("sealed") == []
    revive(company, ref)
    deployment.world.wait_until(deployment.world.now() + 10.0)
    due_at = deployment.rows("watched")[0]["due_at"]
    inspect = company.outside.provider(ref).inspect

    def shows_nothing(_):
        raise Rejected("no_view", "it shows nothing")

    company.outside.provider(ref).inspect = shows_nothing  # so that the material alone can tell
    added = report_again(deployment, ref, secret, "paste")
    assert (added.dead, added.is_nothing) == (("inc-1.r1",), False)
    assert grown.told(parts_of(deployment), "inc-1", added)[-1] == (
        "inc-1: inc-1.r1 was dead: it is looked at within a minute or so, and stopped again where alive"
    )
    assert deployment.world.now() < due_at
    resurrection.look_again(parts_of(deployment), deployment.world.now)
    assert [each["says"] for each in acts(deployment, "alive_again")] == ["accepted"]
    company.outside.provider(ref).inspect = inspect
    deployment.rest(patience_s=30 * DAY_S)
    assert not company.opens(ref, secret)
    assert deployment.record().runs[0].run.evidence is Evidence.PROVEN
    assert deployment.rows("sealed") == []
    assert broken_chains(deployment) == []


def test_what_is_dead_and_told_of_again_even_at_the_same_place_is_looked_at_once_and_rests(house):
    _, deployment = house
    ref, secret = died(house)
    pass_days(deployment, 8)
    deployment.world.wait_until(deployment.world.now() + 40 * DAY_S)  # the watch is over
    resurrection.look_again(parts_of(deployment), deployment.world.now)
    assert deployment.rows("watched")[0]["due_at"] is None
    report_again(deployment, ref, secret, "paste")
    resurrection.look_again(parts_of(deployment, days=0), deployment.world.now)
    assert report_again(deployment, ref, secret, "paste").dead == ("inc-1.r1",)
    assert acts(deployment, "looked_again")[-1]["looks"][0]["says"] == "absent, rejected"
    pass_days(deployment, 3)
    assert (deployment.rows("watched")[0]["due_at"], acts(deployment, "alive_again")) == (None, [])
    deployment.due.forget_expired()
    assert deployment.rows("sealed") == []


@pytest.mark.parametrize("table", ["hygiene", "drill"])
def test_neither_hygiene_nor_a_drill_is_watched(house, table):
    _, deployment = house
    died(house)
    rows = {
        "hygiene": {"incident": "inc-1", "policy": "keys", "at": 0.0},
        "drill": {"incident": "inc-1", "name": "weekly", "trigger": "scanner", "by": "test", "at": 0.0},
    }
    with deployment.database.write() as connection:
        connection.execute(insert(tables.metadata.tables[table]).values(**rows[table]))
    pass_days(deployment, 1)
    assert deployment.rows("watched") == []


def test_what_a_person_resumed_is_no_news(house):
    _, deployment = house
    died(house)
    deployment.world.wait_until(deployment.world.now() + 3 * HOUR_S)
    resurrection.look_again(parts_of(deployment), deployment.world.now)
    with deployment.database.write() as connection:  # an undo takes the death back
        connection.execute(update(tables.run).values(dead_at=None, evidence="none"))
    pass_days(deployment, 2)
    assert len(acts(deployment, "looked_again")) == 1
    assert acts(deployment, "alive_again") == []

"""An incident takes over from hygiene at once, wherever that stands, and no second replacement is made."""

from __future__ import annotations

from dataclasses import replace
from itertools import count

import pytest

from rotator.flow.incident import Incident, Severity
from rotator.flow.overlap import routine
from rotator.flow.plan import make
from rotator.flow.planned import Lane
from rotator.flow.playbook_words import Strategy
from rotator.ledger import tables
from rotator.ports.store import Place
from rotator.report.dismissed import lines
from rotator.report.incident import build
from tests.fakes.company import founded
from tests.fakes.deployment import PLAYBOOKS, broken_chains

KEY, DAY = "aws_iam_access_key", 86400.0
ROUTINE, THEFT = "hyg-1", "inc-1"


class KilledError(BaseException):
    """The worker is gone."""


@pytest.fixture
def house(database, tmp_path):
    return founded(tmp_path, database=database, quota=None)


def planned(deployment, each, incident, wanted):
    """Plan as `response.prepare` does: with what earlier runs have answered."""
    return make(
        [each],
        (),
        PLAYBOOKS,
        {},
        wanted=wanted,
        answered=deployment.reading.answered({each.ref: each.custody.deliver}, incident),
        elsewhere=deployment.reading.elsewhere(incident),
        costs=lambda kind, connection: deployment.outside.providers[kind, connection].calls,
    )


def tidy(deployment, each):
    """Begin routine work for a credential that nobody stole."""
    plan = routine(planned(deployment, each, ROUTINE, Strategy.REPLACE_FIRST), overlap_s=DAY, deadline_s=7 * DAY)
    now = deployment.world.now()
    declared = Incident(ROUTINE, "hygiene", Severity.LOW, detected_at=now, declared_at=now)
    deployment.enrolment.declare(declared, plan, {}, {each.ref: ()}, by="policy")
    with deployment.database.write() as connection:
        connection.execute(tables.hygiene.insert().values(incident=ROUTINE, policy="keys", at=now))
    deployment.enrolment.approve(ROUTINE, plan.digest, by="policy")
    return plan


def steal(deployment, each):
    """Declare the same credential as stolen, and approve that."""
    plan = planned(deployment, each, THEFT, Strategy.CONTAIN_FIRST)
    now = deployment.world.now()
    declared = Incident(THEFT, "a stolen laptop", Severity.CRITICAL, detected_at=now, declared_at=now)
    deployment.enrolment.declare(declared, plan, {each.ref: each.leaked.secret}, {each.ref: each.exposures}, by="test")
    deployment.enrolment.approve(THEFT, plan.digest, by="test")


def killed_at(company, number):
    """Have the worker die after the so-manyth change of the world or the ledger; return all of them.

    Before the next change is after this one.
    """
    met = []

    def meet(phase, what, changes):
        if phase == "after" and changes:
            met.append(what)
            if len(met) - 1 == number:
                raise KilledError

    company.world.meet = meet
    return met


def lanes(deployment, run):
    return {row["lane"] for row in deployment.rows("step") if row["run"] == run and row["state"] == "pending"}


def test_routine_work_goes_in_its_own_lane_and_both_credentials_live_for_the_overlap(house):
    company, deployment = house
    each, secret = company.stolen(KEY)
    tidy(deployment, each)
    assert lanes(deployment, f"{ROUTINE}.r1") == {Lane.HYGIENE.value}
    deployment.rest(patience_s=DAY / 2)
    assert company.opens(each.ref, secret)
    replacement = deployment.record(ROUTINE).runs[0].run.replacement
    assert company.living(each.ref) == {each.ref.id, replacement}


def test_what_has_made_nothing_yet_is_left_to_the_incident_which_makes_the_one_replacement(house):
    company, deployment = house
    each, secret = company.stolen(KEY)
    tidy(deployment, each)
    steal(deployment, each)
    deployment.rest()
    [gave_way] = [one for one in deployment.evidence(ROUTINE) if one.get("act") == "gave_way"]
    assert (gave_way["to"], gave_way["of"]) == (THEFT, f"{ROUTINE}.r1")
    report = build(deployment.record(ROUTINE))
    [said] = [each.plain for each in lines(report["credentials"], []) if "gave way" in each.plain]
    assert f"gave way: routine: {THEFT} answers this owner's credential now" in said
    assert len(company.world.done("issuer.issue")) == 1
    assert not company.opens(each.ref, secret)
    assert company.living(each.ref) == {deployment.record(THEFT).runs[0].run.replacement}


def test_what_has_begun_a_replacement_goes_on_as_urgently_and_the_incident_stops_the_credential_at_once(house):
    company, deployment = house
    each, secret = company.stolen(KEY)
    tidy(deployment, each)
    deployment.rest(patience_s=DAY / 2)
    steal(deployment, each)
    assert Lane.HYGIENE.value not in lanes(deployment, f"{ROUTINE}.r1")
    assert deployment.record(THEFT).runs[0].run.strategy is Strategy.REVOKE_ONLY
    deployment.rest(patience_s=3600.0)
    assert not company.opens(each.ref, secret)
    assert len(company.world.done("issuer.issue")) == 1
    assert company.living(each.ref) == {deployment.record(ROUTINE).runs[0].run.replacement}


def test_wherever_a_worker_dies_in_routine_work_an_incident_takes_over_and_one_replacement_lives(tmp_path, is_tried):
    for number in filter(is_tried, count()):
        folder = tmp_path / str(number)
        folder.mkdir()
        company, deployment = founded(folder, quota=None)
        each, secret = company.stolen(KEY)
        tidy(deployment, each)
        met = killed_at(company, number)
        died = False
        try:
            deployment.rest(patience_s=DAY / 2)
        except KilledError:
            died = True
        company.world.meet = lambda *_: None
        steal(deployment, each)
        deployment.rest(deployment.recover(), patience_s=3600.0)
        there = f"killed at {number}: {met[-1]}"
        assert not company.opens(each.ref, secret), there
        assert len(company.living(each.ref)) == 1, there
        place = Place("fake", "kv", f"ci/{KEY}")
        holds, its_secret = company.delivered(each.ref, place)
        assert company.opens(holds, its_secret), there
        assert holds.id in company.living(each.ref), there
        replacements = {one.run.replacement for name in (ROUTINE, THEFT) for one in deployment.record(name).runs}
        assert len(replacements - {None}) == 1, there
        assert broken_chains(deployment) == [], there
        deployment.database.close()
        if not died:
            break
    assert "issuer.issue" in met
    assert "ledger.release" in met


def test_routine_work_for_another_owner_goes_on_untouched(house):
    company, deployment = house
    each, _ = company.stolen(KEY)
    other, secret = company.stolen(KEY, owner="other")
    tidy(deployment, each)
    steal(deployment, replace(other, exposures=other.exposures))
    assert deployment.record(ROUTINE).runs[0].run.dismissed is None
    assert lanes(deployment, f"{ROUTINE}.r1") == {Lane.HYGIENE.value}
    deployment.rest()
    assert not company.opens(other.ref, secret)

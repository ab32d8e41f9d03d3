"""What people do to an incident: declare, approve, decide. Each act is done once, and is evidence."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Barrier

import pytest

from rotator.credential import Leaked
from rotator.errors import BadInput, Rejected
from rotator.flow.exposure import Exposure
from rotator.flow.playbook_words import Strategy, Verb
from rotator.flow.scope import Unresolved
from tests.fakes.deployment import PLAYBOOKS, broken_chains

KEY = "aws_iam_access_key"


def acts(deployment, incident="inc-1"):
    return [record["act"] for record in deployment.evidence(incident)]


def at_once(many, doing):
    barrier = Barrier(many)

    def one(_):
        barrier.wait()
        try:
            return doing()
        except BadInput as error:
            return error

    with ThreadPoolExecutor(many) as pool:
        return list(pool.map(one, range(many)))


@pytest.fixture
def declared(house):
    company, deployment = house
    stolen, _ = company.stolen(KEY)
    return company, deployment, deployment.declare([stolen], wanted=Strategy.REVOKE_ONLY)


def test_nothing_starts_before_the_plan_that_was_shown_is_approved(declared):
    _, deployment, plan = declared
    with pytest.raises(BadInput, match=f"the plan is {plan.digest}, not another"):
        deployment.enrolment.approve("inc-1", "another", by="ann")
    assert deployment.due.take_due(10) == []
    assert acts(deployment) == ["declared"]
    with pytest.raises(BadInput, match="no such incident"):
        deployment.enrolment.approve("inc-2", plan.digest, by="ann")
    deployment.enrolment.approve("inc-1", plan.digest, by="ann")
    assert len(deployment.due.take_due(10)) == 1
    assert acts(deployment) == ["declared", "approved"]
    assert deployment.evidence("inc-1")[1]["by"] == "ann"


def test_approving_twice_starts_nothing_twice(declared):
    _, deployment, plan = declared
    deployment.enrolment.approve("inc-1", plan.digest, by="ann")
    deployment.rest()
    before = deployment.rows("branch"), deployment.rows("run"), deployment.rows("evidence")
    deployment.enrolment.approve("inc-1", plan.digest, by="ben")
    assert (deployment.rows("branch"), deployment.rows("run"), deployment.rows("evidence")) == before


def test_of_many_who_approve_at_once_one_does(declared):
    _, deployment, plan = declared
    at_once(8, lambda: deployment.enrolment.approve("inc-1", plan.digest, by="ann"))
    assert acts(deployment) == ["declared", "approved"]
    assert broken_chains(deployment) == []


@pytest.fixture
def failed(house):
    """Bring a run to a step that failed."""
    company, deployment = house
    stolen, secret = company.stolen(KEY)
    deployment.start([stolen], wanted=Strategy.REVOKE_ONLY)

    def refuse(phase, what, _changes):
        if (phase, what) == ("before", "issuer.end_sessions"):
            raise Rejected("access_denied")

    company.world.meet = refuse
    deployment.rest()
    assert deployment.steps()["cut"] == "failed"
    company.world.meet = lambda *_: None
    return company, deployment, stolen, secret


@pytest.mark.parametrize("skip", [True, False])
def test_a_person_lets_a_failed_step_be_done_again_or_goes_on_without_it(failed, skip):
    company, deployment, stolen, secret = failed
    assert deployment.hands.decide("inc-1.r1", "cut", skip=skip, by="ann", reason="mended") == 1
    deployment.rest()
    states = deployment.steps()
    assert states.pop("cut") == ("skipped" if skip else "done")
    assert set(states.values()) == {"done"}
    cuts = [line for line in PLAYBOOKS[KEY].path(Strategy.REVOKE_ONLY) if line.do.verb is Verb.END_SESSIONS]
    assert len(company.world.done("issuer.end_sessions")) == len(cuts) - int(skip)
    assert not company.opens(stolen.ref, secret)
    told = deployment.evidence("inc-1")[-1]
    assert (told["act"], told["by"], told["reason"]) == ("skipped" if skip else "retried", "ann", "mended")
    assert broken_chains(deployment) == []


def test_what_does_not_wait_for_a_person_cannot_be_decided(failed):
    _, deployment, _, _ = failed
    for run, name in (("inc-1.r1", "keep"), ("inc-1.r1", "refused"), ("inc-1.r1", "nothing"), ("inc-9.r1", "cut")):
        with pytest.raises(BadInput, match=r"no failed or held step|no such run"):
            deployment.hands.decide(run, name, skip=True, by="ann", reason="mended")
    assert acts(deployment) == ["declared", "approved"]


def test_of_many_who_decide_at_once_one_does(failed):
    _, deployment, _, _ = failed
    told = at_once(8, lambda: deployment.hands.decide("inc-1.r1", "cut", skip=False, by="ann", reason="mended"))
    assert sum(each == 1 for each in told) == 1
    assert acts(deployment) == ["declared", "approved", "retried"]
    assert broken_chains(deployment) == []


def test_a_scheduled_destruction_is_done_now_when_a_person_says_so(house):
    company, deployment = house
    stolen, _ = company.stolen(KEY)
    deployment.start([stolen], wanted=Strategy.REVOKE_ONLY)
    deployment.rest(patience_s=3600)
    assert deployment.steps()["destroy"] == "held"
    began = deployment.world.now()
    deployment.hands.release("inc-1.r1", "destroy", by="ann", reason="nobody investigates")
    deployment.rest(patience_s=3600)
    assert set(deployment.steps().values()) == {"done"}
    assert deployment.world.now() < began + 3600


def test_a_step_that_a_worker_has_in_hand_cannot_be_decided(house):
    """It read the step before the person spoke, and would write over what was decided."""
    company, deployment = house
    stolen, _ = company.stolen(KEY)
    deployment.start([stolen], wanted=Strategy.REVOKE_ONLY)
    deployment.rest(patience_s=3600)
    deployment.world.wait_until(deployment.world.now() + 8 * 86400)
    said = []

    def person(phase, what, _changes):
        if (phase, what) == ("after", "ledger.claim") and not said:
            said.append("once")
            with pytest.raises(BadInput, match="at work"):
                deployment.hands.decide("inc-1.r1", "destroy", skip=True, by="ann", reason="legal hold")

    company.world.meet = person
    deployment.rest()
    assert said == ["once"]
    assert acts(deployment) == ["declared", "approved"]
    assert broken_chains(deployment) == []


ODD = "a\ud800b\x00c" + "é" * 300


def test_a_report_with_odd_or_endless_text_is_kept_whole(house):
    """JSON may hold half a character, a NUL, and names of any length; no ledger may choke on them."""
    company, deployment = house
    stolen, _ = company.stolen(KEY)
    leaked = Leaked(id=stolen.ref.id)
    odd = Exposure(ODD, ODD, leaked, path=ODD, line=1, commit=ODD, scanner_says=ODD)
    unresolved = Unresolved(None, ODD, (odd,), ODD, ODD)
    deployment.declare([replace(stolen, exposures=(odd,))], [unresolved])
    [mine, manual] = sorted(deployment.rows("exposure"), key=lambda row: row["run"] is None)
    assert "é" * 300 in mine["path"]
    assert mine["commit"].endswith("é" * 300)
    [task] = deployment.record().manual
    assert (task.exposures, "é" * 300 in task.key) == (1, True)
    assert manual["manual"] == task.id
    assert broken_chains(deployment) == []


def test_what_an_issuer_says_oddly_is_recorded_and_stops_nothing(house):
    company, deployment = house
    stolen, secret = company.stolen(KEY)
    deployment.start([stolen], wanted=Strategy.REVOKE_ONLY)
    said = []

    def oddly(phase, what, _changes):
        if (phase, what) == ("before", "issuer.suspend") and not said:
            said.append(what)
            raise Rejected("access_denied", ODD)

    company.world.meet = oddly
    deployment.rest()
    assert deployment.steps()["contain"] == "failed"
    deployment.hands.decide("inc-1.r1", "contain", skip=False, by=ODD, reason=ODD)
    deployment.rest()
    assert set(deployment.steps().values()) == {"done"}
    assert not company.opens(stolen.ref, secret)
    assert broken_chains(deployment) == []


def test_an_incidents_first_record_says_what_was_declared(declared):
    _, deployment, plan = declared
    [told] = deployment.evidence("inc-1")
    assert (told["plan"], told["credentials"], told["by"], told["previous"]) == (plan.digest, 1, "test", "")
    assert json.dumps(told)

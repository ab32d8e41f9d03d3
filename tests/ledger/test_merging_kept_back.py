"""A merge leaves no legal hold and no stop behind: what they keep would go on in the other incident."""

from __future__ import annotations

import pytest

from rotator.errors import BadInput
from rotator.flow.playbook_words import Strategy
from rotator.ports.provider import State
from tests.ledger.test_merging import refused

KEY, TOKEN = "aws_iam_access_key", "acme_api_token"
ALONE = Strategy.REVOKE_ONLY
COMMAND = {"hold": "rotator gate close inc-1 no_legal_hold --reason …", "stop": "rotator stop inc-1 --reason …"}
WHAT = {"hold": "a legal hold", "stop": "a stop"}


def kept_back(deployment, how, incident):
    if how == "hold":
        deployment.gates.set(incident, "no_legal_hold", "ann", "the police", is_open=False)
    else:
        deployment.stops.stop(incident, "ann", "no touching", [])


def merged(deployment):
    return deployment.enrolment.merge("inc-2", "inc-1", by="ann")


@pytest.mark.parametrize("how", WHAT)
def test_what_one_keeps_back_is_first_said_of_the_other_and_stays_kept_there(house, how):
    company, deployment = house
    [key, _], [token, _] = company.stolen(KEY), company.stolen(TOKEN, owner="app")
    deployment.start([key], wanted=ALONE)
    deployment.declare([token], incident="inc-2", wanted=ALONE)
    kept_back(deployment, how, "inc-2")
    refused(deployment, f"inc-2 is under {WHAT[how]}, inc-1 is not")
    with pytest.raises(BadInput) as told:
        merged(deployment)
    assert COMMAND[how] in told.value.mend
    kept_back(deployment, how, "inc-1")
    merged(deployment)
    deployment.enrolment.approve("inc-1", deployment.record().plan_digest, by="bob")
    deployment.rest()
    alive = {"hold": State.SUSPENDED, "stop": State.ACTIVE}[how]
    assert company.credential(token.ref.id)["state"] == alive


@pytest.mark.parametrize("how", WHAT)
def test_nothing_is_taken_back_for_a_run_that_is_not_kept_back(house, how):
    company, deployment = house
    [token, _] = company.stolen(TOKEN, owner="app")
    deployment.declare([token], wanted=ALONE)
    kept_back(deployment, how, "inc-1")
    deployment.start([token], incident="inc-2", wanted=ALONE)
    deployment.rest()
    refused(deployment, f"inc-1 is under {WHAT[how]}, inc-2 is not")


@pytest.mark.parametrize("how", WHAT)
def test_what_keeps_back_an_incident_of_which_nothing_moves_stays_with_it(house, how):
    company, deployment = house
    for number, kind in enumerate((KEY, TOKEN), 1):
        deployment.start([company.stolen(kind)[0]], incident=f"inc-{number}", wanted=ALONE)
    kept_back(deployment, how, "inc-2")
    assert merged(deployment).revision is None

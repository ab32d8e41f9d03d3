"""What a person moves on while a stop is in force does not go on, and what keeps it is told."""

from __future__ import annotations

import pytest

from rotator.errors import BadInput
from rotator.flow.playbook_words import Strategy

KEY = "aws_iam_access_key"
RUN = "inc-1.r1"


@pytest.fixture
def scheduled(house):
    """Respond, up to the week before the destruction."""
    company, deployment = house
    stolen, _ = company.stolen(KEY)
    deployment.start([stolen], wanted=Strategy.REVOKE_ONLY)
    deployment.rest(patience_s=3600)
    return deployment


@pytest.mark.parametrize("name", [None, "inc-1", "aws"])
def test_what_keeps_an_incident_or_a_run_is_named_until_it_is_lifted(scheduled, name):
    stops = scheduled.stops
    assert stops.over("inc-1") == []
    stopped, _ = stops.stop(name, "ann", "look first", ["aws", "acme"])
    assert stops.over("inc-1") == stops.over("inc-1", RUN) == [stopped]
    stops.lift(name, "ann", "go on", ["aws", "acme"])
    assert stops.over("inc-1", RUN) == []


@pytest.mark.parametrize("name", ["inc-2", "acme"])
def test_another_incidents_or_connections_stop_keeps_it_not(scheduled, house, name):
    company, deployment = house
    other, _ = company.stolen("acme_api_token", owner="shop")
    deployment.start([other], incident="inc-2", wanted=Strategy.REVOKE_ONLY)
    deployment.stops.stop(name, "ann", "look first", ["aws", "acme"])
    assert scheduled.stops.over("inc-1", RUN) == []
    assert len(scheduled.stops.over("inc-2")) == 1


def test_a_stopped_connection_keeps_what_is_to_be_delivered_there(house):
    company, deployment = house
    stolen, _ = company.stolen(KEY)
    deployment.start([stolen])
    stopped, _ = deployment.stops.stop("kv", "ann", "it is full", ["aws", "kv"])
    deployment.rest(patience_s=3600)
    assert deployment.steps()["issue"] == "pending"
    assert deployment.stops.over("inc-1", RUN) == [stopped]


def test_what_is_through_is_kept_by_nothing(scheduled):
    scheduled.hands.decide(RUN, "destroy", skip=True, by="ann", reason="keep it")
    scheduled.rest()
    scheduled.stops.stop(None, "ann", "look first", ())
    assert scheduled.stops.over("inc-1") == []


def test_a_brake_that_is_not_on_is_called_so(scheduled):
    with pytest.raises(BadInput, match="its brake is not on"):
        scheduled.gates.set("inc-1", "brake", "ann", "go on", is_open=True)

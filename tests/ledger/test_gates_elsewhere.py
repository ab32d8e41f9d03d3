"""What one incident keeps from being destroyed no other destroys, and no undo: a gate is said of the credential."""

from __future__ import annotations

from dataclasses import replace

import pytest

from rotator.flow.approval import Scope
from rotator.flow.exposure import Disposition
from rotator.flow.playbook_words import Strategy
from rotator.ledger.approvals import Approvals
from rotator.ports.provider import State
from rotator.report.incident import build
from tests.fakes.deployment import broken_chains
from tests.ledger.test_hands import hold, undone
from tests.ledger.test_revisions import leaked_again

KEY, TOKEN = "aws_iam_access_key", "acme_api_token"
ALONE = Strategy.REVOKE_ONLY
EVERYTHING = frozenset(Scope)


def approves(deployment, digest, scopes=EVERYTHING):
    approvals = Approvals(deployment.database, deployment.enrolment, None, deployment.world.now)
    return approvals.approve("inc-1", digest, "bob", frozenset(scopes))


def held(deployment, *, is_open=False, incident="inc-1"):
    deployment.gates.set(incident, "no_legal_hold", "ann", "the police", is_open=is_open)


def state(company, stolen):
    return company.credential(stolen.ref.id)["state"]


def two_connections(company, deployment):
    """Let a second connection lead to the keys' account."""
    company.outside.providers[KEY, "aws-2"] = company.outside.providers[KEY, "aws"]
    deployment.enrolment._account_of = lambda name: name.removesuffix("-2")


def commands(deployment, incident):
    return [each["command"] for entry in build(deployment.record(incident))["credentials"] for each in entry["next"]]


def test_a_legal_hold_of_one_incident_keeps_what_another_would_destroy_until_it_is_lifted(house):
    company, deployment = house
    [token, _] = company.stolen(TOKEN, owner="app")
    approves(deployment, deployment.declare([token], wanted=ALONE).digest)
    held(deployment)
    deployment.start([token], incident="inc-2", wanted=ALONE)
    deployment.rest()
    assert state(company, token) == State.SUSPENDED
    assert commands(deployment, "inc-2") == ["rotator gate open inc-1 no_legal_hold --reason …"]
    held(deployment, is_open=True)
    deployment.rest()
    assert state(company, token) == State.ABSENT
    assert broken_chains(deployment) == []


def test_one_that_is_not_approved_yet_or_skipped_its_destruction_keeps_its_legal_hold(house):
    company, deployment = house
    [token, _] = company.stolen(TOKEN, owner="app")
    deployment.declare([token], wanted=ALONE)
    held(deployment)
    deployment.start([token], incident="inc-2", wanted=ALONE)
    deployment.rest()
    assert state(company, token) == State.SUSPENDED
    deployment.start([token], incident="inc-3", wanted=ALONE)
    held(deployment, incident="inc-3")
    deployment.rest()
    deployment.hands.decide("inc-3.r1", "destroy", skip=True, by="ann", reason="let it be")
    held(deployment, is_open=True)
    deployment.rest()
    assert state(company, token) == State.SUSPENDED
    assert commands(deployment, "inc-2") == ["rotator gate open inc-3 no_legal_hold --reason …"]


def test_a_destruction_that_one_incident_has_not_approved_waits_in_every_other_and_names_whose_yes(house):
    company, deployment = house
    [token, _] = company.stolen(TOKEN, owner="app")
    digest = deployment.declare([token], wanted=ALONE).digest
    approves(deployment, digest, {Scope.CONTAINMENT})
    deployment.start([token], incident="inc-2", wanted=ALONE)
    deployment.rest()
    assert state(company, token) == State.SUSPENDED
    assert commands(deployment, "inc-2") == [f"rotator approve inc-1 --digest {digest} --scope destruction"]
    approves(deployment, digest, {Scope.DESTRUCTION})
    deployment.rest()
    assert state(company, token) == State.ABSENT


def test_what_is_dismissed_there_keeps_nothing_here(house):
    company, deployment = house
    [token, _] = company.stolen(TOKEN, owner="app")
    deployment.declare([token], wanted=ALONE)
    held(deployment)
    deployment.start([token], incident="inc-2", wanted=ALONE)
    deployment.rest()
    assert state(company, token) == State.SUSPENDED
    deployment.dismissing.dismiss("inc-1", "inc-1.r1", Disposition.FALSE_POSITIVE, "ann", "told twice")
    deployment.rest()
    assert state(company, token) == State.ABSENT


def test_whoever_skips_the_destruction_there_keeps_nobody_waiting_for_his_yes(house):
    company, deployment = house
    [token, _] = company.stolen(TOKEN, owner="app")
    approves(deployment, deployment.declare([token], wanted=ALONE).digest, {Scope.CONTAINMENT})
    deployment.start([token], incident="inc-2", wanted=ALONE)
    deployment.rest()
    deployment.hands.decide("inc-1.r1", "destroy", skip=True, by="ann", reason="the others do it")
    deployment.rest()
    assert state(company, token) == State.ABSENT


def test_through_another_connection_of_the_account_a_gate_is_no_way_round(house):
    company, deployment = house
    two_connections(company, deployment)
    [key, _] = company.stolen(KEY)
    approves(deployment, deployment.declare([key], wanted=ALONE).digest)
    held(deployment)
    deployment.start([replace(key, ref=replace(key.ref, connection="aws-2"))], incident="inc-2", wanted=ALONE)
    deployment.rest()
    assert state(company, key) == State.SUSPENDED


@pytest.mark.parametrize("connection", ["aws", "aws-2"])
def test_an_undo_takes_no_leaked_replacement_away_that_any_connection_of_the_account_keeps(house, connection):
    company, deployment = house
    two_connections(company, deployment)
    stolen, secret = company.stolen(KEY)
    hold(company, stolen, secret)
    deployment.start([stolen])
    deployment.rest(patience_s=600.0)
    again, _ = leaked_again(company, deployment, "inc-1.r1", stolen)
    again = replace(again, ref=replace(again.ref, connection=connection))
    deployment.start([again], wanted=ALONE, incident="inc-2")
    held(deployment, incident="inc-2")
    deployment.rest(patience_s=600.0)
    undone(deployment, "contain")
    deployment.rest(patience_s=600.0)
    assert (state(company, again), deployment.steps()["undo_issue"]) == (State.SUSPENDED, "held")

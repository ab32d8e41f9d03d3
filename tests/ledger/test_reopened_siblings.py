"""What is opened again brings its owner no second replacement beside the one that another of its credentials brings."""

from __future__ import annotations

from dataclasses import replace

import pytest

from rotator.errors import BadInput
from rotator.flow.exposure import Disposition
from tests.ledger.test_revisions import added, approve

KEY, TOKEN = "aws_iam_access_key", "acme_api_token"


@pytest.fixture
def robbed(house):
    """Have an owner's first key stolen beside somebody's token, and know his second; nothing is planned yet."""
    company, deployment = house
    first, beside = company.stolen(KEY)[0], company.stolen(TOKEN, owner="app")[0]
    ref, secret = company.plant(KEY, first.ref.owner)
    second = replace(first, ref=ref, leaked=replace(first.leaked, id=ref.id, secret=secret))
    return company, deployment, first, second, beside


def dismissed(deployment, stolen):
    run = next(each.run.id for each in deployment.record().runs if each.run.ref == stolen.ref)
    deployment.dismissing.dismiss("inc-1", run, Disposition.FALSE_POSITIVE, "ann", "a made-up one")
    return run


def reopened(deployment, run):
    return deployment.dismissing.reopen("inc-1", run, "ben", "it is real")


def refused(deployment, run):
    with pytest.raises(BadInput, match="replaces what its owner uses"):
        reopened(deployment, run)


def has_one(company, deployment, *stolen):
    """Tell whether the owner has one living replacement, which his run holds."""
    made = company.living(stolen[0].ref) - {each.ref.id for each in stolen}
    held = {each["replacement"] for each in deployment.rows("run") if each["owner"] == stolen[0].ref.owner}
    return len(made) == 1 and made == held - {None}


@pytest.mark.parametrize("approved_first", [True, False])
def test_what_nobody_approved_is_not_opened_beside_a_sibling_that_was_added_and_replaced(robbed, approved_first):
    company, deployment, first, second, beside = robbed
    deployment.declare([first, beside])
    run = dismissed(deployment, first)
    if approved_first:
        approve(deployment)
    added(deployment, second)
    approve(deployment)
    deployment.rest()
    refused(deployment, run)
    deployment.rest()
    assert has_one(company, deployment, first, second)


def test_what_nobody_approved_is_not_opened_beside_what_another_incident_replaced(robbed):
    company, deployment, first, second, beside = robbed
    deployment.declare([first, beside])
    run = dismissed(deployment, first)
    approve(deployment)
    deployment.start([second], incident="inc-2")
    deployment.rest()
    refused(deployment, run)
    assert has_one(company, deployment, first, second)


@pytest.mark.parametrize("approved", [True, False])
def test_nothing_is_opened_beside_a_sibling_that_its_incident_has_planned(robbed, approved):
    company, deployment, first, second, beside = robbed
    (deployment.start if approved else deployment.declare)([first, beside])
    run = dismissed(deployment, first)
    added(deployment, second)
    refused(deployment, run)
    approve(deployment)
    deployment.rest()
    assert has_one(company, deployment, first, second)


def test_a_plan_that_was_made_while_its_sibling_was_dismissed_is_stale_once_that_is_opened(robbed):
    company, deployment, first, second, beside = robbed
    deployment.start([first, beside])
    run = dismissed(deployment, first)
    deployment.world.wait_until(deployment.world.now() + 10)
    deployment.declare([second], incident="inc-2")
    reopened(deployment, run)
    deployment.rest()
    with pytest.raises(BadInput, match="stale"):
        approve(deployment, "inc-2")
    assert has_one(company, deployment, first, second)

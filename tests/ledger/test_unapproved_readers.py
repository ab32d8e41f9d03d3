"""Beside a standing order what nobody approved reads from the first moment, whatever people do to it meanwhile."""

from __future__ import annotations

from dataclasses import replace

import pytest

from rotator.flow.approval import Scope
from rotator.flow.exposure import Disposition
from rotator.flow.playbook_words import Strategy
from rotator.ledger.approvals import Approvals
from rotator.ledger.ordering import Covered, Ordered
from tests.ledger.test_hands import undone
from tests.ledger.test_revisions import added, more_of

KEY, TOKEN = "aws_iam_access_key", "acme_api_token"
WRITER, READER = "inc-1.r1", "inc-1.r2"


@pytest.fixture
def ordered(house):
    """Have an order begin with a key that is delivered to kv, beside two tokens that it does not cover: one reads kv.

    The key rests before it is replaced, while its connection is stopped.
    """
    company, deployment = house
    writer, (reader, _), (other, _) = company.stolen(KEY)[0], company.stolen(TOKEN, "app"), company.stolen(TOKEN)
    reader = replace(reader, custody=replace(reader.custody, reads=("kv:*",), deliver=(), consumers=()))
    deployment.stops.stop("aws", "ann", "not yet", ["aws"])
    plan = deployment.declare([writer])
    rest = more_of(deployment, deployment.enrolment.present("inc-1"), [reader, other])
    order = Ordered(Covered(("at-once",), frozenset(Scope)), [(rest, Covered())], "siem")
    with deployment.database.write() as connection:
        order.begin(deployment.enrolment, connection, "inc-1", plan.digest)
    return deployment, reader, other


def go_on(deployment):
    deployment.stops.lift("aws", "ann", "go on", ["aws"])
    deployment.rest(patience_s=600.0)


def is_replaced(deployment):
    return any(each["replacement"] for each in deployment.rows("run") if each["id"] == WRITER)


def run_of(deployment, stolen, incident="inc-1"):
    return next(each.run.id for each in deployment.record(incident).runs if each.run.ref == stolen.ref)


def dismissed(deployment, run, incident="inc-1"):
    deployment.dismissing.dismiss(incident, run, Disposition.FALSE_POSITIVE, "ann", "nobody uses it")


def opened(deployment, run, incident="inc-1"):
    deployment.dismissing.reopen(incident, run, "ben", "it is real")


def approved(deployment, incident="inc-1"):
    deployment.enrolment.approve(incident, deployment.record(incident).plan_digest, by="bob")


def merged(deployment):
    Approvals(deployment.database, deployment.enrolment, None, deployment.world.now).review("inc-1", "ann", "seen")
    return deployment.enrolment.merge("inc-1", "inc-2", by="ann")


def test_opened_again_it_reads_at_once_and_not_only_once_it_is_approved(ordered):
    deployment, reader, _ = ordered
    dismissed(deployment, run_of(deployment, reader))
    opened(deployment, run_of(deployment, reader))
    go_on(deployment)
    assert not is_replaced(deployment)
    approved(deployment)
    deployment.rest(patience_s=600.0)
    assert is_replaced(deployment)


def test_dismissed_it_reads_nothing(ordered):
    deployment, reader, _ = ordered
    dismissed(deployment, run_of(deployment, reader))
    go_on(deployment)
    assert is_replaced(deployment)


@pytest.mark.parametrize("opened_before", [True, False])
def test_a_merge_takes_no_reader_away(ordered, opened_before):
    deployment, reader, _ = ordered
    dismissed(deployment, run_of(deployment, reader))
    if opened_before:
        opened(deployment, run_of(deployment, reader))
    deployment.declare([reader], incident="inc-2")
    run = run_of(deployment, reader, "inc-2")
    if not opened_before:
        dismissed(deployment, run, "inc-2")
    assert merged(deployment).same == 1
    if not opened_before:
        opened(deployment, run, "inc-2")
    go_on(deployment)
    assert not is_replaced(deployment)


def test_a_merge_moves_a_dismissed_reader_that_reads_again_where_it_is_opened(ordered):
    deployment, reader, other = ordered
    run = run_of(deployment, reader)
    dismissed(deployment, run)
    deployment.declare([other], incident="inc-2")
    merged(deployment)
    opened(deployment, run, "inc-2")
    go_on(deployment)
    assert not is_replaced(deployment)


def test_what_is_planned_anew_reads_as_the_run_did_that_it_takes_the_place_of(ordered):
    deployment, reader, other = ordered
    deployment.start([other], incident="inc-2")
    grown = added(deployment, reader, other)
    assert READER in grown.told["withdrawn"]
    go_on(deployment)
    assert not is_replaced(deployment)


def test_resumed_elsewhere_before_its_approval_it_reads_once_it_is_approved(ordered):
    deployment, reader, _ = ordered
    deployment.start([reader], incident="inc-2", wanted=Strategy.REVOKE_ONLY)
    deployment.rest(patience_s=600.0)
    undone(deployment, "contain", run_of(deployment, reader, "inc-2"))
    deployment.stops.stop("acme", "ann", "it was in use", ["acme"])
    approved(deployment)
    go_on(deployment)
    assert not is_replaced(deployment)


def test_what_was_contained_elsewhere_and_stayed_so_keeps_nobody_waiting(ordered):
    deployment, reader, _ = ordered
    deployment.start([reader], incident="inc-2", wanted=Strategy.REVOKE_ONLY)
    deployment.rest(patience_s=600.0)
    deployment.stops.stop("acme", "ann", "no hurry", ["acme"])
    approved(deployment)
    go_on(deployment)
    assert is_replaced(deployment)

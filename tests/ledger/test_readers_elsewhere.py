"""What lives and reads counts as a reader, whichever of its runs tell so and whatever people do to each of them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from rotator.flow.playbook_words import Strategy
from tests.ledger.test_unapproved_readers import KEY, TOKEN, dismissed, go_on, is_replaced, opened, ordered, run_of

__all__ = ["ordered"]
ALONE = Strategy.REVOKE_ONLY


@pytest.fixture
def met(house):
    """Have a token stolen that reads kv, where a stolen key is delivered; its connection is stopped."""
    company, deployment = house
    [reader, _], [writer, _] = company.stolen(TOKEN, "app"), company.stolen(KEY)
    reader = replace(reader, custody=replace(reader.custody, reads=("kv:*",), deliver=(), consumers=()))
    deployment.stops.stop("acme", "ann", "wait", ["acme"])
    return deployment, reader, writer


def wrote(deployment, writer):
    """Tell whether the key is replaced."""
    deployment.start([writer], incident="inc-3")
    deployment.rest(patience_s=600.0)
    return any(each["replacement"] for each in deployment.rows("run") if each["incident"] == "inc-3")


@pytest.mark.parametrize("first", ["inc-1", "inc-2"])
@pytest.mark.parametrize("again", ["inc-1", "inc-2"])
def test_whichever_of_two_dismissed_runs_is_opened_again_it_reads(met, first, again):
    deployment, reader, writer = met
    for incident in ("inc-1", "inc-2"):
        deployment.start([reader], incident=incident, wanted=ALONE)
    for incident in sorted(("inc-1", "inc-2"), key=lambda each: each != first):
        dismissed(deployment, f"{incident}.r1", incident)
    opened(deployment, f"{again}.r1", again)
    assert not wrote(deployment, writer)


def test_dismissed_in_both_it_reads_nothing(met):
    deployment, reader, writer = met
    for incident in ("inc-1", "inc-2"):
        deployment.start([reader], incident=incident, wanted=ALONE)
        dismissed(deployment, f"{incident}.r1", incident)
    assert wrote(deployment, writer)


def test_a_later_incident_that_knows_less_of_what_it_reads_takes_nothing_back(met):
    deployment, reader, writer = met
    deployment.start([reader], wanted=ALONE)
    narrower = replace(reader, custody=replace(reader.custody, reads=("other:*",)))
    # What stands beside it in that incident reads there, and says nothing of this one.
    beside = replace(reader, ref=replace(reader.ref, id="another"), leaked=replace(reader.leaked, id="another"))
    deployment.start([narrower, beside], incident="inc-2", wanted=ALONE)
    [run] = [each.run.id for each in deployment.record("inc-2").runs if each.run.ref == beside.ref]
    dismissed(deployment, run, "inc-2")
    assert not wrote(deployment, writer)


def test_what_nobody_approved_reads_again_when_the_incident_that_told_it_dismisses_it(ordered):
    deployment, reader, _ = ordered
    deployment.stops.stop("acme", "ann", "wait", ["acme"])
    deployment.start([reader], incident="inc-2", wanted=ALONE)
    dismissed(deployment, run_of(deployment, reader, "inc-2"), "inc-2")
    go_on(deployment)
    assert not is_replaced(deployment)


def test_what_nobody_ordered_or_approved_reads_nothing_when_another_incident_dismisses_it(met):
    deployment, reader, writer = met
    deployment.declare([reader], wanted=ALONE)
    deployment.start([reader], incident="inc-2", wanted=ALONE)
    dismissed(deployment, "inc-2.r1", "inc-2")
    assert wrote(deployment, writer)

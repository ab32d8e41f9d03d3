"""What an alarm declares begins by an order only where its sender named it, and nobody doubts whose it is."""

from __future__ import annotations

from dataclasses import replace

import pytest

from rotator import standing_orders
from rotator.bootstrap import Rotator
from rotator.flow.exposure import Certainty
from rotator.flow.forecast import forecast
from rotator.flow.incident import Severity
from rotator.flow.plan import make
from rotator.response import Prepared
from rotator.settings.file import load
from tests.fakes.deployment import PLAYBOOKS
from tests.flow.test_plan import doors, stolen

CONFIGURED = """
data_dir = "data"
[[connections]]
name = "prod"
family = "aws"
[[credentials]]
match = {provider = "aws_iam_access_key"}
environment = "staging"
[[standing_orders]]
name = "at-once"
triggers = ["cli"]
environments = ["staging"]
approved_by = "bob"
expires = 2099-12-31
verified = false
"""


@pytest.fixture
def parts(tmp_path):
    (tmp_path / "rotator.toml").write_text(CONFIGURED)
    found = Rotator(load(tmp_path / "rotator.toml"))
    yield found
    found.database.close()


def declared(parts, *found):
    plan = make(found, (), PLAYBOOKS, doors(*found))
    prepared = Prepared(plan, found, forecast(plan, {}))
    told = {"title": "stolen", "severity": Severity.HIGH, "detected_at": 1.0, "by": "test"}
    return standing_orders.declare(parts, prepared, "cli", **told)


@pytest.mark.parametrize(("uncompared", "orders"), [((), ("at-once",)), (("eyes",), ())])
def test_no_order_covers_what_may_be_the_rotators_own(parts, uncompared, orders):
    assert declared(parts, replace(stolen("aws_iam_access_key", "1"), uncompared=uncompared)).orders == orders


@pytest.mark.parametrize("certainty", [Certainty.INFERRED, Certainty.REACHABLE])
def test_what_follows_from_what_a_sender_named_waits_for_a_person(parts, certainty):
    named, other = stolen("aws_iam_access_key", "1"), stolen("aws_iam_access_key", "2", owner="else")
    [seen] = other.exposures
    found = declared(parts, named, replace(other, exposures=(replace(seen, certainty=certainty),)))
    assert (found.orders, found.covered, found.waiting) == (("at-once",), 1, 1)
    assert [each.given != () for each in parts.reading.incident(found.incident.id).approvals] == [True, False]


def test_what_a_sender_named_is_covered_though_it_is_within_reach_of_another_too(parts):
    named = stolen("aws_iam_access_key", "1")
    again = replace(named.exposures[0], certainty=Certainty.INFERRED)
    assert declared(parts, replace(named, exposures=(again, *named.exposures))).covered == 1

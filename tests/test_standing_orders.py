"""What an alarm declares begins by an order only where nobody doubts whose credential it is."""

from __future__ import annotations

from dataclasses import replace

import pytest

from rotator import standing_orders
from rotator.bootstrap import Rotator
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
match = {id = "1"}
environment = "staging"
[[standing_orders]]
name = "at-once"
triggers = ["cli"]
environments = ["staging"]
approved_by = "bob"
expires = 2099-12-31
verified = false
"""


@pytest.mark.parametrize(("uncompared", "orders"), [((), ("at-once",)), (("eyes",), ())])
def test_no_order_covers_what_may_be_the_rotators_own(tmp_path, uncompared, orders):
    (tmp_path / "rotator.toml").write_text(CONFIGURED)
    parts = Rotator(load(tmp_path / "rotator.toml"))
    found = replace(stolen("aws_iam_access_key", "1"), uncompared=uncompared)
    plan = make([found], (), PLAYBOOKS, doors(found))
    prepared = Prepared(plan, (found,), forecast(plan, {}))
    told = {"title": "stolen", "severity": Severity.HIGH, "detected_at": 1.0, "by": "test"}
    assert standing_orders.declare(parts, prepared, "cli", **told).orders == orders
    parts.database.close()

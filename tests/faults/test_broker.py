"""Redis is a hint: emptied, ended or killed in the middle of an incident, it loses nothing, and nobody restarts us."""

from __future__ import annotations

import signal

import pytest

from tests.e2e.company import ACME, AWS
from tests.faults.world import asked, wrong_in_production


def emptied(redis):
    redis.client.flushall()


def ended(redis):
    redis.end(signal.SIGTERM)
    redis.start()


def killed(redis):
    redis.end(signal.SIGKILL)
    redis.start()


@pytest.mark.parametrize("fault", [emptied, ended, killed])
def test_a_broker_that_forgets_everything_loses_nothing(produced, aws_proxy, fault):
    found = produced(AWS, ACME)
    aws_proxy.hold(b"UpdateAccessKey", "after")
    with found.several("worker", "worker", "beat") as running:
        respond = found.company.rotator.start("respond", found.company.leak(), "--yes", "-o", "json")
        aws_proxy.until_held()
        fault(found.backends.redis)
        aws_proxy.let_go()
        report = respond.end().ended(0).report
        assert [each.process.poll() for each in running] == [None, None, None]
    assert wrong_in_production(found, report) == []
    assert asked(aws_proxy, "UpdateAccessKey", "CreateAccessKey") == {"UpdateAccessKey": 1, "CreateAccessKey": 1}
    assert "Traceback" not in "\n".join(found.company.rotator.said)

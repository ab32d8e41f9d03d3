"""Somebody sets the machine's clock by an hour while an incident is at work: no time is shortened, nothing stalls."""

from __future__ import annotations

import contextlib
import dataclasses
import sys
import time
from pathlib import Path

import pytest
from sqlalchemy import text

from tests.e2e.commands import until
from tests.e2e.company import ACME, AWS
from tests.e2e.holding_proxy import holding_proxy
from tests.faults.world import carried_out, wrong_in_production
from tests.servers.wall_clock import WallClock

AT_ANY_TIME = (sys.executable, str(Path(__file__).with_name("at_any_time.py")))
SETTLE_S = HOLD_S = 2.0
AN_HOUR = pytest.mark.parametrize("hour_s", [3600, -3600], ids=["forward", "backward"])


@contextlib.contextmanager
def working_by(found, clock):
    """Run a worker and a dispatcher that go by this clock; see that they live and complain of nothing."""
    machine = dataclasses.replace(found.company.rotator, program=AT_ANY_TIME, environment=clock.environment)
    with found.several("worker", "beat", by=machine) as running:
        yield
        assert [each.process.poll() for each in running] == [None, None]
        assert [each.said[1:] for each in running] == [[], []]


@AN_HOUR
def test_a_clock_that_is_set_shortens_no_time_and_stalls_nothing(produced, servers, tmp_path, hour_s):
    found, clock = produced(ACME), WallClock(tmp_path / "clock")
    with holding_proxy(servers.acme.address) as proxy:
        found.company.connection("acme", endpoint_url=proxy.address, settle_s=SETTLE_S)
        proxy.hold(b"/suspend", "before")
        with working_by(found, clock):
            found.company.approve()
            proxy.until_held()
            with found.ledger.begin() as connection:
                connection.execute(text(f"UPDATE step SET hold_for_s = {HOLD_S} WHERE hold_for_s IS NOT NULL"))
            clock.set_by(hour_s)
            let_go = time.monotonic()  # before the first refusal, however late this test sees that
            proxy.let_go()  # it gets no answer: tried again, and nobody's patience is at its end

            until(lambda: found.ask("SELECT 1 FROM proof WHERE refused_since IS NOT NULL"))
            clock.set_by(hour_s)
            until(lambda: found.ask("SELECT 1 FROM proof WHERE evidence = 'proven'"))
            assert time.monotonic() - let_go >= SETTLE_S

            until(lambda: found.ask("SELECT 1 FROM step WHERE state = 'held'"))
            clock.set_by(hour_s)
            until(lambda: carried_out(proxy, b"DELETE /tokens/"))
            assert time.monotonic() - let_go >= SETTLE_S + HOLD_S

            until(lambda: not found.ask("SELECT 1 FROM branch WHERE state <> 'done'"))
            report = found.company.rotator("report", "last", "-o", "json").ended(0).report
    assert wrong_in_production(found, report) == []
    assert [carried_out(proxy, call) for call in (b"/suspend", b"POST /tokens\n", b"DELETE /tokens/")] == [1, 1, 1]


def test_a_clock_that_is_set_keeps_no_key_of_aws_alive(produced, aws_proxy, tmp_path):
    found, clock = produced(AWS), WallClock(tmp_path / "clock")
    aws_proxy.hold(b"UpdateAccessKey", "before")
    with working_by(found, clock):
        found.company.approve()
        aws_proxy.until_held()
        clock.set_by(3600)
        aws_proxy.let_go()
        report = found.company.rotator("incident", "watch", "last", "-o", "json").ended(0).report
    assert wrong_in_production(found, report) == []

"""A time that stands in a ledger is shown, whatever it is."""

from __future__ import annotations

from datetime import datetime

from rotator.report.clocks import moment


def test_a_time_that_no_clock_can_show_is_the_nearest_that_it_can():
    assert moment(datetime.fromisoformat("0001-01-01T00:00:00+14:00").timestamp()) == "0001-01-01T00:00:00.000Z"
    assert moment(1e300) == "9999-12-31T23:59:59.000Z"
    assert moment(1.7e9) == "2023-11-14T22:13:20.000Z"
    assert moment(None) == ""

"""What is due, what is late, and the trend: pure decisions."""

from __future__ import annotations

from datetime import UTC, datetime
from statistics import median

from hypothesis import given
from hypothesis import strategies as st

from rotator.flow import drill
from rotator.flow.exercise import Outcome, Schedule, opened
from rotator.flow.response import Response
from rotator.flow.timetable import timetable

KEY = "aws_iam_access_key"
MONDAY = datetime(2026, 11, 23, tzinfo=UTC).timestamp()
HOUR_S, DAY_S = 3600.0, 86400.0
WEEKLY = Schedule(timetable("0 9 * * tue"), 4 * HOUR_S, UTC, "Jana", MONDAY + 365 * DAY_S)


def answered(seconds, number=0, at=MONDAY, stated=False, provider=KEY):
    dead_at = None if seconds is None else at + seconds
    names = {"of": f"d{number}.r1", "incident": f"d{number}", "severity": "low", "provider": provider}
    told = {"connection": "aws", "owner": "drill", "credential": f"K{number}", "strategy": "contain_first"}
    return Response(**names, **told, detected_at=at, declared_at=at, dead_at=dead_at, stated=stated)


@given(
    st.lists(
        st.builds(lambda day, hour: day * DAY_S + hour * HOUR_S, st.integers(0, 16), st.floats(8, 14)), max_size=40
    )
)
def test_however_often_and_irregularly_somebody_looks_each_window_has_one_drill_at_most(moments):
    last, held = None, []
    for now in sorted(MONDAY + each for each in moments):
        slot = opened(WEEKLY, last, now)
        if slot is not None:
            assert slot <= now < slot + WEEKLY.window_s
            held.append(slot)
            last = slot
        else:
            at = WEEKLY.timetable.before(now, UTC)
            assert at is None or now >= at + WEEKLY.window_s or at in held
    assert len(held) == len(set(held))


def test_after_its_last_day_nothing_is_due():
    tuesday = MONDAY + DAY_S + 10 * HOUR_S
    assert opened(WEEKLY, None, tuesday) is not None
    assert opened(WEEKLY, None, tuesday + 53 * 7 * DAY_S) is None


def test_a_drill_comes_out_as_its_worst_canary_does():
    fast, stated, alive = answered(5.0), answered(None, stated=True), answered(None)
    assert drill.outcome([]) is Outcome.ABANDONED
    assert drill.outcome([fast, fast]) is Outcome.PROVEN
    assert drill.outcome([fast, stated]) is Outcome.STATED
    assert drill.outcome([fast, stated, alive]) is Outcome.OPEN


def test_what_lived_longer_than_the_target_is_late():
    assert drill.slow([answered(61.0)], [], 60.0) == [f"{KEY} K0 took 61.0 s to proven dead, and the target is 60 s"]
    assert drill.slow([answered(60.0)], [], 60.0) == []
    assert drill.slow([answered(None)], [], None) == [f"{KEY} K0 was not proven dead"]
    assert drill.slow([answered(None, stated=True)], [], 1.0) == []


def test_what_lived_twice_as_long_as_the_last_ones_is_late_once_there_are_enough():
    before = [answered(float(each), number=each, at=MONDAY + each) for each in (100, 1, 2, 3)]
    assert drill.slow([answered(9.0, 9)], before[:2], None) == []
    [why] = drill.slow([answered(9.0, 9)], before[1:], None)
    assert why.endswith("and the last 3 took 2.0 s in the middle")
    assert drill.slow([answered(4.0, 9)], before[1:], None) == []
    assert drill.slow([answered(9.0, 9, provider="other")], before, None) == []


@given(st.lists(st.floats(0.1, 1000), min_size=3, max_size=30), st.floats(0.1, 5000))
def test_late_is_more_than_twice_the_median_of_the_last_ten_in_whatever_order_they_are_told(times, now):
    before = [answered(each, number, at=MONDAY + number * 1e4) for number, each in enumerate(times)]
    last = [each.dead_at - each.detected_at for each in before][-10:]
    new = answered(now, 99, at=MONDAY + 1e6)
    is_late = new.dead_at - new.detected_at > 2 * median(last)
    assert bool(drill.slow([new], before[::-1], None)) is is_late


def test_the_trend_has_a_row_for_each_kind_and_week_and_leaves_nothing_out():
    of = [
        answered(5.0, 1),
        answered(7.0, 2, at=MONDAY + DAY_S),
        answered(None, 3, at=MONDAY + 2 * DAY_S),
        answered(None, 4, stated=True),
        answered(2.0, 5, at=MONDAY - DAY_S),
        answered(3.0, 6, provider="vault_token"),
    ]
    found = drill.trend(of, MONDAY + 3 * DAY_S)
    assert [(each["provider"], each["week"], each["canaries"]) for each in found] == [
        (KEY, "2026-W47", 1),
        (KEY, "2026-W48", 4),
        ("vault_token", "2026-W48", 1),
    ]
    week = found[1]
    assert (week["drills"], week["ended"], week["open"], week["stated"]) == (4, 2, 1, 1)
    assert (week["p50_s"], week["p95_s"], week["max_s"], week["worst"]) == (7.0, None, 7.0, "d3")


def test_the_last_days_of_a_year_are_of_the_week_that_iso_says():
    assert drill.week(datetime(2026, 12, 31, tzinfo=UTC).timestamp()) == "2026-W53"
    assert drill.week(datetime(2027, 1, 3, 23, tzinfo=UTC).timestamp()) == "2026-W53"

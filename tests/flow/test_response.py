"""An incident's report and that of a period are of one mind, and every percentile is a time that really was."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rotator.flow.response import times, times_of_one
from rotator.flow.survival import Span, span

SECONDS = st.lists(st.floats(min_value=0, max_value=1e7).map(lambda value: round(value, 3)), min_size=1)
SPANS = st.lists(st.builds(Span, st.integers(0, 30).map(float), st.booleans()), max_size=40)


def ended(*seconds):
    return [Span(each, ended=True) for each in seconds]


def still_open(*seconds):
    return [Span(each, ended=False) for each in seconds]


@given(SPANS)
def test_what_both_reports_tell_is_the_same_in_both_and_only_one_estimates_a_mean(found):
    of_one, of_period = times_of_one(found), times(found)
    assert of_one["still_open"] == of_period["open"]
    for name in ("p50_s", "p95_s", "max_s"):
        assert of_one[name] == of_period[name]
    longest = max((each.seconds for each in found), default=None)
    is_known = bool(found) and all(each.ended for each in found if each.seconds == longest)
    assert of_one["mean_s"] == (of_period["mean_s"] if is_known else None)


@given(SECONDS)
def test_where_nothing_is_open_percentiles_are_nearest_rank_and_the_mean_is_the_mean(values):
    found = times_of_one(ended(*values))
    for share, told in ((0.5, found["p50_s"]), (0.95, found["p95_s"]), (1.0, found["max_s"])):
        at_most = sum(value <= told for value in values)
        below = sum(value < told for value in values)
        assert below < share * len(values) <= at_most
    assert found["mean_s"] == pytest.approx(sum(values) / len(values), abs=0.001)


def test_what_is_open_makes_a_figure_later_or_has_it_not_reached_yet():
    of = times_of_one
    assert of(ended(1.0, 2.0, 3.0, 10.0)) == figures(4.0, 2.0, 10.0, 10.0, 0)
    assert of(ended(1.0, 2.0, 3.0, 10.0) + still_open(60.0, 60.0)) == figures(None, 3.0, None, 10.0, 2)
    assert of(ended(1.0) + still_open(60.0, 60.0)) == figures(None, None, None, 1.0, 2)
    assert of(ended(1.0, 10.0) + still_open(5.0)) == figures(7.0, 10.0, 10.0, 10.0, 1)  # it has 5 s, and may end sooner
    assert of(still_open(60.0)) == figures(None, None, None, None, 1)
    assert of([]) == figures(None, None, None, None, 0)


def figures(mean, half, most, longest, open_ones):
    return {"mean_s": mean, "p50_s": half, "p95_s": most, "max_s": longest, "still_open": open_ones}


def test_no_time_is_less_than_nothing_whatever_two_clocks_say():
    assert span(10.0, 9.0, 20.0) == Span(0.0, ended=True)
    assert span(10.0, None, 9.0) == Span(0.0, ended=False)

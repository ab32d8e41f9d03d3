"""Every percentile is a time that really was, and nothing is the mean of nothing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rotator.flow.metrics import TimeToRevoke, time_to_revoke

seconds = st.lists(st.floats(min_value=0, max_value=1e7).map(lambda value: round(value, 3)), min_size=1)


@given(st.integers(min_value=0, max_value=1000))
def test_nothing_proven_has_no_figures_at_all(still_open):
    assert time_to_revoke([], still_open) == TimeToRevoke(None, None, None, None, still_open)


@given(seconds, st.randoms())
def test_percentiles_are_times_that_were_in_whatever_order_they_came(values, random):
    shuffled = random.sample(values, len(values))
    found = time_to_revoke(shuffled, 0)
    assert found == time_to_revoke(values, 0)
    assert {found.p50_s, found.p95_s, found.max_s} <= set(values)


@given(seconds)
def test_percentiles_are_nearest_rank(values):
    found = time_to_revoke(values, 0)
    for share, told in ((0.5, found.p50_s), (0.95, found.p95_s), (1.0, found.max_s)):
        at_most = sum(value <= told for value in values)
        below = sum(value < told for value in values)
        assert below < share * len(values) <= at_most


@given(seconds)
def test_figures_stand_in_order(values):
    found = time_to_revoke(values, 0)
    assert min(values) <= found.p50_s <= found.p95_s <= found.max_s == max(values)
    assert found.mean_s == pytest.approx(sum(values) / len(values), abs=0.001)


def test_a_known_series():
    assert time_to_revoke([3.0, 1.0, 2.0, 10.0], 2) == TimeToRevoke(4.0, 2.0, 10.0, 10.0, 2)

"""What is still open counts, and what it is counted as follows from the definition."""

from __future__ import annotations

import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rotator.flow.survival import Span, estimate

HALF, MOST = 0.5, 0.95
SPANS = st.lists(st.builds(Span, st.integers(1, 30).map(float), st.booleans()), min_size=1, max_size=40)


def test_a_published_example() -> None:
    """The remission times of 21 patients of Freireich and others (1963), as every textbook of survival has them."""
    ended = [6, 6, 6, 7, 10, 13, 16, 22, 23]
    left = [6, 9, 10, 11, 17, 19, 20, 25, 32, 32, 34, 35]
    found = estimate(
        [Span(float(each), ended=True) for each in ended] + [Span(float(each), ended=False) for each in left]
    )
    assert [(at, round(share, 4)) for at, share in found.steps] == [
        (0, 1),
        (6, 0.8571),
        (7, 0.8067),
        (10, 0.7529),
        (13, 0.6902),
        (16, 0.6275),
        (22, 0.5378),
        (23, 0.4482),
    ]
    assert (found.quantile(HALF), found.quantile(MOST), found.mean_s) == (23, None, None)
    assert (found.ended, found.still_open, found.longest_s, found.longest_open_s) == (9, 12, 23, 35)


@given(st.lists(st.integers(1, 30).map(float), min_size=1, max_size=40))
def test_where_nothing_is_open_it_is_the_plain_distribution(seconds: list[float]) -> None:
    found = estimate(Span(each, ended=True) for each in seconds)
    for at, share in found.steps:
        assert share == sum(each > at for each in seconds) / len(seconds)
    assert found.mean_s == pytest.approx(statistics.fmean(seconds))
    assert found.quantile(HALF) == statistics.median_low(seconds)
    assert found.restricted_mean_s(10.0) == pytest.approx(statistics.fmean(min(each, 10.0) for each in seconds))


@given(SPANS)
def test_the_share_never_grows_and_ends_at_nothing_only_where_the_last_has_ended(spans: list[Span]) -> None:
    found = estimate(spans)
    shares = [share for _, share in found.steps]
    assert shares[0] == 1
    assert shares == sorted(shares, reverse=True)
    last = max(each.seconds for each in spans)
    assert (shares[-1] == 0) == all(each.ended for each in spans if each.seconds == last)


@given(SPANS.filter(lambda spans: any(each.ended for each in spans)))
def test_to_leave_out_what_is_open_would_look_faster(spans: list[Span]) -> None:
    half = estimate(spans).quantile(HALF)
    of_ended = estimate(each for each in spans if each.ended).quantile(HALF)
    assert of_ended is not None
    assert half is None or half >= of_ended


def test_of_nothing_nothing_is_known() -> None:
    found = estimate([])
    assert (found.steps, found.mean_s, found.quantile(HALF)) == ([], None, None)
    with pytest.raises(ValueError, match="nothing is known"):
        found.restricted_mean_s(1.0)

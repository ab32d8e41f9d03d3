"""When people are reminded: ever more seldom, once for all that was missed, and again as an end comes near."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from rotator.flow.reminding import SELDOM_S, latest

DAY = 86400.0
BEGUN = 1_790_000_000.0
AFTER = st.floats(0, 400 * DAY)


def moments(until, ends=None, step=DAY / 4):
    """Return the moments of all reminders, as who looks often sees them."""
    looks = (BEGUN + step * number for number in range(int(until / step) + 1))
    return sorted({at for now in looks if (at := latest(BEGUN, ends, now)) is not None})


def test_it_is_told_after_a_day_and_then_after_twice_as_long_up_to_a_fortnight():
    assert [(at - BEGUN) / DAY for at in moments(60 * DAY)] == [1, 3, 7, 15, 29, 43, 57]


def test_what_ends_by_itself_is_told_of_again_and_again_before_that():
    told = [(at - BEGUN) / DAY for at in moments(40 * DAY, BEGUN + 36 * DAY)]
    assert told == [1, 3, 7, 15, 22, 29, 33, 35, 36]


@given(AFTER, AFTER, st.none() | AFTER)
def test_a_reminder_is_never_of_the_future_and_never_taken_back(one, other, ends):
    first, second = sorted((one, other))
    end = None if ends is None else BEGUN + ends
    before, after = (latest(BEGUN, end, BEGUN + each) for each in (first, second))
    for at, now in ((before, first), (after, second)):
        assert at is None or BEGUN < at <= BEGUN + now
    assert before is None or (after is not None and after >= before)


@given(st.floats(30 * DAY, 4000 * DAY))
def test_nobody_is_left_in_peace_for_longer_than_a_fortnight(after):
    at = latest(BEGUN, None, BEGUN + after)
    assert at is not None
    assert after - (at - BEGUN) < SELDOM_S + 1.0


def test_pauses_only_grow():
    pauses = [after - before for before, after in pairwise(moments(200 * DAY))]
    assert pauses == sorted(pauses)

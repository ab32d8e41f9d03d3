"""When dead credentials are looked at again, and what stops again what has come back."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from rotator.flow.proof import Evidence, Proof
from rotator.flow.resurrection import DAY_S, HOUR_S, Sight, is_alive, moments, next_after
from rotator.ports.provider import Answer, State, Verdict

NAMES = st.text(min_size=1, max_size=40)
DAYS = st.integers(1, 60)
SINCE = 1_700_000_000.0


@given(name=NAMES, days=DAYS)
def test_looks_come_after_an_hour_six_hours_a_day_and_then_daily_until_the_end(name, days):
    until = SINCE + days * DAY_S
    found = list(moments(SINCE, until, name))
    assert HOUR_S <= found[0] - SINCE <= HOUR_S * 9 / 8
    assert 6 * HOUR_S <= found[1] - SINCE <= 7 * HOUR_S
    for number, at in enumerate(found[2:], start=1):
        assert number * DAY_S <= at - SINCE <= number * DAY_S + 3 * HOUR_S
    assert all(before < after for before, after in pairwise(found))
    assert all(SINCE < at < until for at in found)
    assert len(found) in {days + 1, days + 2}  # nothing is left out, and nothing comes after the end


@given(name=NAMES, days=DAYS, down=st.floats(0, 61 * DAY_S))
def test_whatever_was_missed_is_caught_up_by_one_look(name, days, down):
    until = SINCE + days * DAY_S
    now = SINCE + down
    after = next_after(now, SINCE, until, name)
    every = list(moments(SINCE, until, name))
    assert after == next((at for at in every if at > now), None)
    seen, at = 0, next_after(SINCE, SINCE, until, name)
    clock = now
    while at is not None and at <= clock:
        seen, at = seen + 1, next_after(clock, SINCE, until, name)
    assert seen <= 1


def test_a_midnight_makes_no_spike_of_ten_thousand():
    until = SINCE + 3 * DAY_S
    days = [list(moments(SINCE, until, f"inc-1.r{number}"))[2] for number in range(10_000)]
    minutes = [0] * 181
    for at in days:
        minutes[int((at - SINCE - DAY_S) // 60)] += 1
    assert max(minutes) < 3 * 10_000 / len(minutes)


DEAD = Proof("", known_at=1.0, accepted_at=1.0, refused_since=2.0, dead_at=2.0, evidence=Evidence.PROVEN)


def test_an_issuers_yes_or_a_door_that_opens_is_life_and_nothing_else_is():
    def seen(state, answer=None):
        verdict = None if answer is None else Verdict(answer, "said")
        return is_alive(DEAD, Sight("", state, verdict), 5.0, 100.0)

    assert seen(State.ACTIVE)
    assert seen(State.ABSENT, Answer.ACCEPTED)
    assert not seen(State.ABSENT)
    assert not seen(State.SUSPENDED, Answer.REJECTED)
    assert not seen(State.ABSENT, Answer.INCONCLUSIVE)
    assert not seen(None)

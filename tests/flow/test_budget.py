"""Budgets: a bucket is never overdrawn and wastes nothing, throttling slows down and is forgotten, a breaker probes."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rotator.flow.budget import (
    CUT_EVERY_S,
    FAILURES,
    FIRST_PROBE_S,
    FORGOTTEN_AT,
    GIVEN_BACK,
    LEAST_SHARE,
    LONGEST_PAUSE_S,
    LONGEST_PROBE_S,
    LOOKED_AT_S,
    PAUSE_S,
    Admission,
    Limit,
    admits,
    brought_up,
    charge,
    clipped,
    fresh,
    given_back,
    limit_of,
)
from rotator.flow.grants import Waiting, grant, next_window
from rotator.flow.planned import Lane

A = "aws:1"
ROOM = dict.fromkeys(Lane, 1000)
limits = st.builds(Limit, st.floats(0.1, 200), st.integers(1, 50))
pauses = st.floats(0, 3)


def waiting(*calls, account=A, lane=Lane.CONTAIN, priority=1.0, named="b"):
    return [
        Waiting(f"{named}{number}", account, lane, priority, float(number), each) for number, each in enumerate(calls)
    ]


def granted(found, account, limit, now, room=ROOM, *, unclaimed=None):
    return grant(found, {A: account}, lambda _: limit, room, unclaimed or {}, now)


class Worked:
    """An account that is always asked for as much as it gives, by dispatchers whose clocks disagree."""

    def __init__(self, limit):
        self.limit, self.now, self.account = limit, 1000.0, fresh(A, limit, 1000.0, "ann")
        self.made = []

    def ask(self, passed, costs, by="ann", ahead=0.0):
        self.now += passed
        theirs = self.now + ahead
        self.account = brought_up(self.account, self.limit, theirs, by)
        grants, paid = granted(waiting(*costs), self.account, self.limit, theirs)
        self.account = paid.get(A, self.account)
        self.made += [(self.now, each.calls) for each in grants]
        return grants


hands = st.sampled_from([("ann", 0.0), ("ben", 3600.0), ("eve", -50.0)])
asked = st.tuples(pauses, st.lists(st.integers(1, 9), max_size=30), hands)


@settings(deadline=None)
@given(limits, st.lists(asked, max_size=40))
def test_no_interval_ever_has_more_calls_than_rate_and_burst_allow_whoever_grants_them(limit, story):
    worked = Worked(limit)
    for passed, costs, (by, ahead) in story:
        worked.ask(passed, costs, by, ahead)
    debt = 9 - limit.needs(9)  # the dearest of them
    for place, (begin, _) in enumerate(worked.made):
        calls = 0
        for end, charged in worked.made[place:]:
            calls += charged
            assert calls <= limit.calls_per_second * (end - begin) + limit.holds + debt + 1e-6


@settings(deadline=None)
@given(limits, st.lists(st.tuples(pauses, st.lists(st.just(1), max_size=300)), max_size=40))
def test_calls_that_cost_one_never_pass_rate_and_burst(limit, story):
    worked = Worked(limit)
    for passed, costs in story:
        worked.ask(passed, costs)
    for place, (begin, _) in enumerate(worked.made):
        for number, (end, _) in enumerate(worked.made[place:], start=1):
            assert number <= limit.calls_per_second * (end - begin + LOOKED_AT_S) + limit.holds + 1e-6


@settings(deadline=None, max_examples=25)
@given(st.floats(1, 100), st.integers(1, 20), st.lists(st.integers(1, 30), min_size=400, max_size=400))
def test_under_steady_demand_nothing_of_the_rate_is_wasted(rate, burst, costs):
    worked, left = Worked(Limit(rate, burst)), list(costs)
    for _ in range(200):
        left = left[len(worked.ask(0.05, left[:20])) :]
        if not left:
            return
    spent = sum(charged for _, charged in worked.made)
    assert spent >= rate * 10 - max(costs)


@given(limits, st.lists(st.integers(0, 9), max_size=20), st.integers(0, 20))
def test_what_fits_goes_and_nothing_overtakes_what_does_not(limit, costs, room):
    account = fresh(A, limit, 0.0, "ann")
    grants, paid = granted(waiting(*costs), account, limit, 0.0, dict.fromkeys(Lane, room))
    went = [each.branch for each in grants]
    assert went == [f"b{number}" for number in range(len(went))]
    if len(went) < min(len(costs), room):
        left = paid.get(A, account).tokens
        at_hand = sum(costs[: len(went)])
        held_back = costs[len(went)]
        assert left < limit.needs(held_back) or at_hand + held_back > limit.holds


def test_containment_goes_before_replacement_before_hygiene_then_by_priority_then_by_age():
    found = [
        Waiting("hygiene", A, Lane.HYGIENE, 9.0, 0.0, 1),
        Waiting("replace", A, Lane.REPLACE, 99.0, 0.0, 1),
        Waiting("young", A, Lane.CONTAIN, 1.0, 5.0, 1),
        Waiting("old", A, Lane.CONTAIN, 1.0, 4.0, 1),
        Waiting("risky", A, Lane.CONTAIN, 2.0, 9.0, 1),
    ]
    grants, _ = granted(found, fresh(A, None, 0.0, "ann"), None, 0.0)
    assert [each.branch for each in grants] == ["risky", "old", "young", "replace", "hygiene"]
    assert {each.calls for each in grants} == {None}


def test_one_accounts_want_does_not_hold_up_another():
    limit = Limit(1.0, 2)
    poor, rich = fresh("poor", limit, 0.0, "ann"), fresh("rich", limit, 0.0, "ann")
    found = waiting(2, 1, account="poor") + waiting(1, 1, account="rich", named="r", priority=0.1)
    grants, paid = grant(found, {"poor": poor, "rich": rich}, lambda _: limit, ROOM, {}, 0.0)
    assert [each.branch for each in grants] == ["b0", "r0", "r1"]
    assert (paid["poor"].tokens, paid["rich"].tokens) == (0.0, 0.0)


def test_a_full_lane_keeps_its_own_accounts_less_urgent_work_back_and_no_other():
    other = fresh("other", None, 0.0, "ann")
    found = [
        *waiting(1, 1),
        *waiting(1, lane=Lane.REPLACE, named="r"),
        *waiting(1, account="other", lane=Lane.REPLACE, named="o"),
    ]
    accounts = {A: fresh(A, None, 0.0, "ann"), "other": other}
    grants, _ = grant(found, accounts, lambda _: None, {**ROOM, Lane.CONTAIN: 1}, {}, 0.0)
    assert [each.branch for each in grants] == ["b0", "o0"]


def test_what_costs_more_than_the_bucket_holds_goes_into_debt_and_is_paid_off():
    limit = Limit(10.0, 4)
    account = fresh(A, limit, 0.0, "ann")
    _, paid = granted(waiting(9, 1), account, limit, 0.0)
    assert paid[A].tokens == -5
    assert granted(waiting(1), brought_up(paid[A], limit, 0.59, "ann"), limit, 0.59)[0] == []
    assert len(granted(waiting(1), brought_up(paid[A], limit, 0.6, "ann"), limit, 0.6)[0]) == 1


def test_calls_that_nobody_will_make_are_given_back_up_to_a_full_bucket():
    limit = Limit(1.0, 5)
    _, paid = granted(waiting(5), fresh(A, limit, 0.0, "ann"), limit, 0.0)
    assert given_back(paid[A], limit, 3).tokens == 3
    assert given_back(paid[A], limit, 9).tokens == 5
    assert given_back(paid[A], None, 9) == paid[A]


def test_calls_that_nobody_makes_yet_are_no_more_than_the_bucket_holds():
    limit = Limit(10.0, 5)
    account = fresh(A, limit, 0.0, "ann")
    assert granted(waiting(1), account, limit, 0.0, unclaimed={A: 5})[0] == []
    assert len(granted(waiting(1, 1), account, limit, 0.0, unclaimed={A: 4})[0]) == 1


@pytest.mark.parametrize(
    ("outstanding", "dearest", "left"),
    # What comes in a fifth of a second is never taken away, nor what the next one needs.
    [(0, 4, 40.0), (16, 4, 24.0), (40, 4, 8.0), (400, 4, 8.0), (400, 12, 12.0), (400, 99, 36.0)],
)
def test_what_comes_in_while_granted_calls_wait_is_lost_as_it_is_at_the_provider(outstanding, dearest, left):
    limit = Limit(40.0, 40)
    account = fresh(A, limit, 0.0, "ann")
    assert clipped(account, limit, outstanding, dearest).tokens == left
    poor = replace(account, tokens=-3.0)
    assert clipped(poor, limit, outstanding, dearest) is poor
    assert clipped(account, None, outstanding, dearest) is account


def noted(account, now, *, limit=None, by="ann", **met):
    return brought_up(replace(account, **met), limit, now, by)


def test_a_throttling_pauses_the_account_and_halves_its_share():
    limit = Limit(10.0, 10)
    account = noted(fresh(A, limit, 0.0, "ann"), 0.0, limit=limit, throttled=3, pause_s=7.0)
    assert (account.share, account.pause_until, account.tokens) == (0.5, 7.0, 0.0)
    assert (account.throttled, account.pause_s) == (0, None)
    assert admits(account, 6.9) is Admission.NOTHING
    assert admits(account, 7.0) is Admission.ANY
    assert brought_up(account, limit, 7.0, "ann").tokens == 0
    assert brought_up(account, limit, 7.2, "ann").tokens == pytest.approx(1.0, rel=0.03)


def test_a_throttling_without_a_time_pauses_for_a_moment_and_an_absurd_time_not_for_ever():
    account = fresh(A, None, 0.0, "ann")
    assert noted(account, 5.0, throttled=1).pause_until == 5.0 + PAUSE_S
    assert noted(account, 5.0, throttled=1, pause_s=1e9).pause_until == 5.0 + LONGEST_PAUSE_S


def test_what_was_sent_before_the_cut_does_not_cut_again():
    limit = Limit(10.0, 10)
    account = noted(fresh(A, limit, 0.0, "ann"), 0.0, limit=limit, throttled=1, pause_s=0.2)
    assert noted(account, 0.1, limit=limit, throttled=1, pause_s=0.2).share == 0.5
    assert noted(account, 0.5, limit=limit, throttled=1, pause_s=0.2).share < 0.51 + CUT_EVERY_S * GIVEN_BACK
    assert noted(account, CUT_EVERY_S, limit=limit, throttled=1).share < 0.3


def test_a_time_that_is_asked_for_without_throttling_pauses_and_cuts_nothing():
    account = noted(fresh(A, Limit(1.0), 0.0, "ann"), 0.0, limit=Limit(1.0), pause_s=9.0)
    assert (account.share, account.pause_until) == (1.0, 9.0)


@given(limits, st.integers(1, 12))
def test_the_share_halves_never_to_nothing_and_comes_back_whole(limit, times):
    account, now = fresh(A, limit, 0.0, "ann"), 0.0
    for _ in range(times):
        before = brought_up(account, limit, now, "ann").share
        account = noted(account, now, limit=limit, throttled=1, pause_s=0.0)
        assert account.share == max(LEAST_SHARE, before / 2)
        now += CUT_EVERY_S
    seconds, shares = 0.0, [account.share]
    while shares[-1] < 1.0:
        seconds += 1.0
        shares.append(brought_up(account, limit, now + seconds, "ann").share)
    assert shares == sorted(shares)
    assert seconds <= 1 / GIVEN_BACK + 1
    assert brought_up(account, limit, now + 1e6, "ann").share == 1.0


@given(limits, st.lists(st.floats(0, 20), min_size=2, max_size=20))
def test_looking_more_often_gives_neither_more_nor_less(limit, steps):
    cut = noted(fresh(A, limit, 0.0, "ann"), 0.0, limit=limit, throttled=1, pause_s=0.0)
    cut = replace(cut, tokens=-1e9)  # so that the bucket is never full
    often, now = cut, 0.0
    for each in steps:
        now += each
        often = brought_up(often, limit, now, "ann")
    at_once = brought_up(cut, limit, now, "ann")
    assert often.share == pytest.approx(at_once.share)
    assert often.tokens + 1e9 == pytest.approx(at_once.tokens + 1e9, rel=1e-3, abs=1e-3)


def test_an_account_without_a_budget_learns_one_when_it_is_throttled_and_forgets_it_by_and_by():
    account = fresh(A, None, 0.0, "ann")
    for tick in range(100):  # 40 calls a second for five seconds
        account = charge(account, None, 2, tick * 0.05)
    account = noted(account, 5.0, throttled=1, pause_s=1.0)
    assert account.learned == pytest.approx(40, rel=0.05)
    limit = limit_of(account, None)
    assert limit == Limit(account.learned, int(account.learned))
    [first], _ = granted(waiting(1), brought_up(account, None, 6.1, "ann"), None, 6.1)
    assert first.calls == 1
    later = brought_up(account, None, 7.0, "ann")
    assert later.tokens == pytest.approx(limit.calls_per_second * (0.5 + GIVEN_BACK / 2), rel=0.05)
    free_at = 6.0 + (FORGOTTEN_AT - 0.5) / GIVEN_BACK
    assert brought_up(account, None, free_at - 1, "ann").learned is not None
    assert brought_up(account, None, free_at + 1, "ann").learned is None


def test_a_rate_is_told_of_the_last_seconds_alone():
    account = fresh(A, None, 0.0, "ann")
    for second in range(60):
        account = charge(account, None, 10 if second < 50 else 100, float(second))
    assert noted(account, 60.0, throttled=1).learned == pytest.approx(100, rel=0.1)


def test_a_limit_that_somebody_configured_learns_nothing():
    account = noted(fresh(A, Limit(5.0), 0.0, "ann"), 0.0, limit=Limit(5.0), throttled=1)
    assert account.learned is None
    assert limit_of(account, Limit(5.0)) == Limit(5.0)


def test_failures_in_a_row_open_the_breaker_and_one_probe_goes_now_and_then():
    account = noted(fresh(A, None, 0.0, "ann"), 0.0, failures=FAILURES - 1)
    assert admits(account, 0.0) is Admission.ANY
    account = noted(account, 0.0, failures=FAILURES)
    waits = []
    now = 0.0
    for _ in range(9):
        assert admits(account, account.probe_at - 0.01) is Admission.NOTHING
        waits.append(account.probe_at - now)
        now = account.probe_at
        account = brought_up(account, None, now, "ann")
        [probe], paid = granted(waiting(1, 1), account, None, now)
        assert probe.probe
        account = noted(paid[A], now, failures=account.failures + 1)
    assert waits == [FIRST_PROBE_S, 2.0, 4.0, 8.0, 16.0, 32.0, *[LONGEST_PROBE_S] * 3]


def test_a_probe_is_who_waits_longest_and_among_equals_the_riskiest():
    found = [
        Waiting("urgent", A, Lane.CONTAIN, 9.0, 5.0, 1),
        Waiting("old", A, Lane.HYGIENE, 1.0, 4.0, 1),
        Waiting("old and risky", A, Lane.REPLACE, 2.0, 4.0, 1),
    ]
    account = noted(fresh(A, None, 0.0, "ann"), 0.0, failures=FAILURES)
    [probe], _ = granted(found, account, None, account.probe_at)
    assert probe.branch == "old and risky"


def test_a_success_closes_the_breaker_and_everything_goes_on():
    account = noted(fresh(A, None, 0.0, "ann"), 0.0, failures=FAILURES + 30)
    account = noted(account, 1.0, failures=0)
    grants, _ = granted(waiting(1, 1, 1), account, None, 1.0)
    assert [each.probe for each in grants] == [False, False, False]
    assert noted(account, 2.0, failures=FAILURES).probe_at == 2.0 + FIRST_PROBE_S


def test_after_a_failure_each_message_tells_of_a_success():
    grants, _ = granted(waiting(1, 1), noted(fresh(A, None, 0.0, "ann"), 0.0, failures=1), None, 0.0)
    assert [each.probe for each in grants] == [True, True]


def test_a_new_leader_gives_nothing_for_time_that_another_clock_told():
    limit = Limit(10.0, 100)
    account = replace(fresh(A, limit, 0.0, "ann"), tokens=3.0)
    taken = brought_up(account, limit, 3600.0, "ben")
    assert (taken.tokens, taken.filled_by) == (3.0, "ben")
    assert brought_up(taken, limit, 3601.0, "ben").tokens == 13.0
    behind = replace(account, pause_until=1e9, probe_at=1e9, failures=FAILURES)
    taken = brought_up(behind, limit, 50.0, "ben")
    assert (taken.pause_until, taken.probe_at) == (50.0 + LONGEST_PAUSE_S, 50.0 + LONGEST_PROBE_S)


@pytest.mark.parametrize(
    ("window", "left", "full", "after"),
    [
        (64, 0, True, 128),  # workers ran out of them
        (64, 15, True, 128),
        (64, 20, True, 64),
        (64, 60, True, 64),
        (128, 100, True, 112),
        (128, 0, False, 112),  # there was no more to send
        (1000, 0, True, 1024),
    ],
)
def test_a_window_grows_while_workers_run_out_and_shrinks_again(window, left, full, after):
    assert next_window(window, left, 64, 1024, was_full=full) == after

"""Which credentials are due, and when: spread over the window, never outside of it, and once after a down time."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rotator.credential import CredentialRef
from rotator.flow.hygiene import (
    Freeze,
    Known,
    Policy,
    Turn,
    aged,
    chosen,
    next_window,
    ripe,
    share,
    soon,
    turns,
    window,
    youngest_s,
)
from rotator.flow.selector import selector
from rotator.flow.timetable import timetable

DAY, HOUR, MINUTE = 86400.0, 3600.0, 60.0
BERLIN = ZoneInfo("Europe/Berlin")
MONDAY = datetime(2026, 11, 23, 12, 0, tzinfo=UTC).timestamp()
POLICY = Policy(
    name="keys",
    select=selector("provider:aws_*", "a test"),
    max_age_s=90 * DAY,
    timetable=timetable("0 2 * * *"),
    window_s=4 * HOUR,
    zone=UTC,
    jitter_s=0.0,
    overlap_s=DAY,
    deadline_s=7 * DAY,
    at_once=10,
    freezes=(),
    approved_by="jana",
    expires=MONDAY + 365 * DAY,
)
OPENS = datetime(2026, 11, 24, 2, 0, tzinfo=UTC).timestamp()


def known(name, made_at=0.0, owner="", busy="", kind="aws_iam_access_key"):
    ref = CredentialRef(kind, "aws", owner or name, name)
    told = {"id": name, "owner": ref.owner, "environment": "", "connection": "aws", "provider": kind}
    return Known(ref, told, made_at, busy)


def only(policy, each, now):
    [found] = turns([policy], [each], now)
    return found


def test_a_hundred_thousand_make_no_spike_in_any_minute():
    assert is_spread(POLICY, 100_000)


@settings(max_examples=3, deadline=None)
@given(name=st.text(min_size=1, max_size=20))
def test_no_policy_has_a_name_that_makes_a_spike(name):
    assert is_spread(replace(POLICY, name=name), 10_000)


def is_spread(policy, many):
    """Tell whether each minute of the window has some, and none many more than its share."""
    found = turns([policy], (known(f"AKIA{number}") for number in range(many)), MONDAY)
    minutes = Counter(int((each.starts_at - OPENS) // MINUTE) for each in found)
    mean = many / 240
    return set(minutes) == set(range(240)) and max(minutes.values()) < mean + 6 * mean**0.5


@settings(max_examples=3, deadline=None)
@given(name=st.text(min_size=1, max_size=20))
def test_what_was_made_on_one_day_is_due_on_many_and_never_later_than_it_may(name):
    policy = replace(POLICY, name=name, jitter_s=30 * DAY)
    found = turns([policy], (known(f"AKIA{number}") for number in range(10_000)), MONDAY)
    days = Counter(int(each.due_at // DAY) for each in found)
    assert set(days) == set(range(60, 90))
    assert max(days.values()) < 10_000 / 30 * 1.3
    assert all(each.due_at <= 90 * DAY for each in found)


def test_a_share_is_the_same_in_every_process_and_another_in_another_policy():
    ref = known("AKIA1").ref
    assert share("keys", "window", ref) == share("keys", "window", ref)
    assert share("keys", "window", ref) == pytest.approx(0.8763, abs=1e-4)
    assert share("others", "window", ref) != share("keys", "window", ref)


def test_an_age_that_nobody_knows_is_said_and_never_begun():
    found = only(POLICY, known("AKIA1", made_at=None), OPENS + 3 * HOUR)
    assert (found.turn, found.due_at, found.starts_at) == (Turn.UNKNOWN, None, None)


@given(after=st.floats(0, 400 * DAY), made=st.floats(-400 * DAY, 400 * DAY))
def test_nothing_begins_outside_of_a_window_or_before_it_is_old_enough(after, made):
    now = MONDAY + after
    found = only(POLICY, known("AKIA1", MONDAY + made), now)
    if found.turn is Turn.NOW:
        assert 2 * HOUR <= now % DAY < 6 * HOUR
        assert now >= MONDAY + made + POLICY.max_age_s
    elif found.turn is Turn.WAITS:
        assert found.starts_at > now >= found.due_at


@given(away=st.integers(1, 60), moment=st.floats(0, 1, exclude_max=True))
def test_after_a_down_time_of_many_windows_each_comes_once(away, moment):
    """What was missed is due in the next window, and young once it was replaced there."""
    opens = OPENS + away * DAY
    ends = opens + POLICY.window_s - 1
    missed = only(POLICY, known("AKIA1", OPENS - 90 * DAY), ends)
    assert missed.turn is Turn.NOW
    replaced = only(POLICY, known("AKIA2", ends), opens + DAY * (1 + int(moment * 80)) + 3 * HOUR)
    assert replaced.turn is Turn.YOUNG


@given(now=st.floats(MONDAY, MONDAY + 400 * DAY))
def test_a_freeze_shuts_what_is_open_and_what_would_open(now):
    policy = replace(POLICY, freezes=(Freeze(date(2026, 12, 20), date(2027, 1, 6), "year's end"),))
    day = datetime.fromtimestamp(now, UTC).date()
    frozen = date(2026, 12, 20) <= day <= date(2027, 1, 6)
    assert window(policy, now) is None or not frozen
    opens = datetime.fromtimestamp(next_window(policy, now).opens_at, UTC).date()
    assert not date(2026, 12, 20) <= opens <= date(2027, 1, 6)


@pytest.mark.parametrize("line", ["30 2 * * *", "0 0 * * *", "59 23 * * *", "0 3 * * *"])
def test_a_window_opens_once_on_each_day_of_a_year_whatever_the_clock_on_the_wall_does(line):
    found, at = [], datetime(2026, 1, 1, tzinfo=BERLIN).timestamp() - 1
    ends = datetime(2027, 1, 1, tzinfo=BERLIN).timestamp() - 1
    while (at := timetable(line).after(at, BERLIN)) <= ends:
        found.append(datetime.fromtimestamp(at, BERLIN).date())
        assert timetable(line).before(at, BERLIN) == at
    assert found == [date(2026, 1, 1) + timedelta(days=number) for number in range(365)]


@given(now=st.floats(MONDAY - 3000 * DAY, MONDAY + 3000 * DAY))
def test_the_last_opening_and_the_next_have_none_between_them(now):
    table = timetable("15 1,13 * * mon-fri")
    before, after = table.before(now, BERLIN), table.after(now, BERLIN)
    assert before <= now < after
    assert table.after(before, BERLIN) == after


@pytest.mark.parametrize(
    ("line", "first"),
    [
        ("*/20 * * * *", "2026-11-23T12:20"),
        ("0 2 1 * *", "2026-12-01T02:00"),
        ("0 2 * * sun", "2026-11-29T02:00"),
        ("0 2 * * 7", "2026-11-29T02:00"),
        ("0 2 13 * fri", "2026-11-27T02:00"),
        ("0 0 29 feb *", "2028-02-29T00:00"),
    ],
)
def test_a_line_of_cron_means_what_cron_means(line, first):
    assert datetime.fromtimestamp(timetable(line).after(MONDAY, UTC), UTC).isoformat()[:16] == first


@pytest.mark.parametrize("line", ["", "* * * *", "60 * * * *", "* 5-3 * * *", "*/0 * * * *", "0 0 30 2 *", "a * * * *"])
def test_what_is_no_line_of_cron_is_refused_in_words(line):
    with pytest.raises(ValueError, match=r"`|fields"):
        timetable(line)


@settings(max_examples=60, deadline=None)
@given(
    made=st.lists(st.floats(-300, -20), min_size=1, max_size=12),
    ends=st.integers(0, 30),
    drawn=st.floats(0, 3),
    after=st.floats(0, 1, exclude_max=True),
)
def test_who_is_ripe_of_those_who_may_be_soon_is_whose_turn_it_is_of_all(made, ends, drawn, after):
    policies = [
        replace(POLICY, jitter_s=30 * DAY),
        replace(POLICY, name="few", select=selector("id:AKIA1*", "a test"), max_age_s=30 * DAY, jitter_s=DAY),
    ]
    all_of_them = [known(f"AKIA{number}", MONDAY + days * DAY) for number, days in enumerate(made)]
    all_of_them[0] = replace(all_of_them[0], ends_at=MONDAY + ends * DAY)
    at = OPENS + drawn * DAY
    until = at + min(DAY, youngest_s(policies))
    now = at + after * (until - at)
    every = [each for each in turns(policies, all_of_them, now) if each.turn is Turn.NOW]
    assert ripe(policies, soon(policies, all_of_them, until), now) == every


def test_as_many_as_may_be_replaced_at_once_are_chosen_the_oldest_first_and_of_each_owner_one():
    ends = OPENS + POLICY.window_s - 1
    credentials = [known(f"AKIA{number}", made_at=float(number)) for number in range(20)]
    credentials += [known("twin", made_at=-1.0, owner="AKIA0"), known("busy", made_at=-2.0, busy="inc-1 answers it")]
    found = turns([POLICY], credentials, ends)
    assert [each.known.ref.id for each in chosen(found, POLICY, 7)] == ["twin", "AKIA1", "AKIA2"]
    assert chosen(found, POLICY, 11) == []


def test_the_closest_policy_counts_and_what_none_covers_is_left_alone():
    near = replace(POLICY, name="near", select=selector("id:AKIA1", "a test"), max_age_s=DAY)
    found = turns([POLICY, near], [known("AKIA1"), known("AKIA2"), known("x", kind="vault_token")], MONDAY)
    assert {each.known.ref.id: each.policy for each in found} == {"AKIA1": "near", "AKIA2": "keys"}


@pytest.mark.parametrize("line", ["0 2 * * *", "*/30 * * * *", "0 2 1 * *"])
def test_in_a_window_that_is_longer_than_until_the_next_everybody_has_a_turn(line):
    long = replace(POLICY, timetable=timetable(line), window_s=40 * DAY, zone=BERLIN)
    every = [known(f"k{n}", made_at=MONDAY - 365 * DAY) for n in range(50)]
    opened = window(long, MONDAY)
    assert opened.closes_at == next_window(long, MONDAY).opens_at
    assert len(ripe([long], every, opened.closes_at - 1e-3)) == 50
    assert len(ripe([long], every, opened.opens_at + (opened.closes_at - opened.opens_at) / 2)) < 40


def test_it_is_told_truly_when_what_comes_due_in_an_open_window_has_its_turn():
    long = replace(POLICY, window_s=40 * DAY)
    each = known("k", made_at=MONDAY - 80 * DAY + HOUR)
    told = only(long, each, MONDAY)
    assert not ripe([long], [each], told.starts_at - 1.0)
    assert ripe([long], [each], told.starts_at)


@given(
    ages=st.lists(st.one_of(st.none(), st.floats(60.0, 100.0)), max_size=20),
    ends=st.lists(st.one_of(st.none(), st.floats(0.0, 20.0)), max_size=20),
    jitter=st.floats(0.0, 30.0),
)
def test_of_whom_the_turn_is_asked_are_all_but_the_young(ages, ends, jitter):
    policies = [replace(POLICY, jitter_s=jitter * DAY), replace(POLICY, name="of 3", select=selector("id:3", "a test"))]
    every = [
        replace(
            known(f"{number}", made_at=None if age is None else MONDAY - age * DAY),
            ends_at=None if end is None else MONDAY + end * DAY,
        )
        for number, (age, end) in enumerate(zip(ages, ends, strict=False))
    ]
    old = [each.known for each in turns(policies, every, MONDAY) if each.turn is not Turn.YOUNG]
    assert {each.ref for each in aged(policies, every, MONDAY)} == {each.ref for each in old}
    left_out = [
        each for each in every if each.ends_at is None and (each.made_at or 0.0) > MONDAY - youngest_s(policies)
    ]
    assert not {each.ref for each in left_out} & {each.ref for each in old}


@pytest.mark.parametrize("zone", [ZoneInfo("America/Los_Angeles"), ZoneInfo("Asia/Tokyo")], ids=str)
@pytest.mark.parametrize("deadline_s", [MINUTE, 7 * DAY])
def test_what_its_issuer_says_ends_with_the_last_year_there_is_stops_nobody_elses_turn(zone, deadline_s):
    policy = replace(POLICY, timetable=timetable("0 22 * * fri"), zone=zone, deadline_s=deadline_s)
    never = replace(known("never"), made_at=None, ends_at=datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC).timestamp())
    told = turns([policy], [never, known("old")], MONDAY)
    assert {each.known.ref.id: each.turn for each in told} == {"never": Turn.YOUNG, "old": Turn.WAITS}

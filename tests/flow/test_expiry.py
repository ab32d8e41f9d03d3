"""When the end of a credential is near: a month before at most, no sooner than in the last third of its life."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rotator.credential import CredentialRef
from rotator.flow.expiry import expiring, watched_from
from rotator.flow.hygiene import Known, covered
from rotator.flow.selector import selector
from tests.flow.test_hygiene import POLICY

DAY = 86400.0
REF = CredentialRef("tls_certificate", "dc", "web", "1")


def lives(days, made_at=0.0):
    return Known(REF, {"provider": REF.provider}, made_at, ends_at=days * DAY)


@pytest.mark.parametrize(
    ("known", "before"),
    [(lives(365), 30), (lives(90), 30), (lives(30), 10), (lives(7), 7 / 3), (lives(365, made_at=None), 30)],
)
def test_it_is_watched_for_a_month_or_for_the_last_third_of_its_life(known, before):
    assert (known.ends_at - watched_from(known)) / DAY == pytest.approx(before)


@pytest.mark.parametrize("known", [lives(6.9), replace(lives(1), ends_at=None)])
def test_what_lives_for_days_or_for_ever_is_nobodys_task(known):
    assert watched_from(known) is None


@given(st.floats(0, 400), st.floats(7, 400))
def test_it_is_told_from_then_on_until_it_has_ended_and_no_longer(at, life):
    known = lives(life)
    near = watched_from(known) <= at * DAY < known.ends_at
    assert expiring([], [known], at * DAY) == ([known] if near else [])


def test_what_a_policy_in_force_covers_is_left_to_it_and_the_first_to_end_comes_first():
    keys = replace(POLICY, select=selector("provider:tls_*", "a test"), expires=100 * DAY)
    late, soon = lives(101), replace(lives(95), ref=REF.with_id("2"))
    assert expiring([keys], [late, soon], 90 * DAY) == []
    assert expiring([replace(keys, expires=80 * DAY)], [late, soon], 90 * DAY) == [soon, late]


def test_what_the_closest_policy_lets_go_is_told_though_a_wider_one_is_in_force_for_hygiene_begins_it_by_neither():
    wide = replace(POLICY, name="all", select=selector("provider:*", "a test"), expires=100 * DAY)
    close = replace(POLICY, name="tls", select=selector("provider:tls_certificate", "a test"), expires=80 * DAY)
    known = lives(95)
    assert expiring([wide, close], [known], 75 * DAY) == []
    assert covered([wide, close], known) is close
    assert expiring([wide, close], [known], 90 * DAY) == [known]

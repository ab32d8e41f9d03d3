"""Who knocks in vain too often waits, each by himself, and nobody is remembered for ever."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from rotator.api import knocks
from rotator.api.knocks import WINDOW_S, Knocks, neighbourhood


@given(st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 40)), max_size=20))
def test_nobody_is_let_knock_more_than_allowed_within_a_window_of_his(knocked):
    now, since, heard = 0.0, {}, {}
    counting = Knocks(3, lambda: now)
    for who, waits in knocked:
        now += waits
        if who not in since or now - since[who] >= WINDOW_S:
            since[who], heard[who] = now, 0
        heard[who] += 1
        left = counting.in_vain(who)
        assert (left is None) == (heard[who] <= 3)
        assert left is None or 0 < left <= WINDOW_S


def test_of_too_many_those_are_forgotten_who_knocked_first(monkeypatch):
    monkeypatch.setattr(knocks, "_MOST_WHO", 2)
    counting = Knocks(1, lambda: 0.0)
    for who in ("a", "b", "c"):
        assert counting.in_vain(who) is None
    assert counting.in_vain("c") is not None
    assert counting.in_vain("a") is None


def test_the_addresses_of_one_network_are_one_sender():
    assert neighbourhood("2001:db8::1") == neighbourhood("2001:db8::ffff") != neighbourhood("2001:db8:1::1")
    assert neighbourhood("192.0.2.1") != neighbourhood("192.0.2.2")
    assert neighbourhood("::ffff:192.0.2.1") == neighbourhood("192.0.2.1") != neighbourhood("::ffff:192.0.2.2")
    assert neighbourhood("testclient") == "testclient"

"""Keys are fetched when they are named, kept for a day, and not fetched in a loop because a stranger names others."""

from __future__ import annotations

import contextlib
import threading

import pytest

from rotator.api import public_keys
from rotator.api.public_keys import AGAIN_S, AT_MOST, KEEP_S, LONGEST_S, PublicKeys, fetched
from rotator.practice.process import free_port
from rotator.triggers import github_partner
from rotator.triggers.message import Refused
from tests.triggers.signing import KEY_ID, places


class Time:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock():
    return Time()


@pytest.fixture
def asked(monkeypatch):
    """Let each address hold the key of its own name; return what was asked for."""
    found = []

    def answers(address):
        found.append(address)
        return address.encode()

    monkeypatch.setattr(public_keys, "fetched", answers)
    return found


def named(keys, name, address=None):
    return keys.named("sns", name, address or name, lambda body: {body.decode(): b"key of " + body})


def refusal(keys, name, address=None):
    with pytest.raises(Refused) as refused:
        named(keys, name, address)
    return refused.value.reason


def test_a_key_is_kept_for_a_day(clock, asked):
    keys = PublicKeys(clock)
    for _ in range(3):
        assert named(keys, "a") == {"a": b"key of a"}
    assert asked == ["a"]
    clock.now += KEEP_S
    assert named(keys, "a") == {"a": b"key of a"}
    assert asked == ["a", "a"]


def test_a_key_that_is_not_there_is_looked_for_once_and_again_only_after_a_minute(clock, asked):
    keys = PublicKeys(clock)
    assert named(keys, "x", "a") == {}
    assert refusal(keys, "x", "a") == refusal(keys, "y", "a") == "not_ready"
    assert named(keys, "a") == {"a": b"key of a"}
    clock.now += AGAIN_S
    assert named(keys, "x", "a") == {}
    assert asked == ["a", "a"]


def test_few_addresses_are_asked_in_a_minute(clock, asked):
    keys = PublicKeys(clock)
    for number in range(AT_MOST):
        named(keys, str(number))
    assert refusal(keys, "one more") == "not_ready"
    assert len(asked) == AT_MOST
    clock.now += AGAIN_S
    assert named(keys, "one more")


def knock(keys, names):
    """Name keys as a stranger does, who hears that there are none."""
    for name in names:
        with contextlib.suppress(Refused):
            keys.named("sns", name, name, lambda _: (_ for _ in ()).throw(Refused("unknown_key")))


def test_no_stranger_takes_away_the_key_that_is_at_hand(clock, asked):
    """However many he names, and though the day is over in which it was fetched."""
    keys = PublicKeys(clock)
    named(keys, "true")
    for minute in range(100):
        clock.now += AGAIN_S
        knock(keys, (f"{minute}/{number}" for number in range(AT_MOST)))
        assert named(keys, "true")
    clock.now += KEEP_S
    knock(keys, map(str, range(AT_MOST)))
    assert named(keys, "true")
    clock.now += AGAIN_S
    assert named(keys, "true")
    assert asked.count("true") == 2
    clock.now += LONGEST_S
    for _ in range(2):  # a number of those that were named before, too
        knock(keys, map(str, range(2 * AT_MOST)))
    assert refusal(keys, "true") == "not_ready"


def test_no_stranger_holds_up_a_new_key_by_naming_ever_new_ones(clock, asked):
    """Whoever is refused and is true names his again, and at once."""
    keys = PublicKeys(clock)
    for minute in range(3):
        knock(keys, (f"{minute}/{number}" for number in range(2000)))
        true = f"true {minute}"
        assert refusal(keys, true) == "not_ready"
        knock(keys, (f"{minute}/then {number}" for number in range(2000)))
        assert named(keys, true) == {true: f"key of {true}".encode()}
        clock.now += AGAIN_S
    assert len(asked) == 3 * (AT_MOST + 1)


def test_few_addresses_are_asked_in_a_minute_though_they_are_named_again(clock, asked):
    keys = PublicKeys(clock)
    for _ in range(3):
        knock(keys, map(str, range(100)))
    assert len(asked) == 2 * AT_MOST


def test_a_key_that_is_withdrawn_is_gone_with_the_next_fetch(clock, asked):
    keys = PublicKeys(clock)
    keys.named("github", "old", "a", lambda _: {"old": b"1"})
    clock.now += KEEP_S
    assert keys.named("github", "new", "a", lambda _: {"new": b"2"})
    with pytest.raises(Refused):
        keys.named("github", "old", "a", lambda _: {"new": b"2"})
    assert asked == ["a", "a"]


@pytest.mark.usefixtures("asked")
def test_one_fetch_holds_up_nobody(clock, monkeypatch):
    keys, begun, ends = PublicKeys(clock), threading.Event(), threading.Event()
    named(keys, "known")

    def slowly(address):
        begun.set()
        assert ends.wait(60)
        return address.encode()

    monkeypatch.setattr(public_keys, "fetched", slowly)
    thread = threading.Thread(target=named, args=(keys, "new"))
    thread.start()
    assert begun.wait(60)
    assert named(keys, "known") == {"known": b"key of known"}
    assert refusal(keys, "third") == "not_ready"
    monkeypatch.setattr(public_keys, "fetched", str.encode)
    assert keys.named("another sender", "a", "a", lambda _: {"a": b"1"})
    ends.set()
    thread.join()
    assert named(keys, "new")


def test_an_address_that_does_not_answer_or_says_too_much_is_for_later():
    with places() as server:
        assert KEY_ID in github_partner.keys_in(fetched(f"{server.address}/keys"))
        for path in ("/nothing", "/long"):
            with pytest.raises(Refused, match="not_ready"):
                fetched(server.address + path)
    with pytest.raises(Refused, match="not_ready"):
        fetched(f"http://127.0.0.1:{free_port()}/keys")

"""What takes long is made once, beside; who looks meanwhile is shown what stood before, and told so."""

from __future__ import annotations

import threading

import pytest

from rotator.shown.beside import Beside
from rotator.shown.plans import BeingRead


class World:
    """Something that is so, and a look at it that may be held up."""

    def __init__(self) -> None:
        self.is_so, self.made = 1, []
        self.may_end, self.has_begun = threading.Event(), threading.Event()
        self.may_end.set()

    def make(self) -> int:
        found = self.is_so
        self.has_begun.set()
        self.may_end.wait()
        self.made.append(found)
        if found < 0:
            raise ValueError(found)
        return found

    def hold(self) -> None:
        self.may_end.clear()
        self.has_begun.clear()


@pytest.fixture
def world():
    made = World()
    yield made
    made.may_end.set()


def beside(world, *, is_large=True) -> Beside[int]:
    return Beside(lambda: world.is_so, world.make, is_large=lambda: is_large)


def test_the_first_is_being_read_and_then_shown(world):
    it = beside(world)
    world.hold()
    with pytest.raises(BeingRead):
        it.look(0)
    world.may_end.set()
    assert it.now() == 1
    assert it.look(0).is_now
    assert world.made == [1], "whoever asks shares it"


def test_what_stood_before_is_shown_as_that_until_what_is_so_now_is_made(world):
    it = beside(world)
    assert it.look(None).is_now
    world.hold()
    world.is_so = 2
    before = it.look(0)
    assert (before.made, before.is_now) == (1, False)
    world.may_end.set()
    after = it.look(None)
    assert (after.made, after.is_now) == (2, True)
    assert before.at <= after.at
    assert world.made == [1, 2]


def test_what_changes_while_it_is_made_is_made_once_more(world):
    it = beside(world)
    world.hold()
    with pytest.raises(BeingRead):
        it.look(0)
    assert world.has_begun.wait(30)
    world.is_so = 2
    with pytest.raises(BeingRead):
        it.look(0)
    world.may_end.set()
    assert it.now() == 2


def test_what_is_small_is_waited_for(world):
    it = beside(world, is_large=False)
    assert it.look(0).made == 1
    world.is_so = 2
    assert (it.look(0).made, it.look(0).is_now) == (2, True)


def test_who_waits_is_told_what_failed_and_who_asks_next_tries_again(world):
    it = beside(world)
    assert it.now() == 1
    world.is_so = -1
    with pytest.raises(ValueError, match="-1"):
        it.now()
    world.is_so = 2
    assert it.now() == 2

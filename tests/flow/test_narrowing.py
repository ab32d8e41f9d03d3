"""What a vendor gets anew is compared with what it had: a part of it, and less."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rotator.flow.narrowing import Reach, wider
from rotator.flow.paths import Names, split

NAMES = ["".join(letters) for length in range(1, 5) for letters in product("ab/", repeat=length)]
PATHS = st.text("ab/*", min_size=1, max_size=4).map(lambda path: f"kv:{path}")


def meant(entry):
    return {name for name, _ in Names((name.lstrip("/"), 0) for name in NAMES).take(split(entry)[1])}


@given(PATHS, PATHS)
def test_what_is_called_a_part_is_one_name_for_name(now, before):
    more, _ = wider([Reach(reads=(now,))], [Reach(reads=(before,))])
    assert more or meant(now) <= meant(before)


@given(st.lists(PATHS, max_size=3), st.lists(PATHS, max_size=3))
def test_who_gets_back_all_that_he_had_has_not_less(one, more):
    before = Reach(reads=tuple(one))
    assert wider([Reach(reads=(*one, *more))], [before])[1] == bool(one)


@pytest.mark.parametrize(
    ("now", "before", "more"),
    [
        (Reach(reads=("kv:pay/aws",)), Reach(reads=("kv:pay",)), []),
        (Reach(reads=("kv:pay",)), Reach(reads=("kv:pay/aws",)), ["kv:pay"]),
        (Reach(reads=("kv:pay*",)), Reach(reads=("kv:pay",)), ["kv:pay*"]),
        (Reach(reads=("kv:pay",)), Reach(reads=("db:*",)), ["kv:pay"]),
        (Reach(reads=("kv:pay",)), Reach(reads=("kv:",)), []),
        (Reach(reads=("kv:pay",)), Reach(administers=("kv:pay",)), []),
        (Reach(administers=("kv:pay",)), Reach(reads=("kv:pay",)), ["administration of kv:pay"]),
        (Reach(datasets=("people",)), Reach(datasets=("people", "sales")), []),
        (Reach(datasets=("people",)), Reach(datasets=("sales",)), ["the dataset people"]),
    ],
)
def test_more_is_told_by_name(now, before, more):
    assert wider([now], [before])[0] == more


def test_less_is_less_of_all_together():
    before = [Reach(reads=("kv:a",), datasets=("people",)), Reach(administers=("db:x",))]
    assert wider(before, before) == ([], True)
    assert wider(before[:1], before) == ([], False)
    assert wider([Reach(reads=("kv:a/b",), datasets=("people",)), before[1]], before) == ([], False)


def test_where_nothing_was_reached_nothing_can_be_less_and_who_holds_nothing_has_less():
    assert wider([Reach()], [Reach()]) == ([], False)
    assert wider([], [Reach(reads=("kv:a",))]) == ([], False)

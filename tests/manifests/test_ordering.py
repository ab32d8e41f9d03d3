"""Entries come in the order of their paths, also when they are too many to hold."""

from __future__ import annotations

import errno

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rotator.errors import BadInput
from rotator.manifests import ordering
from rotator.manifests.entry import Entry, Kind, encoded

PATHS = st.lists(st.binary(min_size=1, max_size=6).map(encoded), unique=True, max_size=30)


def entries(paths):
    return [Entry(each, Kind.FILE, len(each), "0" * 64) for each in paths]


@given(PATHS, st.integers(1, 8))
def test_they_come_in_order_however_few_are_held(paths, at_once):
    with ordering.in_order(entries(paths), at_once) as found:
        assert list(found) == entries(sorted(paths))


@given(PATHS.filter(bool), st.data())
def test_a_path_that_comes_twice_is_refused(paths, data):
    twice = data.draw(st.sampled_from(paths))
    with ordering.in_order(entries([*paths, twice]), 3) as found, pytest.raises(BadInput) as error:
        list(found)
    assert "twice" in str(error.value)


def test_a_full_disk_is_told(monkeypatch):
    def full(*_args, **_named):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(ordering.Path, "open", full)
    with pytest.raises(BadInput) as error, ordering.in_order(entries("abc"), 1):
        pass
    assert "No space left" in str(error.value)
    assert "TMPDIR" in str(error.value)

"""Time, which goes by when a test of conversions says so."""

from __future__ import annotations

import itertools

import pytest

from rotator import clock
from rotator.flow.step import LANDS_S


@pytest.fixture
def by_then(monkeypatch):
    """Give who lets the time go by in which what was sent can land."""
    real, times = clock.now, itertools.count(1)

    def goes_by():
        later = next(times) * LANDS_S
        monkeypatch.setattr(clock, "now", lambda: real() + later)

    return goes_by

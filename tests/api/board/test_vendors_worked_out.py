"""A page of vendors comes at once, however long what follows from a change takes: of before, and it says so."""

from __future__ import annotations

import threading

import pytest

from rotator import estate, vendors_risk
from rotator.shown import segmentation
from tests.api.board.pages import page
from tests.api.calling import Api
from tests.shown.vendors import filled, vendor

FIRST = "What follows from the inventory is being worked out."
BEFORE = "This is how it stood at"


@pytest.fixture
def served(tmp_path, monkeypatch):
    monkeypatch.setattr(estate, "_LARGE", 0)
    parts = filled(tmp_path)
    yield Api(parts)
    parts.database.close()


@pytest.fixture
def held_up(monkeypatch):
    """Return what lets the making of vendors' risks and of cuts go on."""
    may_end, made, cuts = threading.Event(), vendors_risk._made, segmentation._cuts
    monkeypatch.setattr(vendors_risk, "_made", lambda *given: may_end.wait() and made(*given))
    monkeypatch.setattr(segmentation, "_cuts", lambda *given: may_end.wait() and cuts(*given))
    yield may_end
    may_end.set()


def settled(served, path):
    """Return the page once nothing of it is being worked out; its own script asks again as this does."""
    while True:
        found = page(served, path)
        if 'data-again="soon"' not in found.source and FIRST not in found.text:
            return found


def test_the_first_page_says_that_it_is_being_worked_out_and_asks_again(served, held_up):
    for path in ("/vendors", "/vendors/acme"):
        found = page(served, path)
        assert FIRST in found.text
        assert 'data-part="being-read"' in found.source
        assert 'data-live="/api/v1/events"' in found.source
    assert page(served, "/vendors/nobody").status == 404
    held_up.set()
    for path in ("/vendors", "/vendors/acme"):
        assert BEFORE not in settled(served, path).text


def test_after_a_change_what_stood_before_is_shown_as_that_and_then_what_is_so(served, held_up):
    held_up.set()
    assert "Renamed" not in settled(served, "/vendors").text
    held_up.clear()
    served.parts.vendors.take([vendor("beta", title="Renamed")], "ben")
    found = page(served, "/vendors")
    assert "Renamed" not in found.text
    assert BEFORE in found.text
    assert 'data-again="soon"' in found.source
    held_up.set()
    found = settled(served, "/vendors")
    assert "Renamed" in found.text
    assert BEFORE not in found.text


def test_places_are_shown_while_the_cuts_are_being_measured(served, held_up):
    found = page(served, "/segmentation")
    while FIRST in found.text:
        found = page(served, "/segmentation")
    assert "They are being measured" in found.text
    assert BEFORE not in found.text
    assert 'data-again="soon"' in found.source
    held_up.set()
    assert "They are being measured" not in settled(served, "/segmentation").text

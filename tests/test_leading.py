"""What is done while a process leads: again and again, once more at the end where that is wanted, never by another."""

from __future__ import annotations

import threading

import pytest

from rotator.errors import BadInput
from rotator.leading import Leading, tried


@pytest.mark.parametrize(("leads", "at_last", "more"), [(True, True, 1), (True, False, 0), (False, True, 0)])
def test_it_is_done_once_more_at_the_end_only_where_that_is_wanted_and_by_who_leads(leads, at_last, more):
    done = []
    working = Leading("x", lambda: done.append(1), lambda: leads, 3600.0, at_last=at_last)
    working.start()
    assert working.goes_on() is leads
    working.stop()
    assert (len(done), working.goes_on(), working.wait(3600.0)) == (more, False, True)


def test_it_is_done_again_and_again_until_another_leads():
    asked, done = threading.Event(), []

    def leads():
        if len(done) == 3:
            asked.set()
        return len(done) < 3

    working = Leading("x", lambda: done.append(1), leads, 0.001)
    working.start()
    assert asked.wait(30)
    working.stop()
    assert len(done) == 3


def test_one_that_was_never_begun_is_ended_all_the_same():
    Leading("x", lambda: None, lambda: True, 1.0).stop()


def test_what_goes_wrong_is_one_line_without_what_it_quotes(caplog):
    failures = iter([ValueError("AKIAQ4R7T2W9Z3K5M8N1"), BadInput("no such kind", "prod")])

    def fails():
        raise next(failures)

    tried(fails, "undone")
    tried(fails, "undone")
    assert caplog.messages == ["undone: internal error (ValueError)", "undone: prod: no such kind"]

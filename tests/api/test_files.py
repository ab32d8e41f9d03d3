"""Reports as files: a few at a time, and what cannot be made is a problem that says how to mend it."""

from __future__ import annotations

import threading

import pytest

from rotator.api.files import AT_ONCE, Files
from rotator.api.problems import Problem
from rotator.errors import BadInput
from rotator.report.files import Form


def test_so_many_are_made_at_a_time_and_who_comes_meanwhile_comes_again():
    files, goes_on = Files(), threading.Event()
    begun = threading.Barrier(AT_ONCE + 1)

    def slowly():
        begun.wait(30)
        goes_on.wait(30)
        return iter([b"x"])

    threads = [threading.Thread(target=files.answer, args=("x", Form.PDF, slowly)) for _ in range(AT_ONCE)]
    for each in threads:
        each.start()
    begun.wait(30)
    with pytest.raises(Problem) as told:
        files.answer("x", Form.PDF, slowly)
    assert (told.value.status_code, told.value.reason) == (503, "busy")
    goes_on.set()
    for each in threads:
        each.join(30)
    assert files.answer("x", Form.CSV, lambda: iter([b"x"])).headers["content-disposition"].endswith('"x.csv"')


def test_what_cannot_be_made_here_is_a_problem_that_says_what_to_do():
    def lacking():
        raise BadInput("PDF needs the extra `pdf`", "-o pdf", "pip install 'rotator[pdf]'")

    with pytest.raises(Problem) as told:
        Files().answer("x", Form.PDF, lacking)
    assert (told.value.status_code, told.value.reason) == (422, "no_such_report")
    assert told.value.more["mend"] == "pip install 'rotator[pdf]'"

"""Who is configured as a witness gets what is signed while this process leads, and one that hangs holds up nobody."""

from __future__ import annotations

import threading

import pytest

from rotator.errors import BadInput, Unavailable
from rotator.settings.configuration import Settings
from rotator.witnessing import Keeping, Stamping, Witnessing, witnesses_of


class Told:
    """A witness that tells when it is asked, and does what it is told to."""

    def __init__(self, address, does=lambda: None):
        self.address, self._does, self.asked = address, does, threading.Semaphore(0)

    def witness(self, *, at_once=False):
        assert not at_once
        self.asked.release()
        self._does()
        return 1


def test_one_that_hangs_or_fails_keeps_no_other_waiting_and_the_last_look_comes_at_the_end(caplog):
    hangs = threading.Event()

    def fails():
        raise Unavailable("unreachable", "no route")

    stuck, failing, well = Told("stuck", lambda: hangs.wait(60)), Told("failing", fails), Told("well")
    working = Witnessing([stuck, failing, well], lambda: True, look_s=0.001, again_s=0.001)
    working.start()
    for each, times in ((stuck, 1), (failing, 3), (well, 3)):
        for _ in range(times):
            assert each.asked.acquire(timeout=60)
    hangs.set()
    working.stop()
    assert caplog.messages == ["evidence_unwitnessed: failing: unreachable: no route"]


def test_who_does_not_lead_asks_nobody():
    asked = Told("well")
    working = Witnessing([asked], lambda: False, look_s=0.001)
    working.start()
    working.stop()
    assert not asked.asked.acquire(blocking=False)


def test_what_was_signed_last_goes_out_when_a_process_ends():
    asked = Told("well")
    working = Witnessing([asked], lambda: True)
    working.start()
    working.stop()
    assert asked.asked.acquire(blocking=False)


def test_a_defect_ends_no_thread_and_its_words_are_not_told(caplog):
    def breaks():
        raise RuntimeError("row: secret")

    asked = Told("broken", breaks)
    working = Witnessing([asked], lambda: True, look_s=0.001, again_s=0.001)
    working.start()
    for _ in range(2):
        assert asked.asked.acquire(timeout=60)
    working.stop()
    assert caplog.messages == ["evidence_unwitnessed: broken: internal error (RuntimeError)"]


def settings(tmp_path, **evidence):
    return Settings(data_dir=tmp_path, folder=tmp_path, evidence=evidence)


def test_witnesses_are_those_of_the_configuration_and_paths_are_meant_from_its_folder(tmp_path):
    given = {"keep": ["worm", "s3://audit/here"], "timestamps": "https://tsa.example.com", "timestamps_ca": "ca.pem"}
    found = settings(tmp_path, **given)
    assert found.evidence.timestamps_ca == tmp_path / "ca.pem"
    witnesses = witnesses_of(found, lambda: None)
    assert [(each.address, type(each)) for each in witnesses] == [
        (str(tmp_path / "worm"), Keeping),
        ("s3://audit/here", Keeping),
        ("https://tsa.example.com", Stamping),
    ]
    assert witnesses_of(settings(tmp_path), lambda: None) == []


@pytest.mark.parametrize(
    ("evidence", "what"),
    [
        ({"keep": ["gs://audit"]}, "no keeper of evidence"),
        ({"keep": ["a", "a"]}, "twice"),
        ({"timestamps": "https://tsa.example.com"}, "belong together"),
        ({"timestamps_ca": "ca.pem"}, "belong together"),
        ({"timestamps": "ftp://tsa", "timestamps_ca": "ca.pem"}, "must be the http"),
        ({"timestamps": "https://me:pw@tsa", "timestamps_ca": "ca.pem"}, "without a login"),
        ({"connection": "audit"}, "no connection of the family aws"),
        ({"retain_days": 0}, "greater than or equal"),
    ],
)
def test_a_witness_that_cannot_be_meant_is_refused_at_once(tmp_path, evidence, what):
    with pytest.raises((ValueError, BadInput), match=what):
        settings(tmp_path, **evidence)

"""A runtime that ends when idle leaves no work to nobody."""

from __future__ import annotations

import subprocess
import threading

import pytest

from rotator.bootstrap import Rotator
from rotator.cli.runtime import IDLE_TICKS, run_embedded
from rotator.runtime_lock import RuntimeLock, is_unattended, is_unmanned
from rotator.settings.configuration import Settings


class LateWork:
    """Due work of which the last piece comes from a command that ran while the runtime was about to end."""

    def __init__(self, due, data_dir):
        self._due, self._data_dir = due, data_dir
        self.asked, self.waiting, self.lock_was_taken, self.served = 0, False, None, False

    def __getattr__(self, name):
        return getattr(self._due, name)

    def busy_until(self, _horizon_s):
        self.asked += 1
        answer = self.waiting
        if self.asked == IDLE_TICKS:
            # The runtime has seen nothing to do and will end. Now a command writes its rows, and tries the lock.
            self.waiting = True
            lock = RuntimeLock(self._data_dir)
            self.lock_was_taken = not lock.take()
            lock.release()
        return answer

    def take_due(self, *given):
        if self.waiting:
            self.waiting, self.served = False, True
        return self._due.take_due(*given)


@pytest.fixture
def parts(tmp_path, monkeypatch):
    class Nobody:
        def __init__(self, app):
            pass

        def start(self):
            pass

        def stop(self):
            pass

    monkeypatch.setattr("workers.app.EmbeddedWorker", Nobody)
    made = Rotator(Settings(data_dir=tmp_path / "data", folder=tmp_path))
    yield made
    made.database.close()


def test_work_that_comes_while_the_runtime_ends_is_still_done(parts):
    late = LateWork(parts.due, parts.settings.data_dir)
    parts.__dict__["due"] = late
    run_embedded(parts, threading.Event(), until_idle=True, started=lambda: None)
    assert late.lock_was_taken
    assert late.served


def test_an_idle_runtime_gives_its_lock_back(parts):
    run_embedded(parts, threading.Event(), until_idle=True, started=lambda: None)
    assert RuntimeLock(parts.settings.data_dir).take()


def test_only_a_runtime_that_does_not_end_by_itself_attends_to_what_is_scheduled(parts):
    lock = RuntimeLock(parts.settings.data_dir)
    assert is_unattended(parts)
    assert lock.take()
    assert is_unattended(parts)
    lock.release()
    assert lock.take(stays=True)
    assert not is_unattended(parts)
    lock.release()
    assert is_unattended(parts)


def test_who_was_started_is_at_work_before_it_has_taken_the_lock(parts):
    with subprocess.Popen(["sleep", "60"]) as other:
        try:
            lock = RuntimeLock(parts.settings.data_dir)
            assert is_unmanned(parts)
            assert lock.take()
            lock.release()
            lock.leave_to(other.pid)
            assert not is_unmanned(parts)
        finally:
            other.kill()
    assert is_unmanned(parts)


def test_who_took_the_lock_since_is_not_overwritten(parts):
    lock, later = (RuntimeLock(parts.settings.data_dir) for _ in range(2))
    assert lock.take()
    lock.release()
    assert later.take(stays=True)
    lock.leave_to(1)
    assert not is_unattended(parts)
    later.release()

"""What is forked from a ready interpreter is a process as any other: it speaks, lives, is killed, and ends."""

from __future__ import annotations

import os
import signal
import subprocess

import pytest

from tests.e2e import ready


@pytest.fixture
def started(tmp_path):
    """Return a function that starts these lines of Python."""

    def start(*lines):
        script = tmp_path / "script.py"
        script.write_text("\n".join(lines))
        return ready.Started([str(script), "word"], cwd=tmp_path, env={"NAME": "value"})

    return start


def test_it_has_its_words_environment_folder_and_session_and_says_how_it_ended(started, tmp_path):
    one = started(
        "import os, sys",
        "print(sys.argv[1:], dict(os.environ)['NAME'], os.getcwd(), os.getpid(), os.getsid(0))",
        "sys.exit('no')",
    )
    assert one.wait(60) == 1
    assert one.stdout.read().decode().split() == ["['word']", "value", str(tmp_path), str(one.pid), str(one.pid)]
    assert one.stderr.read() == b"no\n"
    assert (one.poll(), one.wait()) == (1, 1)


def test_it_lives_until_it_is_killed_and_a_signal_to_who_is_gone_meets_nobody(started):
    one = started("import time", "print('up', flush=True)", "time.sleep(600)")
    assert os.read(one.stdout.fileno(), 3) == b"up\n"
    assert one.poll() is None
    with pytest.raises(subprocess.TimeoutExpired):
        one.wait(0.0)
    one.kill()
    assert one.wait(60) == -signal.SIGKILL
    one.terminate()
    assert one.poll() == -signal.SIGKILL

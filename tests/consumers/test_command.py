"""A consumer that is told by a command gets the notice on its standard input, and its output cannot leak."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest

from rotator.consumers.command import connect
from rotator.credential import CredentialRef
from rotator.errors import BadInput, Rejected, Unavailable, Uncertain
from rotator.ports.consumer import Notice
from rotator.ports.store import Place

EXPOSED = CredentialRef("vault_token", "vault", "ci", "old-accessor")
NOTICE = Notice("inc-1", EXPOSED, EXPOSED.with_id("new-accessor"), (Place("vault_kv", "vault", "ci/token"),))


def script(lines: str, *words: str) -> list[str]:
    return [sys.executable, "-c", lines, *words]


def test_it_reads_the_notice_from_its_standard_input(tmp_path: Path):
    heard = tmp_path / "heard"
    told = connect(script("import sys; open(sys.argv[1], 'w').write(sys.stdin.read())", str(heard))).reload(NOTICE)
    assert json.loads(heard.read_text()) == {
        "event": "reload",
        "incident": "inc-1",
        "exposed": "old-accessor",
        "replacement": "new-accessor",
        "places": ["vault_kv:vault:ci/token"],
    }
    assert told.said.startswith("exit 0 in ")
    assert told.using is None


def test_asking_what_it_holds_is_an_event_of_its_own():
    lines = "import json, sys; e = json.load(sys.stdin); print('talk'); print(json.dumps({'using': e['exposed']}))"
    assert connect(script(lines)).holding(NOTICE).using == "old-accessor"


@pytest.mark.parametrize(
    ("lines", "using"),
    [
        ("""print('{"using": "new-accessor"}')""", "new-accessor"),
        ("""print('{"using": "s.canary-of-a-chatty-command"}')""", "(another)"),
        ("""print('{"using": "new-accessor"}'); print('canary')""", None),
        ("""print('x' * 5_000_000); print('{"using": "new-accessor"}')""", "new-accessor"),
        ("""print('[' * 60_000)""", None),
        ("""import sys; sys.stdout.buffer.write(bytes([255, 254]))""", None),
        ("""import sys; sys.stderr.write('canary' * 100_000)""", None),
    ],
)
def test_only_the_two_ids_of_the_notice_are_repeated(lines, using):
    told = connect(script(lines)).reload(NOTICE)
    assert told.using == using
    assert "canary" not in repr(told)


def test_a_failure_is_a_refusal_without_its_words():
    with pytest.raises(Rejected) as refusal:
        connect(script("print('canary'); raise SystemExit(3)")).reload(NOTICE)
    assert refusal.value.reason == "consumer_refused"
    assert refusal.value.detail.endswith("ended with 3")


def test_a_command_that_is_not_there_is_a_refusal():
    for nowhere in (["/no/such/command"], [str(Path(__file__))], ["a\0b"]):
        with pytest.raises(Rejected) as refusal:
            connect(nowhere).reload(NOTICE)
        assert refusal.value.reason == "consumer_not_runnable"


def test_a_command_that_does_not_end_is_killed_with_what_it_started(tmp_path: Path):
    held = tmp_path / "held"
    os.mkfifo(held)
    reader = os.open(held, os.O_RDONLY | os.O_NONBLOCK)
    consumer = connect(["sh", "-c", f"(exec 3>{held}; echo up >&3; sleep 600) & sleep 600"], deadline_s=1.0)
    with pytest.raises(Uncertain) as raised:
        consumer.reload(NOTICE)
    assert raised.value.reason == "consumer_timed_out"
    os.set_blocking(reader, True)
    with os.fdopen(reader) as pipe:
        assert pipe.read() == "up\n"  # the end is read only when nobody holds the pipe any more


def test_a_question_that_is_not_answered_in_time_can_be_asked_again():
    with pytest.raises(Unavailable):
        connect(["sleep", "600"], deadline_s=0.2).holding(NOTICE)


def test_a_command_that_leaves_a_child_behind_is_not_waited_for():
    lines = "import subprocess, sys; subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(2)'])"
    assert connect(script(lines), deadline_s=60).reload(NOTICE).said.startswith("exit 0")


def test_a_command_that_closes_its_output_early_is_waited_for(tmp_path: Path):
    lines = "import os, sys, time; os.close(1); time.sleep(0.3); open(sys.argv[1], 'w').write('done')"
    connect(script(lines, str(tmp_path / "done"))).reload(NOTICE)
    assert (tmp_path / "done").read_text() == "done"


def test_a_command_ended_by_a_signal_may_have_heard():
    with pytest.raises(Uncertain) as raised:
        connect(script("import os; os.kill(os.getpid(), 9)")).reload(NOTICE)
    assert raised.value.reason == "consumer_killed"


def test_the_rotators_environment_is_not_its(tmp_path: Path, monkeypatch):
    monkeypatch.setenv("ROTATOR_DATABASE_URL", "postgresql://rotator:canary@db/rotator")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "canary")
    lines = "import os, sys; open(sys.argv[1], 'w').write(repr(dict(os.environ)))"
    connect(script(lines, str(tmp_path / "environment"))).reload(NOTICE)
    seen = (tmp_path / "environment").read_text()
    assert "canary" not in seen
    assert "PATH" in seen


@pytest.mark.parametrize("bad", ["systemctl reload", [], [""], [1]])
def test_what_is_no_command_is_one_clear_line(bad):
    with pytest.raises(BadInput, match="a command is a list of words"):
        connect(bad)

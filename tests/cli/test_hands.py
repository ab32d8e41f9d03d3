"""What a person says with his hands on the wheel is answered by what is so: what goes on, and what still stops it."""

from __future__ import annotations

import contextlib
import sqlite3

import pytest

pytestmark = pytest.mark.usefixtures("ready")

SETTINGS = """\
data_dir = "data"
[[connections]]
name = "aws"
family = "aws"
region = "eu-central-1"
endpoint_url = "http://127.0.0.1:9"
[[connections]]
name = "fleet"
family = "ssh"
hosts = ["edge-1"]
[[credentials]]
match = {owner = "ci"}
consumers = [{command = ["true"], host = "web-1"}]
"""


@pytest.fixture
def scheduled(data_dir):
    """Give the one incident that stands a run with a failed, a gated and a scheduled step, as on a bad night."""
    with contextlib.closing(sqlite3.connect(data_dir / "ledger.db")) as ledger:
        ledger.row_factory = sqlite3.Row
        [incident] = [row["id"] for row in ledger.execute("SELECT id FROM incident")]
        run = f"{incident}.r1"
        ledger.execute("UPDATE incident SET approved_at = 1.0")
        ledger.execute(
            "INSERT INTO run (id, incident, provider, connection, owner, credential, generation, kind, strategy, why, "
            "priority, deliver, consumers, requested_at, evidence) VALUES (?, ?, 'aws_iam_access_key', 'aws', 'ci', "
            "'AKIA', 0, 'aws_iam_access_key', 'revoke_only', '', 1.0, '[]', '[]', 1.0, 'none')",
            (run, incident),
        )
        ledger.execute(
            "INSERT INTO branch (id, run, incident, segment, target, quorum, state, lane, priority, fence, beat, "
            "length, head, reason) VALUES (?, ?, ?, 0, '', 100, 'failed', 'contain', 1.0, 0, 0, 0, '', 'denied')",
            (f"{run}.0.0", run, incident),
        )
        ledger.execute(
            "INSERT INTO step (id, run, branch, position, name, target, verb, subject, lane, state, attempts, reason, "
            "facts) VALUES (?, ?, ?, 100, 'contain', '', 'suspend', 'exposed', 'contain', 'failed', 1, 'denied', '{}')",
            (f"{run}.0.0.contain", run, f"{run}.0.0"),
        )
        ledger.commit()
    return incident, run


def test_what_is_stopped_is_not_said_to_go_on(rotator, scheduled):
    incident, run = scheduled
    rotator("stop", "--reason", "is this a drill?").ended(0)
    kept = "everything is stopped by "
    way = "rotator continue --reason … lets it go on"
    for words in (
        ("run", "retry", run, "contain"),
        ("gate", "open", incident, "host_isolated"),
    ):
        said = rotator(*words, "--reason", "go").ended(0).out
        assert kept in said
        assert way in said
        assert "yet" in said
        assert "go on:" not in said


@pytest.mark.usefixtures("data_dir")
def test_a_foothold_is_asked_back_when_it_is_nearly_known_and_warned_of_when_it_is_not(rotator):
    (rotator.folder / "rotator.toml").write_text(SETTINGS)
    declare = ("incident", "declare", "list.csv", "--title", "Stolen", "--foothold")
    line = rotator(*declare, "wob-1").ended(2).err.splitlines()[-1]
    assert line.startswith("rotator: --foothold: no host is called `wob-1` (did you mean `web-1`?")
    assert "is no host's name" in rotator(*declare, "h" * 300).ended(2).err.splitlines()[-1]
    before = rotator("incident", "list", "-o", "json").ended(0).report
    assert len(before) == 1
    shown = rotator(*declare, "nosuchhost").ended(0).err
    assert "warning: foothold nosuchhost: no consumer, connection or target is called so here" in shown
    shown = rotator(*declare, "WEB-1", "--foothold", "wob-1.").ended(0).err
    assert "Foothold web-1: no consumer of what leaked lives there" in shown
    assert "warning: foothold wob-1:" in shown
    reported = rotator("report", "last").ended(3).out
    asked = "no consumer, connection or target is called so here: is its name right?"
    assert reported.count(asked) == 2  # on top, and below
    assert "did you mean `edge-1`?" in rotator(*declare, "egde-1").ended(2).err
    assert "Foothold edge-1: no consumer of what leaked" in rotator(*declare, "edge-1").ended(0).err

"""A shell is offered commands, options and names; to be asked makes no ledger, and no secret is read."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from rotator.ledger import tables
from rotator.ledger.database import Database
from tests.e2e.commands import ROTATOR

CONFIGURED = """\
data_dir = "data"
[[connections]]
name = "aws-prod"
family = "aws"
credential = "env:NOT_SET"
[[connections]]
name = "vault"
family = "vault"
[[notices]]
name = "oncall"
slack = "file:not-there"
[[siem]]
name = "splunk"
file = "events.jsonl"
"""


@pytest.fixture
def offered(called, tmp_path, monkeypatch):
    """Return what bash would offer for the last of some words."""
    (tmp_path / "rotator.toml").write_text(CONFIGURED)

    def ask(*words):
        monkeypatch.setenv("_ROTATOR_COMPLETE", "complete_bash")
        monkeypatch.setenv("COMP_WORDS", " ".join(("rotator", *words)))
        monkeypatch.setenv("COMP_CWORD", str(len(words)))
        done = called().ended(0)
        assert done.err == ""
        return done.out.split()

    return ask


@pytest.fixture
def ledger(tmp_path):
    database = Database(f"sqlite:///{tmp_path / 'data' / 'ledger.db'}")
    database.migrate()
    with database.write() as connection:
        for at, name in enumerate(("inc-1", "inc-2")):
            told = {"title": name, "severity": "high", "detected_at": at, "declared_at": at, "plan_digest": "0"}
            connection.execute(tables.incident.insert().values(id=name, **told))
    database.close()


@pytest.mark.usefixtures("ledger")
@pytest.mark.parametrize(
    ("words", "names"),
    [
        (("incident", "wa"), ["watch"]),
        (("respond", "--sev"), ["--severity"]),
        (("respond", "--severity", "hi"), ["high"]),
        (("plan", ""), ["last", "inc-2", "inc-1"]),
        (("exposure", "dismiss", "inc-1"), ["inc-1"]),
        (("stop", ""), ["aws-prod", "vault", "last", "inc-2", "inc-1"]),
        (("provider", "check", "a"), ["aws-prod"]),
        (("inventory", "discover", "vault", "--kind", "vault_tok"), ["vault_token"]),
        (("notice", "test", ""), ["oncall"]),
        (("siem", "test", ""), ["splunk"]),
        (("completion", ""), ["bash", "zsh", "fish"]),
    ],
)
def test_what_fits_is_offered(offered, words, names):
    assert offered(*words) == names


def test_nothing_is_made_by_being_asked(offered, tmp_path):
    assert offered("plan", "") == []
    assert offered("stop", "") == ["aws-prod", "vault"]
    assert [each.name for each in tmp_path.iterdir()] == ["rotator.toml"]


def test_a_configuration_with_a_mistake_offers_nothing_and_says_nothing(offered, tmp_path):
    (tmp_path / "rotator.toml").write_text("data_dir = ")
    assert offered("stop", "") == []


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_shell_has_its_script(called, shell):
    assert f"_ROTATOR_COMPLETE=complete_{shell}" in called("completion", shell).ended(0).out


def test_bash_understands_its_script(called, tmp_path):
    (tmp_path / "script").write_text(called("completion", "bash").ended(0).out)
    asks = f"source ./script; COMP_WORDS=(rotator incident wa); COMP_CWORD=2; _rotator_completion {ROTATOR}"
    done = subprocess.run(
        ["bash", "--norc", "-c", f"{asks}; echo ${{COMPREPLY[@]}}; complete -p rotator"],
        cwd=tmp_path,
        env={"HOME": str(tmp_path), "PATH": f"{Path(ROTATOR).parent}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.splitlines()[0] == "watch"

"""The thread of the watch: it looks while its process leads, and says what went wrong."""

from __future__ import annotations

import threading

import pytest

from rotator import resurrection
from rotator.bootstrap import Rotator
from rotator.errors import BadInput
from rotator.resurrection import Watching
from rotator.settings.file import load

CONFIGURED = """
data_dir = "data"
[watch]
days = {days}
[[connections]]
name = "prod"
family = "aws"
region = "us-east-1"
"""


@pytest.fixture
def parts_of(tmp_path):
    found = []

    def make(days):
        (tmp_path / "rotator.toml").write_text(CONFIGURED.format(days=days))
        found.append(Rotator(load(tmp_path / "rotator.toml")))
        return found[-1]

    yield make
    for each in found:
        if "database" in each.__dict__:
            each.database.close()


@pytest.mark.parametrize("days", [30, 0])  # with none, what is reported again to its own incident is still looked at
def test_it_looks_again_and_again_while_it_leads(parts_of, monkeypatch, days):
    parts, looked, twice = parts_of(days), [], threading.Event()
    look = resurrection.look_again

    def counted(*asked):
        looked.append(look(*asked))
        if len(looked) == 2:
            twice.set()
        return looked[-1]

    monkeypatch.setattr(resurrection, "look_again", counted)
    watching = Watching(parts, lambda: True, every_s=0.01)
    watching.start()
    assert twice.wait(30)
    watching.stop()
    assert looked[:2] == [[], []]


def test_it_looks_at_nothing_where_another_leads(parts_of, monkeypatch):
    asked, looked = threading.Event(), []
    monkeypatch.setattr(resurrection, "look_again", lambda *_: looked.append(1))

    def leading():
        asked.set()
        return False

    watching = Watching(parts_of(30), leading, every_s=0.01)
    watching.start()
    assert asked.wait(30)
    watching.stop()
    assert looked == []


def test_what_goes_wrong_is_said_without_what_it_quotes_and_the_next_pass_looks_anew(parts_of, monkeypatch, caplog):
    watching = Watching(parts_of(30), lambda: True)
    failures = iter([ValueError("AKIAQ4R7T2W9Z3K5M8N1"), BadInput("no such kind", "prod")])

    def fails(*_):
        raise next(failures)

    monkeypatch.setattr(resurrection, "look_again", fails)
    watching._try()
    watching._try()
    assert [each.getMessage() for each in caplog.records] == [
        "not_looked_again: internal error (ValueError)",
        "not_looked_again: prod: no such kind",
    ]

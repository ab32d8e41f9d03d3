"""The range that stays says what to try it with, and ends what it started when it is told to end."""

from __future__ import annotations

import contextlib
import signal
from types import SimpleNamespace

import pytest

from rotator.practice import demo, stay


@pytest.fixture
def put_up(tmp_path, monkeypatch):
    """Stand in for the servers and the scanner; return what happened to them, in order."""
    happened = []

    @contextlib.contextmanager
    def servers(folder):
        happened.append("up")
        try:
            yield SimpleNamespace(config=folder / "rotator.toml", loot=None, servers=SimpleNamespace(aws=None))
        finally:
            happened.append("ended")

    def interrupted():
        happened.append("stays")
        raise KeyboardInterrupt

    monkeypatch.setattr(stay, "BUILD", tmp_path)
    monkeypatch.setattr(stay, "on_its_own", lambda: None)
    monkeypatch.setattr(stay, "practice_range", servers)
    monkeypatch.setattr(stay, "plant", lambda *_: None)
    monkeypatch.setattr(stay, "vendor", SimpleNamespace(plant=lambda folder, _: SimpleNamespace(folder=folder)))
    monkeypatch.setattr(stay, "news", SimpleNamespace(arrange=lambda *_: happened.append("news")))
    monkeypatch.setattr(stay, "scan", lambda _home, report, _rules: report)
    monkeypatch.setattr(stay, "threading", SimpleNamespace(Event=lambda: SimpleNamespace(wait=interrupted)))
    return happened


def test_it_names_configuration_and_report_stays_and_ends_all_that_it_started(put_up, tmp_path, capsys):
    assert stay.main() == 0
    told = capsys.readouterr().out
    assert f"export ROTATOR_CONFIG={tmp_path / 'range' / 'rotator.toml'}" in told
    assert f"rotator respond {tmp_path / 'range' / 'kingfisher.json'}" in told
    assert "inventory discover aws --kind aws_role_trust --save" in told  # else its grant is a person's task
    assert "python -m rotator.practice.news" in told
    story = told.partition("the story of a vendor")[2]
    assert "export ROTATOR_CONFIG=" in story  # else whoever begins here fills the ledger of their home
    assert story.index("practice.meanwhile") < story.index("--resume-grants")
    assert put_up == ["up", "news", "stays", "ended"]


def test_a_second_one_is_refused(put_up, tmp_path, capsys):
    with stay.alone(tmp_path / "range"):
        assert stay.main() == 1
    assert "another is running here" in capsys.readouterr().out
    assert put_up == []


@pytest.mark.parametrize("name", [signal.SIGTERM, signal.SIGHUP])
def test_what_was_started_is_ended_too_where_its_terminal_is_closed(monkeypatch, name):
    before = {each: signal.getsignal(each) for each in (signal.SIGTERM, signal.SIGHUP)}
    monkeypatch.setattr(demo, "_OF_THE_PERSON", ("NOTHING_IS_CALLED_SO",))
    try:
        signal.signal(signal.SIGHUP, signal.SIG_DFL)  # whatever runs the tests
        demo.on_its_own()
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(name)
    finally:
        for each, told in before.items():
            signal.signal(each, told)

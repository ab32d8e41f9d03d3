"""The alarm with which the range's story of a vendor begins is let in, and is its advisory."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from rotator.errors import Unavailable
from rotator.practice import news
from tests.api.deployment import web
from tests.shown.vendors import ADVISORY, RECORD


def test_the_advisory_of_the_range_comes_in_by_its_door(tmp_path):
    config = tmp_path / "rotator.toml"
    config.write_text('data_dir = "data"\n')
    (tmp_path / "advisory.json").write_text(RECORD)
    news.arrange(config, tmp_path)
    with web(config) as served:
        status, said = news.send(tmp_path, f"http://127.0.0.1:{served.port}")
        assert (status, said["state"]) == (200, "received")
        [kept] = served.parts.triggers.listed()
        assert (kept.sender, kept.title) == ("generic/news", f"Advisory {ADVISORY}")


def test_where_nobody_listens_it_says_what_to_do(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(news, "_TRIES", 0)
    assert news.main() == 1
    assert "while `rotator up --port 8420` runs" in capsys.readouterr().err


def test_it_waits_for_a_service_that_is_still_starting(monkeypatch, capsys):
    answers, waited = [Unavailable("unreachable", "there"), (200, {"state": "received"})], []

    def send(_folder):
        if isinstance(answer := answers.pop(0), Unavailable):
            raise answer
        return answer

    monkeypatch.setattr(news, "send", send)
    monkeypatch.setattr(news, "time", SimpleNamespace(sleep=waited.append))
    assert news.main() == 0
    assert len(waited) == 1
    assert "received" in capsys.readouterr().out


@pytest.mark.parametrize("name", ["news-whsec"])
def test_the_key_is_nobody_elses_to_read(tmp_path, name):
    config = tmp_path / "rotator.toml"
    config.write_text("")
    news.arrange(config, tmp_path)
    assert (tmp_path / name).stat().st_mode & 0o077 == 0

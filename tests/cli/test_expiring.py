"""Evidence is deleted at the command line alone: what is due is shown, and nothing goes before a person says so."""

from __future__ import annotations

import contextlib
import json
import sqlite3
import sys

import pytest

from rotator import confirmation
from rotator.cli import approval
from rotator.errors import BadInput
from rotator.settings.file import load

YEARS_AGO_S = 800 * 86_400


@pytest.fixture
def old(called, data_dir, tmp_path):
    """Return the command line, with an incident that was closed more than two years ago; everything is signed."""
    called("incident", "close", "last", "--reason", "over", "--accept-open").ended(0)
    called("evidence", "export", "--to", "before.zip").ended(0)
    with contextlib.closing(sqlite3.connect(data_dir / "ledger.db")) as ledger, ledger:
        ledger.execute(f"UPDATE incident SET declared_at = declared_at - {YEARS_AGO_S}")
        ledger.execute(f"UPDATE incident SET closed_at = closed_at - {YEARS_AGO_S}")
    (tmp_path / "rotator.toml").write_text('data_dir = "data"\n[evidence]\ndelete_after = "700d"\n')
    return called


def test_what_is_due_is_shown_deleted_on_yes_and_told_by_verify_for_good(old):
    incident = json.loads(old("incident", "list", "-o", "json").ended(0).out)[0]["id"]
    shown = old("evidence", "expire").ended(4)
    assert incident in shown.out
    assert "not confirmed; nothing was changed (nobody is there to ask: give --yes)" in shown.err
    told = old("evidence", "expire", "-o", "json").ended(4).report
    assert (told["deleted"], [each["incident"] for each in told["due"]], told["kept"]) == (False, [incident], [])
    old("evidence", "export", incident, "--to", "still.zip").ended(0)

    done = old("evidence", "expire", "--yes").ended(0)
    assert "records of 1 incidents are deleted, under checkpoint 2" in done.out
    for command in (("export", incident, "--to", "gone.zip"), ("probes", incident)):
        assert "its evidence was deleted on 20" in old("evidence", *command).ended(2).one_line
    assert "its evidence was deleted on 20" in old("incident", "reopen", incident, "--reason", "more").ended(2).one_line
    assert "ITS EVIDENCE WAS DELETED 20" in " ".join(old("report", incident).ended(3).out.split())
    old("evidence", "export", "--to", "after.zip").ended(0)
    found = old("evidence", "verify", "after.zip").ended(0)
    assert f"1 chains with {told['due'][0]['records']} records were deleted by policy, under checkpoint 2" in found.out
    [gone] = json.loads(old("evidence", "verify", "after.zip", "-o", "json").ended(0).out)["deleted"]
    assert (gone["checkpoint"], gone["records"]) == (2, told["due"][0]["records"])
    assert "nothing is due" in old("evidence", "expire").ended(0).out
    assert "altered" not in old("doctor").out


def test_what_is_kept_though_it_is_old_says_why(old):
    old("gate", "close", "last", "no_legal_hold", "--reason", "a court asks").ended(0)
    old("evidence", "export", "--to", "held.zip").ended(0)
    assert ": it is under legal hold" in old("evidence", "expire", "--yes").ended(0).out
    [kept] = json.loads(old("evidence", "expire", "--yes", "-o", "json").ended(0).out)["kept"]
    assert kept["why"] == "it is under legal hold"


def test_the_words_are_typed_at_a_terminal(old, monkeypatch):
    asked = []
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True)
    monkeypatch.setattr(approval.typer, "prompt", lambda *told, **_: asked.append(told[0]) or "delete 1")
    old("evidence", "expire").ended(0)
    assert asked == ["Type `delete 1` to go ahead"]


def test_where_the_configuration_asks_for_words_yes_is_not_enough(old, monkeypatch):
    monkeypatch.setattr(confirmation, "words_for", lambda _parts, _refs, verb: f"{verb} 1 production")
    assert "--yes is not enough for this" in old("evidence", "expire", "--yes").ended(4).err
    assert "is not `delete 1 production`" in old("evidence", "expire", "--confirm", "delete 2").ended(4).err
    assert "are deleted" in old("evidence", "expire", "--confirm", "delete 1 production").ended(0).out


def test_without_a_setting_nothing_is_ever_deleted(called, data_dir):
    assert data_dir
    assert "evidence is kept for ever" in called("evidence", "expire", "--yes").ended(2).one_line


@pytest.mark.parametrize("told", ['"364d"', '"400d"\nretain_days = 401', '"0d"', "true"], ids=str)
def test_less_than_a_year_or_than_buckets_lock_it_is_refused(tmp_path, told):
    (tmp_path / "rotator.toml").write_text(f"[evidence]\ndelete_after = {told}\n")
    with pytest.raises(BadInput, match="delete_after"):
        load(tmp_path / "rotator.toml")

"""A backup by one command, and back by another; each says what a person must know of it, and nothing else."""

from __future__ import annotations

import contextlib
import json
import sqlite3

import pytest

from rotator.cli import watching
from rotator.credential import Secret
from rotator.seal import Seal
from tests.cli.conftest import FIRST, rows

pytestmark = pytest.mark.usefixtures("ready")


@pytest.mark.usefixtures("data_dir")
def test_a_backup_is_brought_back_into_another_ledger_which_stands_still(rotator, tmp_path):
    backup = str(tmp_path / "monday.db")
    told = rotator("ledger", "backup", backup).ended(0)
    assert told.out.startswith(f"{backup}: 1 incidents, ")
    assert "the seal key is not in it, nor the one that signs" in told.out
    before = rotator("incident", "list", "-o", "json").ended(0).out

    (tmp_path / "rotator.toml").write_text('data_dir = "other"\n')
    report = rotator("ledger", "restore", backup, "-o", "json").ended(0).report
    assert (report["incidents"], report["looked_for"], report["unopened"]) == (1, 0, 0)
    assert json.loads(rotator("incident", "list", "-o", "json").ended(0).out) == json.loads(before)
    assert "restored from the backup of" in rotator("stop", "--reason", "again").ended(2).one_line
    assert rotator("continue", "--reason", "looked at it").ended(0).out.startswith("everything goes on")


def test_a_ledger_with_something_in_it_is_not_restored_over(rotator, data_dir, tmp_path):
    backup = str(tmp_path / "monday.db")
    rotator("ledger", "backup", backup).ended(0)
    before = rows(data_dir)
    assert "not empty" in rotator("ledger", "restore", backup).ended(2).one_line
    assert "a file is there already" in rotator("ledger", "backup", backup).ended(2).one_line
    assert rows(data_dir) == before


def test_who_lets_a_ledger_go_on_whose_secrets_no_key_opens_is_told(filled, tmp_path, monkeypatch):
    monkeypatch.setattr(watching, "start_workers", lambda *_: None)
    filled("stop", "--reason", "restored").ended(0)
    assert filled("continue", "--reason", "looked").ended(0).err == ""
    with contextlib.closing(sqlite3.connect(tmp_path / "data" / "ledger.db")) as ledger:
        blob = Seal(b"x" * 32).close(Secret("canary"), f"{FIRST}.r1")
        ledger.execute("INSERT INTO sealed (run, blob, expires_at) VALUES (?, ?, 9e9)", (f"{FIRST}.r1", blob))
        ledger.commit()
    filled("stop", "--reason", "restored").ended(0)
    said = filled("continue", "--reason", "looked").ended(0).err
    assert "1 sealed secrets cannot be opened with this seal key: their deaths cannot be proven" in said
    assert "seal.key in " in said

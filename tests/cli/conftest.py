"""A command line in an empty folder, with a ledger in which one incident stands."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import sys

import pytest

from rotator.cli.main import main
from tests.e2e.commands import CommandLine, Done

LIST = "provider,id\naws_iam_access_key,AKIAQ4R7T2W9Z3K5M8N1\n"


@pytest.fixture
def rotator(tmp_path):
    """Return the command line; nothing is configured, and nothing was ever done."""
    return CommandLine(tmp_path)


@pytest.fixture
def called(tmp_path, monkeypatch, capsys):
    """Return the command line, called inside this process: for what no process of its own is needed."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("COLUMNS", "80")
    for name in [each for each in os.environ if each.startswith(("ROTATOR_", "XDG_"))]:
        monkeypatch.delenv(name)

    def call(*words):
        monkeypatch.setattr(sys, "argv", ["rotator", *words])
        mask = os.umask(0o077)
        try:
            with pytest.raises(SystemExit) as ended:
                main()
        finally:
            os.umask(mask)
        out, err = capsys.readouterr()
        return Done(ended.value.code or 0, out, err)

    return call


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    """Return the ledger of one declared incident, to be copied."""
    folder = tmp_path_factory.mktemp("kept")
    (folder / "list.csv").write_text(LIST)
    (folder / "rotator.toml").write_text('data_dir = "data"\n')
    CommandLine(folder)("incident", "declare", "list.csv", "--title", "Before").ended(0)
    with contextlib.closing(sqlite3.connect(folder / "data" / "ledger.db")) as ledger:
        ledger.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return folder / "data"


@pytest.fixture
def data_dir(kept, tmp_path):
    """Return the data folder of the command line, where that incident stands."""
    (tmp_path / "list.csv").write_text(LIST)
    (tmp_path / "rotator.toml").write_text('data_dir = "data"\n')
    folder = tmp_path / "data"
    folder.mkdir(mode=0o700)
    for name in ("ledger.db", "seal.key"):
        (folder / name).write_bytes((kept / name).read_bytes())
    return folder


def rows(data_dir):
    """Return everything that stands in a ledger."""
    with contextlib.closing(sqlite3.connect(f"file:{data_dir / 'ledger.db'}?mode=ro", uri=True)) as ledger:
        return list(ledger.iterdump())

"""A command line in an empty folder, with a ledger in which one incident stands."""

from __future__ import annotations

import contextlib
import sqlite3

import pytest

from tests.e2e.commands import CommandLine

LIST = "provider,id\naws_iam_access_key,AKIAQ4R7T2W9Z3K5M8N1\n"


@pytest.fixture
def rotator(tmp_path):
    """Return the command line; nothing is configured, and nothing was ever done."""
    return CommandLine(tmp_path)


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

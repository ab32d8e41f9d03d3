"""A command line in an empty folder, with a ledger in which one incident stands."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import sys

import pytest

from rotator.cli.main import main
from rotator.ledger import tables
from rotator.ledger.database import Database
from tests.e2e.commands import CommandLine, Done

LIST = "provider,id\naws_iam_access_key,AKIAQ4R7T2W9Z3K5M8N1\n"
FIRST, SECOND = "inc-20261123-a1b2c3", "inc-20261123-f00d42"


@pytest.fixture
def rotator(tmp_path):
    """Return the command line; nothing is configured, and nothing was ever done."""
    return CommandLine(tmp_path)


@pytest.fixture
def ready(rotator):
    """Fork the command line from what has imported it all; where nobody asks for this, each starts from nothing."""
    rotator.is_ready = True


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


@pytest.fixture
def filled(called, tmp_path):
    """Return the command line, with a ledger of two incidents; the first has two runs."""
    (tmp_path / "rotator.toml").write_text('data_dir = "data"\n[[connections]]\nname = "aws-prod"\nfamily = "aws"\n')
    called("incident", "list").ended(0)
    database = Database(f"sqlite:///{tmp_path / 'data' / 'ledger.db'}")
    with database.write() as connection:
        for at, name in enumerate((FIRST, SECOND)):
            told = {"title": name, "severity": "high", "detected_at": at, "declared_at": at, "plan_digest": "0" * 64}
            connection.execute(tables.incident.insert().values(id=name, **told))
        for number in (1, 2):
            run = {
                "provider": "vault_token",
                "connection": "aws-prod",
                "owner": "ci",
                "credential": f"AKIAQ4R7T2W9Z3K5M8N{number}",
            }
            run |= {"kind": "vault_token", "strategy": "contain_first", "why": "[]", "priority": 1.0}
            run |= {"id": f"{FIRST}.r{number}", "incident": FIRST, "deliver": "[]", "consumers": "[]"}
            connection.execute(tables.run.insert().values(run))
    database.close()
    return called


@pytest.fixture(scope="session")
def kept(tmp_path_factory):
    """Return the ledger of one declared incident, to be copied."""
    folder = tmp_path_factory.mktemp("kept")
    (folder / "list.csv").write_text(LIST)
    (folder / "rotator.toml").write_text('data_dir = "data"\n')
    CommandLine(folder, is_ready=True)("incident", "declare", "list.csv", "--title", "Before").ended(0)
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

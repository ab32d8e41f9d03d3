"""Manifests on both ledgers, and a dataset to record."""

from __future__ import annotations

import pytest

from rotator.bootstrap import Rotator
from rotator.settings.file import load
from tests.ledger.conftest import database, migrated, postgresql  # noqa: F401 - fixtures


@pytest.fixture
def parts(database, tmp_path):  # noqa: F811 - it is the fixture
    """Give the program's parts on a ledger."""
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "rotator.toml").write_text('data_dir = "data"\n')
    found = Rotator(load(tmp_path / "home" / "rotator.toml"))
    found.__dict__["database"] = database
    return found


@pytest.fixture
def dataset(tmp_path):
    """Give a folder with files, a link and a folder in it."""
    folder = tmp_path / "dataset"
    (folder / "part").mkdir(parents=True)
    (folder / "a").write_bytes(b"aa")
    (folder / "part" / "b").write_bytes(b"bb")
    (folder / "link").symlink_to("a")
    return folder

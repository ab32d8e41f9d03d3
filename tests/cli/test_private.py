"""What the rotator writes is its owner's only, and the doctor finds what others can read."""

from __future__ import annotations

import os
import stat

import pytest

from rotator.cli.doctor import examine
from rotator.cli.options import Context
from tests.cli.conftest import LIST


def modes(folder):
    return {path.name: stat.S_IMODE(path.stat().st_mode) for path in [folder, *folder.iterdir()]}


def test_whatever_the_umask_others_read_nothing_of_it(rotator):
    (rotator.folder / "list.csv").write_text(LIST)
    (rotator.folder / "rotator.toml").write_text('data_dir = "data"\n')
    before = os.umask(0)
    try:
        rotator("incident", "declare", "list.csv", "--title", "Before").ended(0)
        rotator("incident", "watch", "last").ended(3)
    finally:
        os.umask(before)
    found = modes(rotator.folder / "data")
    assert {"up.log", "runtime.lock", "ledger.db", "seal.key"} <= set(found)
    assert {name: oct(mode) for name, mode in found.items() if mode & 0o077} == {}


@pytest.fixture
def findings(tmp_path):
    (tmp_path / "rotator.toml").write_text(
        'data_dir = "data"\n'
        '[[connections]]\nname = "acme"\nfamily = "aws"\ncredential = "file:own"\n'
        'endpoint_url = "http://127.0.0.1:9"\n'
        '[[credentials]]\nmatch = {}\nconsumers = [{webhook = "file:hook"}]\n'
    )
    for name in ("own", "hook"):
        (tmp_path / name).write_text("http://127.0.0.1:9")
    (tmp_path / "data").mkdir()

    def found(folder_mode, file_mode):
        (tmp_path / "data").chmod(folder_mode)
        for name in ("own", "hook"):
            (tmp_path / name).chmod(file_mode)
        context = Context(config=tmp_path / "rotator.toml", quiet=True)
        return {each.mend for each in examine(context) if not each.well and each.mend.startswith("chmod")}

    return tmp_path, found


def test_the_doctor_finds_a_secret_that_everybody_can_read(findings):
    folder, found = findings
    assert found(0o755, 0o644) == {f"chmod 700 {folder}/data", f"chmod 600 {folder}/own", f"chmod 600 {folder}/hook"}
    assert found(0o700, 0o640) == set()

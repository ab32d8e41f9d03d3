"""An answer for which there is no room is told in one line, whether it is long or short."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this machine has no full device")
@pytest.mark.parametrize("words", [("provider", "list", "-o", "json"), ("evidence", "key", "-o", "json")], ids=" ".join)
def test_what_cannot_be_written_is_one_line_and_no_success(tmp_path, words):
    (tmp_path / "rotator.toml").write_text('data_dir = "data"\n')
    with Path("/dev/full").open("w") as full:
        command = [sys.executable, "-m", "rotator", *words]
        done = subprocess.run(command, cwd=tmp_path, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    said = "rotator: not all of the answer could be written (No space left on device)\n"
    assert (done.returncode, done.stderr) == (1, said)


def test_who_reads_no_answer_is_told_nothing(tmp_path):
    (tmp_path / "rotator.toml").write_text('data_dir = "data"\n')
    reading, writing = os.pipe()
    os.close(reading)
    command = [sys.executable, "-m", "rotator", "evidence", "key"]
    done = subprocess.run(command, cwd=tmp_path, stdout=writing, stderr=subprocess.PIPE, text=True, check=False)
    os.close(writing)
    assert (done.returncode, done.stderr) == (1, "")

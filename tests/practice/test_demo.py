"""`make demo` ends well, tells the truth, shows no secret, and leaves nothing running, even when it is interrupted."""

from __future__ import annotations

import fcntl
import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

COMMAND = [sys.executable, "-m", "rotator.practice.demo"]
MEANT_TO_HOLD_SECRETS = {"laptop", "kingfisher.json", "rotator-credentials", "ssh", "seal.key"}


@pytest.fixture(scope="module")
def played(tmp_path_factory):
    """Play the demo once; return where, and how it ended."""
    folder = tmp_path_factory.mktemp("demo")
    done = subprocess.run(COMMAND, cwd=folder, capture_output=True, text=True, timeout=180, check=False)
    return folder, done


def planted(demo: Path) -> set[str]:
    """Return every secret that lies on the laptop or belongs to the rotator."""
    text = "\n".join(
        path.read_text()
        for name in ("laptop", "rotator-credentials")
        for path in (demo / name).rglob("*")
        if path.is_file()
    )
    keys = re.findall(r"\b[0-9a-f]{40}\b|\bs\.\w{24}\b|\bacme[_-][\w-]{20,}|\bghp_\w{36}", text)
    pem = [line for line in text.splitlines() if re.fullmatch(r"[A-Za-z0-9+/=]{60,}", line)]
    return {*keys, *pem}


def test_the_demo_ends_well_and_its_report_is_true(played):
    folder, done = played
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-1000:]
    report = json.loads((folder / "build" / "report.json").read_text())
    assert report["replaced"] == report["totals"]["proven_dead"] == 5
    assert (report["totals"]["manual"], report["unidentified"]) == (
        1,
        0,
    )  # a kind is known, and no connection serves it


def test_the_demo_shows_and_keeps_no_secret_outside_the_places_made_for_them(played):
    folder, done = played
    demo = folder / "build" / "demo"
    secrets = planted(demo)
    assert len(secrets) >= 10
    shown = done.stdout + done.stderr + (folder / "build" / "report.json").read_text()
    assert [each for each in secrets if each in shown] == []
    kept = [path for path in demo.rglob("*") if path.is_file() and not MEANT_TO_HOLD_SECRETS & set(path.parts)]
    assert kept
    assert [(path.name, each[:6]) for path in kept for each in secrets if each.encode() in path.read_bytes()] == []


def test_the_demo_leaves_nothing_running(played):
    assert left_running(played[0]) == []


def test_an_interrupted_demo_leaves_nothing_running(tmp_path):
    demo = subprocess.Popen(
        COMMAND, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True
    )
    for line in demo.stdout:
        if "pending" in line:  # the work has begun
            break
    os.killpg(demo.pid, signal.SIGINT)
    rest = demo.stdout.read()
    assert demo.wait(60) == 130, rest
    assert "Interrupted" in rest
    assert left_running(tmp_path) == []


def test_two_demos_in_one_place_do_not_meet(tmp_path):
    (tmp_path / "build").mkdir()
    with (tmp_path / "build" / "demo.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = subprocess.run(COMMAND, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert "another demo is running here" in done.stdout


def left_running(folder: Path) -> list[str]:
    """Return the command line of every process whose directory or environment leads into the folder."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            environment = (process / "environ").read_bytes()
            inside = (process / "cwd").readlink().is_relative_to(folder)
            command = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except (OSError, ValueError):
            continue
        if inside or str(folder).encode() in environment or str(folder) in command:
            found.append(command)
    return found

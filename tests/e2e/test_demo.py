"""The demo's end: it is green, its report is what programs were promised, and no secret is where it does not belong.

That its report is true, the demo itself finds out by knocking on every door. It leaves nothing running, even when it is
interrupted.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest

from tests.e2e.canaries import betrayed, betrayed_by_files, betrayed_by_tables, watching_argv
from tests.e2e.company import PUBLIC_FIELDS
from tests.e2e.report_schema import REPORT, inconsistencies

COMMAND = [sys.executable, "-m", "rotator.practice.demo"]
MEANT_TO_HOLD_SECRETS = {"laptop", "kingfisher.json", "rotator-credentials", "ssh", "seal.key"}
OBSERVED = Path(__file__).with_name("observed_demo.py")


@pytest.fixture(scope="module")
def played(tmp_path_factory):
    """Play the demo once; return its folder, how it ended, every command line meanwhile, and what was issued."""
    folder = tmp_path_factory.mktemp("played")
    (folder / "issued").touch(mode=0o600)
    with watching_argv() as argv:
        done = subprocess.run(
            [sys.executable, str(OBSERVED), str(folder / "issued")],
            cwd=folder,
            env={**os.environ, "HOME": str(folder)},
            capture_output=True,
            text=True,
            timeout=180,
            check=False,
        )
    held = json.loads((folder / "issued").read_text() or "[]")
    issued = [value for each in held for name, value in each.items() if name not in PUBLIC_FIELDS]
    return folder / "build", done, argv.everything, issued


def planted(build):
    """Return every secret of the laptop and of the rotator itself, as their files hold them."""
    demo = build / "demo"
    found = [line.partition("=")[2] or line for line in lines(demo / "laptop" / ".aws/credentials") if "secret" in line]
    found += [line.partition("=")[2] for line in lines(demo / "laptop" / "code/warehouse/.env") if "SECRET" in line]
    found += [line.partition("=")[2] for line in lines(demo / "laptop" / "code/payments/.env") if "ID=" not in line]
    found += [line.split(":")[2].partition("@")[0] for line in lines(demo / "laptop" / ".git-credentials")]
    found += [(demo / "laptop" / name).read_text() for name in (".vault-token", ".ssh/id_ed25519")]
    own = [path.read_text() for path in (demo / "rotator-credentials").iterdir()]
    found += [json.loads(text)["aws_secret_access_key"] if text.startswith("{") else text for text in own]
    return [text.strip() for text in found if len(text.strip()) >= 16]


def looking_secret(demo: Path) -> set[str]:
    """Return whatever looks like a secret on the laptop or among what belongs to the rotator."""
    text = "\n".join(
        path.read_text()
        for name in ("laptop", "rotator-credentials")
        for path in (demo / name).rglob("*")
        if path.is_file()
    )
    keys = re.findall(r"\b[0-9a-f]{40}\b|\bs\.\w{24}\b|\bacme[_-][\w-]{20,}|\bghp_\w{36}", text)
    pem = [line for line in text.splitlines() if re.fullmatch(r"[A-Za-z0-9+/=]{60,}", line)]
    return {*keys, *pem}


def lines(path):
    return path.read_text().splitlines()


def test_the_demo_is_green_and_its_report_keeps_the_contract(played):
    build, done, _, _ = played
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-2000:]
    report = json.loads((build / "report.json").read_text())
    jsonschema.validate(report, REPORT)
    assert inconsistencies(report) == []
    assert report["replaced"] == report["totals"]["proven_dead"] == 5
    # A kind is known, and no connection serves it.
    assert (report["totals"]["manual"], report["unidentified"]) == (1, 0)
    assert {each["provider"] for each in report["credentials"] if each["state"] == "proven_dead"} == {
        "aws_iam_access_key",
        "vault_token",
        "ssh_authorized_key",
        "acme_api_token",
    }


def test_no_secret_is_printed_logged_reported_kept_or_passed_to_a_process(played):
    build, done, argv, issued = played
    assert len(issued) == 5
    known = planted(build) + issued
    assert len(set(known)) >= 5 + 1 + 4 + 5
    assert betrayed(known, "what was printed", done.stdout + done.stderr) == []
    assert betrayed(known, "a command line", argv) == []
    ledger = build / "demo" / "rotator-data" / "ledger.db"
    assert betrayed_by_tables(known, ledger) == []
    data = [path for path in ledger.parent.iterdir() if path.name != "seal.key"]
    logs = [*(build / "demo").glob("*.log"), *(build / "demo" / "servers").glob("*.log")]
    assert {"ledger.db", "up.log", "openbao.log", "ministack.log"} <= {path.name for path in data + logs}
    assert betrayed_by_files(known, [*data, *logs, build / "report.json", build / "demo" / "rotator.toml"]) == []


def test_a_secret_would_be_found_if_it_stood_there(played, tmp_path):
    build, _, _, issued = played
    for secret in planted(build) + issued:
        (tmp_path / "log").write_text(f"something {secret} more")
        assert betrayed_by_files([secret], [tmp_path / "log"]) == ["log holds secret 0"]


def test_what_looks_like_a_secret_is_only_in_the_places_made_for_them(played):
    build, done, _, _ = played
    secrets = looking_secret(build / "demo")
    assert len(secrets) >= 10
    shown = done.stdout + done.stderr + (build / "report.json").read_text()
    assert [each for each in secrets if each in shown] == []
    files = (path for path in (build / "demo").rglob("*") if path.is_file())
    kept = [path for path in files if not MEANT_TO_HOLD_SECRETS & set(path.parts)]
    assert kept
    assert [(path.name, each[:6]) for path in kept for each in secrets if each.encode() in path.read_bytes()] == []


def test_the_demo_leaves_nothing_running(played):
    assert left_running(played[0].parent) == []


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
    assert "another is running here (wait for its end)" in done.stdout


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

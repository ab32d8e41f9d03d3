"""The end of a quarter: what an auditor is given, and what he does with it. The commands are the product's own."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from typer.testing import CliRunner

from rotator.cli.main import app
from rotator.report.clocks import moment
from tests.evidence import recompute
from tests.quarter.play import Quarter


@dataclass(frozen=True, slots=True)
class Given:
    """What the auditor has: a pack, the report as data, and as a page."""

    pack: Path
    report: Path
    page: Path

    @property
    def told(self) -> dict[str, Any]:
        """Return the report."""
        found: dict[str, Any] = json.loads(self.report.read_text())
        return found


def given(quarter: Quarter) -> Given:
    """Export the evidence and make the report, as the company does it."""
    found = Given(*(quarter.folder / name for name in ("quarter.evidence.zip", "report.json", "report.html")))
    _called(quarter, "evidence", "export", "--to", str(found.pack))
    period = ("--from", moment(quarter.begins), "--to", moment(quarter.ends))
    found.report.write_text(_called(quarter, "report", "compliance", *period, "-o", "json"))
    found.page.write_text(_called(quarter, "report", "compliance", *period, "-o", "html"))
    return found


def _called(quarter: Quarter, *words: str) -> str:
    done = CliRunner().invoke(app, ["--config", str(quarter.folder / "rotator.toml"), *words])
    assert done.exit_code == 0, f"{' '.join(words)}: {done.output[-2000:]} {done.exception!r}"
    return done.stdout


def refused(quarter: Quarter, pack: Path) -> list[str]:
    """Return who finds something wrong with a pack: the product's check, and the one that shares no code with it."""
    words = ["--config", str(quarter.folder / "rotator.toml"), "evidence", "verify", str(pack)]
    ours = CliRunner().invoke(app, words).exit_code
    with zipfile.ZipFile(pack) as found:
        script = quarter.folder / "verify_evidence.py"
        script.write_bytes(found.read(script.name))
    theirs = subprocess.run([sys.executable, str(script), str(pack)], capture_output=True, check=False).returncode
    return [who for who, code in (("rotator evidence verify", ours), (script.name, theirs)) if code]


def recomputed(of: Given) -> list[str]:
    """Return the figures that an independent script finds otherwise; the process has nothing but the pack and them."""
    command = [sys.executable, "-I", recompute.__file__, str(of.pack), str(of.report)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return [] if done.returncode == 0 else (done.stdout + done.stderr).splitlines()


def altered(pack: Path, incident: str, act: str, **changes: object) -> Path:
    """Write the pack again, one record of an incident changed: the last of such an act that has those keys."""
    other = pack.with_name("altered.evidence.zip")
    with zipfile.ZipFile(pack) as before, zipfile.ZipFile(other, "w", zipfile.ZIP_DEFLATED) as after:
        for name in before.namelist():
            content = before.read(name)
            after.writestr(name, _changed(content, incident, act, changes) if name == "records.jsonl" else content)
    return other


def _changed(content: bytes, incident: str, act: str, changes: dict[str, object]) -> bytes:
    lines = content.splitlines(keepends=True)
    for number in reversed(range(len(lines))):
        told = json.loads(lines[number])
        is_it = told.get("act") == act and told["chain"].partition(".")[0] == incident
        if is_it and all(told.get(key) is not None for key in changes):
            lines[number] = json.dumps({**told, **changes}, sort_keys=True, separators=(",", ":")).encode() + b"\n"
            return b"".join(lines)
    raise AssertionError(f"no record of {act} has {', '.join(changes)}")

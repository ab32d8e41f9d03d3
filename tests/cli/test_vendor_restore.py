"""A paused vendor is let in again at the command line, here and by a service far away, and each refusal is one line."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import re
from datetime import UTC, datetime

import pytest

from rotator import clock
from rotator.bootstrap import Rotator
from rotator.cli import watching
from rotator.flow.checklist import CUT, Asks, Gate, frozen
from rotator.flow.registry import Said, Sort
from rotator.flow.scope import Unresolved
from rotator.ledger import pauses
from rotator.ledger.pauses import Pause
from rotator.settings.file import load
from tests.cli.far import service
from tests.fakes.company import founded
from tests.fakes.deployment import sqlite

TASK = Unresolved(None, "its badge", (), "no machine can take it back", "ask at the door")
WHY = ("--reason", "it is in our safe")


@pytest.fixture
def folder(tmp_path):
    """Give a folder with a ledger in which a vendor is paused, and a report about it."""
    (tmp_path / "rotator.toml").write_text('data_dir = "data"\n')
    (tmp_path / "data").mkdir(mode=0o700)
    (tmp_path / "data" / "seal.key").write_text(base64.b64encode(bytes(32)).decode())
    (tmp_path / "data" / "seal.key").chmod(0o600)
    database = sqlite(tmp_path / "data" / "ledger.db")
    founded(tmp_path, database=database)[1].declare([], [TASK], incident="inc-9")
    parts = Rotator(load(tmp_path / "rotator.toml"))
    parts.__dict__["database"] = database
    parts.vendors.take([Said(Sort.VENDOR, "acme", {}, "vendors.yaml")], "ana")
    checklist = frozen([CUT, Gate("forensics", Asks.DOCUMENT)])
    with database.write() as connection:
        pauses.begin(connection, Pause("acme", 0, "inc-9", clock.now(), "ana", "breached", checklist), {})
    database.close()
    (tmp_path / "report.pdf").write_bytes(b"they are out")
    return tmp_path


@pytest.mark.parametrize("is_far", [False, True])
def test_the_gates_are_shown_met_overridden_and_the_vendor_restored(called, folder, monkeypatch, is_far):
    monkeypatch.setattr(watching, "start_workers", lambda *_: None)
    today = datetime.fromtimestamp(clock.now(), UTC).date().isoformat()
    with contextlib.ExitStack() as ends:
        if is_far:
            there = ends.enter_context(service(folder))
            monkeypatch.setenv("ROTATOR_URL", there.url)
            monkeypatch.setenv("ROTATOR_TOKEN", there.token())
        shown = called("vendor", "gates", "acme").ended(3)
        assert "cut: SHUT" in shown.out
        assert "forensics: SHUT" in shown.out
        refused = called("vendor", "restore", "acme", *WHY, "--yes").ended(4)
        what, nearest, other = refused.err.splitlines()
        assert what == "rotator: acme stays paused: 2 gates are shut"
        assert nearest.startswith("  cut: ")
        assert "rotator exposure dismiss inc-9" in nearest
        assert other.startswith("  forensics: ")
        assert "rotator vendor meet acme forensics" in other
        assert "2026-13-45" in called("vendor", "meet", "acme", "forensics", *WHY, "--dated", "2026-13-45").ended(2).err

        given = ("--document", str(folder / "report.pdf"), "--from", "Forensics Ltd", "--dated", today)
        met = json.loads(called("vendor", "meet", "acme", "forensics", *WHY, *given, "-o", "json").ended(0).out)
        assert hashlib.sha256(b"they are out").hexdigest() in met["evidence"][0]
        asked = called("vendor", "override", "acme", "cut", *WHY).ended(4)
        assert "its badge" in asked.err
        of_others = ("--confirm", "override cut of acme 000000")
        assert "its badge" in called("vendor", "override", "acme", "cut", *WHY, *of_others).ended(4).err
        words = re.search(r"override cut of acme [0-9a-f]{6}", asked.err)[0]
        overridden = called("vendor", "override", "acme", "cut", *WHY, "--confirm", words).ended(0)
        assert "cut: OVERRIDDEN" in overridden.out
        assert "not confirmed" in called("vendor", "restore", "acme", *WHY).ended(4).err
        assert "acme is let in again" in called("vendor", "restore", "acme", *WHY, "--yes").ended(0).out
        assert "it is not paused" in called("vendor", "gates", "acme").ended(2).err

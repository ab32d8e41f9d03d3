"""`rotator vendor uses`, here and by a service far away: the same is told, and shown with the vendor since."""

from __future__ import annotations

import contextlib
import csv
import gzip
import io
import json

import pytest

from tests.access.logs import log, record
from tests.cli.far import service
from tests.shown.vendors import filled

KEY = "AKIAACME000000000001"
SINCE = ("--since", "2026-03-24T10:00:00Z")


@pytest.fixture
def folder(tmp_path):
    filled(tmp_path).database.close()
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "old.json.gz").write_bytes(gzip.compress(log(record(-72, key=KEY))))
    thief = {"sourceIPAddress": "203.0.113.9", "userAgent": "=cmd|' /C calc'!A0"}
    (tmp_path / "logs" / "new.json").write_bytes(log(record(1, key=KEY, **thief)))
    return tmp_path


@pytest.mark.parametrize("is_far", [False, True])
def test_logs_are_read_once_told_and_shown_with_the_vendor(called, folder, monkeypatch, is_far):
    with contextlib.ExitStack() as ends:
        if is_far:
            there = ends.enter_context(service(folder))
            monkeypatch.setenv("ROTATOR_URL", there.url)
            monkeypatch.setenv("ROTATOR_TOKEN", there.token())
        said = called("vendor", "uses", "acme", "logs", *SINCE).ended(3).out
        assert "2 logs were read; new is what began after 2026-03-24T10:00:00.000Z (as was asked)" in said
        assert "begin 3 days before 2026-03-24T10:00:00Z: little is known of what is usual" in said
        assert "new network: 203.0.113.0/24: ListBuckets" in said
        [row] = csv.DictReader(io.StringIO(called("vendor", "uses", "acme", "logs", *SINCE, "-o", "csv").ended(3).out))
        assert (row["id"], row["calls"], row["unusual"]) == (KEY, "2", "new network")
        told = json.loads(called("vendor", "uses", "acme", "logs/old.json.gz", "-o", "json").ended(3).out)
        assert (told["known"], told["uses"]["logs"]) == (1, 2)
        shown = called("vendor", "show", "acme").ended(0).out
        assert f"used aws_iam_access_key {KEY}: 2 calls" in shown
        assert "use: of 2 credentials no log that was read tells" in shown
        assert "no access log was read" in called("vendor", "show", "beta").ended(0).out
        assert "did you mean `acme`" in called("vendor", "uses", "acm", "logs").ended(2).err
        (folder / "notes.txt").write_text("hello")
        assert "this is no access log" in called("vendor", "uses", "acme", "notes.txt").ended(2).err
        assert (
            "--since: `soon` is not a time" in called("vendor", "uses", "acme", "logs", "--since", "soon").ended(2).err
        )

"""Manifests at the command line: what is said of a dataset, with which exit code, and what an auditor is given."""

from __future__ import annotations

import hashlib
import io
import json
import sqlite3
import sys
from contextlib import closing

import pytest

from rotator.cli import meter
from rotator.manifests.entry import Entry, Kind
from rotator.manifests.hashing import Meter
from tests.cli.conftest import FIRST


@pytest.fixture
def dataset(tmp_path):
    folder = tmp_path / "dataset"
    folder.mkdir()
    (folder / "a").write_bytes(b"aa")
    (folder / "b").write_bytes(b"bb")
    (folder / "odd\x1b[31m\n").symlink_to("a")
    return folder


def test_a_dataset_is_recorded_checked_and_told_of(filled, dataset):
    recorded = filled("manifest", "record", "set", "dataset").ended(0)
    assert "2 files, 4 bytes, 1 links" in recorded.out
    assert "as recorded: 3 as recorded" in filled("manifest", "verify", "set").ended(0).out
    (dataset / "a").write_bytes(b"AA")
    (dataset / "odd\x1b[31m\n").unlink()
    (dataset / "c").touch()
    said = filled("manifest", "verify", "set", "--incident", FIRST).ended(1).out
    assert "IT DIFFERS: 1 altered, 1 missing, 1 new, 1 as recorded" in said
    for line in ("  altered: a\n", "  missing: odd%1B[31m%0A\n", "  new: c\n"):
        assert line in said
    assert "1 altered, 1 missing, 1 new, 1 as recorded" in filled("manifest", "list").ended(0).out
    shown = json.loads(filled("manifest", "show", "set", "-o", "json").ended(0).out)
    assert [each["result"] for each in shown["checks"]] == ["differs", "as recorded"]
    assert shown["checks"][0]["incident"] == FIRST
    assert "IT DIFFERS" in filled("manifest", "show", "set").ended(0).out


def test_an_export_digests_to_what_the_evidence_has(filled, dataset, tmp_path):
    recorded = json.loads(filled("manifest", "record", "set", str(dataset), "-o", "json").ended(0).out)
    filled("manifest", "export", "set", "--to", "set.manifest").ended(0)
    text = (tmp_path / "set.manifest").read_bytes()
    assert hashlib.sha256(text).hexdigest() == recorded["digest"]
    assert text.startswith(b"rotator manifest 1\na\tfile\t2\t")
    assert "File exists" in filled("manifest", "export", "set", "--to", "set.manifest").ended(2).err


def test_a_manifest_that_was_altered_is_no_measure_and_an_export_of_evidence_says_so(filled, dataset, tmp_path):
    filled("manifest", "record", "set", str(dataset)).ended(0)
    filled("evidence", "export", "--to", "before.zip").ended(0)
    with closing(sqlite3.connect(tmp_path / "data" / "ledger.db")) as ledger, ledger:
        ledger.execute("UPDATE manifest_part SET lines = x'00'")
    assert "altered it in the ledger" in filled("manifest", "verify", "set").ended(2).err
    assert "altered it in the ledger" in filled("manifest", "export", "set", "--to", "set.manifest").ended(2).err
    assert not (tmp_path / "set.manifest").exists()
    assert "ALTERED: the manifest set" in filled("evidence", "export", "--to", "after.zip").ended(1).err


def test_a_recording_that_was_altered_is_found_in_a_pack(filled, dataset, tmp_path):
    filled("manifest", "record", "set", str(dataset)).ended(0)
    filled("evidence", "export", "--to", "before.zip").ended(0)
    with closing(sqlite3.connect(tmp_path / "data" / "ledger.db")) as ledger, ledger:
        ledger.execute(
            "UPDATE evidence SET body = replace(body, '\"files\":2', '\"files\":3') WHERE chain LIKE 'manifest.%'"
        )
    assert "ALTERED: manifest.set 1" in filled("evidence", "export", "--to", "after.zip").ended(1).err
    assert "manifest.set 1: " in filled("evidence", "verify", "after.zip").ended(1).out


def test_what_was_read_elsewhere_is_checked_by_its_file_here(filled, dataset):
    filled("manifest", "record", "set", "dataset").ended(0)
    (dataset / "a").write_bytes(b"AA")
    assert "2 files, 1 links" in filled("manifest", "read", "dataset", "--to", "set.reading").ended(0).out
    said = filled("manifest", "verify", "set", "--reading", "set.reading", "--incident", FIRST).ended(1).out
    assert "IT DIFFERS: 1 altered, 2 as recorded" in said
    assert "read there by " in said
    assert "File exists" in filled("manifest", "read", "dataset", "--to", "set.reading").ended(2).err
    assert "says itself where" in filled("manifest", "verify", "set", "dataset", "--reading", "x").ended(2).err
    assert "No such file" in filled("manifest", "verify", "set", "--reading", "x").ended(2).err
    (dataset / "c").mkdir()
    filled("manifest", "read", "dataset/c", "--to", "else.reading").ended(0)
    assert "NOTE: it was read in " in filled("manifest", "verify", "set", "--reading", "else.reading").ended(1).out


def test_a_list_comes_on_standard_input(filled, monkeypatch):
    line = f"{hashlib.sha256(b'x').hexdigest()}  x\n"
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(line.encode())))
    assert "1 files, 0 links" in filled("manifest", "record", "set", "-").ended(0).out
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(line.encode())))
    filled("manifest", "verify", "set", "-").ended(0)
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"hello\n")))
    assert "standard input, line 1" in filled("manifest", "verify", "set", "-").ended(2).err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("record", "set", "nothing"), "ENOENT"),
        (("record", "set", "s3://bucket/x"), "--connection"),
        (("record", "set", "s3://bucket/x", "--connection", "none"), "none"),
        (("record", "a b", "dataset"), "not called so"),
        (("record", "set", "dataset", "--incident", "inc-none"), "no such incident"),
        (("verify", "none"), "no manifest is called so"),
        (("show", "none"), "no manifest is called so"),
        (("export", "none", "--to", "x"), "no manifest is called so"),
    ],
)
def test_bad_input_is_one_line(filled, dataset, words, said):  # noqa: ARG001 - it is there to be named
    done = filled("manifest", *words).ended(2)
    assert said in done.err
    assert done.err.count("\n") == 1


def test_what_could_not_be_read_is_told_at_once(filled, dataset, monkeypatch):  # noqa: ARG001 - it is recorded
    monkeypatch.setattr(
        "rotator.manifests.folder._read", lambda _place, path, _meter: Entry(path, Kind.UNREAD, None, "EIO")
    )
    done = filled("manifest", "record", "set", "dataset").ended(1)
    assert "2 COULD NOT BE READ" in done.out
    assert "2 not readable, 1 as recorded" in filled("manifest", "verify", "set").ended(1).out


def test_how_far_it_is_is_told_in_units_that_people_read():
    found = Meter()
    found.add(3 << 30)
    found.counts.add(Entry("a", Kind.FILE, 3 << 30, ""))
    assert meter.line(found, "set") == "set: 1 files, 3.0 GiB read"
    found.counts.add(Entry("b", Kind.UNREAD, None, "EIO"))
    assert meter.line(found, "set").endswith(", 1 not readable")
    assert [meter.amount(size) for size in (0, 1023, 1024, 2**60)] == [
        "0 bytes",
        "1,023 bytes",
        "1.0 KiB",
        "1,024.0 PiB",
    ]

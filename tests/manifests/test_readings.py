"""A dataset is read where no ledger is: the check says who read it and who gave that, and of when it tells."""

from __future__ import annotations

import io
import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rotator import datasets, readings
from rotator.datasets import Asked
from rotator.errors import BadInput, NotAllowed
from rotator.ledger import datasets as kept
from rotator.manifests import reading
from rotator.manifests.entry import Entry, Kind, encoded
from rotator.manifests.hashing import Meter
from rotator.manifests.reading import Reading
from tests.manifests.test_datasets import chain, record, verify

SAID = Reading("dora", "/data/training", "lab-1", "", 5.0)
DIGEST = "ab" * 32


def written(entries, said=SAID):
    text = io.StringIO()
    reading.write(text, said, sorted(entries, key=lambda each: each.path))
    return text.getvalue().encode()


def read_there(parts, place, to, by="dora"):
    readings.write(parts.settings, Asked(str(place), by), to, Meter())
    return to.read_bytes()


def gives(parts, raw, by="ana", **more):
    return readings.keep(parts, readings.look(parts, "set", io.BytesIO(raw), "it", more.get("incident", "")), by)


def test_what_was_read_elsewhere_is_compared_and_both_who_read_it_and_who_gave_it_are_kept(parts, dataset, tmp_path):
    recorded = record(parts, dataset)
    raw = read_there(parts, dataset, tmp_path / "before")
    found = gives(parts, raw)
    assert (found.is_as_recorded, found.digest, found.by, found.read_by) == (True, recorded.digest, "ana", "dora")
    (dataset / "a").write_bytes(b"AA")
    (dataset / "new").touch()
    found = gives(parts, read_there(parts, dataset, tmp_path / "after"))
    assert found.named == {"altered": ["a"], "new": ["new"]}
    assert (found.read_at, found.seen_at) == (found.read_at, found.read_at)
    told = chain(parts)[-1]
    assert (told["by"], told["read_by"], told["read_at"], told["altered"]) == ("ana", "dora", found.read_at, 1)
    with parts.database.read() as connection:
        assert kept.standing(connection, "set") == found


def test_what_was_read_before_the_last_check_tells_nothing_of_it(parts, dataset, tmp_path):
    record(parts, dataset)
    before = read_there(parts, dataset, tmp_path / "before")
    (dataset / "a").write_bytes(b"AA")
    assert not verify(parts, dataset).is_as_recorded
    with pytest.raises(BadInput, match="read before the last check"):
        gives(parts, before)
    assert len(parts.manifests.checks("set")) == 1


def test_a_copy_elsewhere_is_told_and_opens_nothing(parts, dataset, tmp_path):
    record(parts, dataset)
    other = tmp_path / "copy"
    other.symlink_to(dataset)
    seen = readings.look(parts, "set", io.BytesIO(read_there(parts, other, tmp_path / "read")), "it", "")
    assert "no gate opens" in seen.warnings[0]
    assert readings.keep(parts, seen, "ana").is_as_recorded
    with parts.database.read() as connection:
        assert kept.standing(connection, "set") is None


def test_a_list_tells_of_the_machine_that_it_was_recorded_of(parts):
    line = f"{DIGEST}  a\n".encode()
    datasets.record(parts, "set", Asked("-", "ana", given=io.BytesIO(line)), Meter())
    raw = written([Entry("a", Kind.FILE, None, DIGEST)], replace(SAID, place="-"))
    assert readings.look(parts, "set", io.BytesIO(raw), "it", "").warnings == []
    assert gives(parts, raw).is_as_recorded


def test_a_time_to_come_is_told_and_not_believed(parts, dataset):
    record(parts, dataset)
    found = gives(parts, written([], replace(SAID, began_at=9e10)))
    assert (found.read_at, found.seen_at) == (9e10, found.at)


def test_no_program_says_what_a_person_read(parts, dataset, tmp_path):
    record(parts, dataset)
    with pytest.raises(NotAllowed, match="a person's word"):
        gives(parts, read_there(parts, dataset, tmp_path / "read"), by="token nightly")
    assert parts.manifests.checks("set") == []


def test_no_file_that_is_there_is_replaced_and_no_half_is_left(parts, dataset, tmp_path, monkeypatch):
    (tmp_path / "there").write_text("mine")
    with pytest.raises(BadInput, match="File exists"):
        read_there(parts, dataset, tmp_path / "there")
    monkeypatch.setattr(reading.Written, "digest", property(lambda _: (tmp_path / "none").stat()))
    with pytest.raises(BadInput, match="cannot be written"):
        read_there(parts, dataset, tmp_path / "half")
    assert not (tmp_path / "half").exists()
    assert (tmp_path / "there").read_text() == "mine"


paths = st.lists(st.binary(min_size=1, max_size=8).filter(lambda name: b"\0" not in name), max_size=6, unique=True)


@given(paths, st.floats(0, 1, exclude_max=True))
def test_whatever_is_written_is_read_back_and_cut_off_anywhere_it_is_refused(names, share):
    entries = sorted((Entry(encoded(each), Kind.FILE, 1, DIGEST) for each in names), key=lambda each: each.path)
    raw = written(entries)
    said, found = reading.read(io.BytesIO(raw), "it")
    assert (said, list(found)) == (SAID, entries)
    with pytest.raises(BadInput):
        list(reading.read(io.BytesIO(raw[: int(len(raw) * share)]), "it")[1])


@pytest.mark.parametrize(
    ("old", "new", "where"),
    [
        (b"rotator reading 1", b"rotator manifest 1", "it"),
        (b"rotator reading 1", b"\xff", "line 1"),
        (b'"by": "dora"', b'"by": ""', "line 2"),
        (b'"by": "dora"', b'"of": "dora"', "line 2"),
        (b"5.0", b"NaN", "line 2"),
        (b"5.0", b"9" * 400, "line 2"),
        (b"5.0", b"[" * 60_000, "line 2"),
        (b"rotator manifest 1", b"rotator manifest 2", "line 3"),
        (b"a\tfile\t1\t", b"b\tfile\t1\t", "line 5"),
        (b"a\tfile\t1\t", b"c\tfile\t1\t", "line 5"),
        (b"a\tfile\t1\t", b"a\tfile\t2\t", "line 6"),
        (b"a\tfile\t1\t", b"a\tfile\t-1\t", "line 4"),
        (b"a\tfile\t1\t", b"a\tfile\t 1\t", "line 4"),
        (b"a\tfile\t1\t", b"a\x1b\tfile\t1\t", "line 4"),
        (b"a\tfile\t1\tab", b"a\tfile\t1\tzz", "line 4"),
        (b"SHA-256 ", b"b\nSHA-256 ", "line 6"),
    ],
)
def test_what_is_no_reading_is_refused_with_its_line(old, new, where):
    raw = written([Entry("a", Kind.FILE, 1, DIGEST), Entry("b", Kind.FILE, 1, DIGEST)])
    assert raw.count(old) == 1
    with pytest.raises(BadInput, match=where) as refused:
        list(reading.read(io.BytesIO(raw.replace(old, new)), "it")[1])
    assert DIGEST not in str(refused.value)


def test_nothing_may_stand_behind_its_end():
    with pytest.raises(BadInput, match="line 4"):
        list(reading.read(io.BytesIO(written([]) + b"more\n"), "it")[1])


def test_a_secret_in_who_read_it_is_refused_and_not_repeated(parts, dataset):
    record(parts, dataset)
    secret = "ghp_" + "16C7e42F292c6912E7710c838347Ae178B4a"
    with pytest.raises(BadInput, match="a secret") as refused:
        gives(parts, written([], replace(SAID, by=secret)))
    assert secret not in str(refused.value)
    assert json.dumps(chain(parts)).count("dataset_checked") == 0

"""A dataset is recorded and checked: whatever changes is found, and what the ledger holds cannot be changed unseen."""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import delete, insert, select, update

from rotator import datasets
from rotator.datasets import Asked
from rotator.errors import BadInput
from rotator.evidence.signing import SigningKey
from rotator.ledger import datasets as kept
from rotator.ledger import manifests as ledger_of
from rotator.ledger import tables
from rotator.ledger.checkpoints import Checkpoints
from rotator.ledger.evidence import chained
from rotator.manifests import bucket, comparing
from rotator.manifests.comparing import Difference
from rotator.manifests.entry import Entry, Kind, Written
from rotator.manifests.hashing import Meter
from rotator.ports.connection import Connection


def record(parts, place, name="set", **more):
    return datasets.record(parts, name, Asked(str(place), "ana", **more), Meter())


def verify(parts, place="", name="set", **more):
    return datasets.verify(parts, name, Asked(str(place), "ben", **more), Meter())


def chain(parts, name="set"):
    query = select(tables.evidence.c.body).where(tables.evidence.c.chain == f"manifest.{name}")
    with parts.database.read() as connection:
        return [json.loads(each) for each in connection.execute(query.order_by(tables.evidence.c.seq)).scalars()]


def test_what_is_recorded_is_evidence_and_checked_against(parts, dataset):
    recorded = record(parts, dataset)
    assert (recorded.counts.files, recorded.counts.links, recorded.counts.size) == (2, 1, 4)
    found = verify(parts)
    assert found.is_as_recorded
    assert (found.same, found.digest) == (3, recorded.digest)
    begun, checked = chain(parts)
    assert (begun["act"], begun["by"], begun["digest"], begun["files"]) == (
        "dataset_recorded",
        "ana",
        recorded.digest,
        2,
    )
    assert (begun["source"], begun["host"]) == (str(dataset), recorded.source.host)
    assert (checked["act"], checked["by"], checked["recorded"], checked["altered"]) == (
        "dataset_checked",
        "ben",
        recorded.digest,
        0,
    )


def same_size_and_time(folder):
    file = folder / "part" / "b"
    before = file.stat()
    file.write_bytes(b"BB")
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))


def retargeted(folder):
    (folder / "link").unlink()
    (folder / "link").symlink_to("./a")


def a_file_in_place_of_a_link(folder):
    (folder / "link").unlink()
    (folder / "link").write_bytes(b"a")


CHANGES = {
    "content": (same_size_and_time, {"altered": ["part/b"]}),
    "link": (retargeted, {"altered": ["link"]}),
    "sort": (a_file_in_place_of_a_link, {"altered": ["link"]}),
    "renamed": (lambda folder: (folder / "a").rename(folder / "c"), {"missing": ["a"], "new": ["c"]}),
    "added": (lambda folder: (folder / "part" / "n").touch(), {"new": ["part/n"]}),
    "removed": (lambda folder: (folder / "part" / "b").unlink(), {"missing": ["part/b"]}),
    "a folder less": (
        lambda folder: ((folder / "part" / "b").unlink(), (folder / "part").rmdir()),
        {"missing": ["part/b"]},
    ),
}


@pytest.mark.parametrize("change", CHANGES)
def test_each_sort_of_change_is_found_and_named(parts, dataset, change):
    record(parts, dataset)
    make, named = CHANGES[change]
    make(dataset)
    found = verify(parts)
    assert not found.is_as_recorded
    assert found.named == named
    assert {sort: count for sort, count in found.counts.items() if count} == {
        each: len(names) for each, names in named.items()
    }
    assert chain(parts)[-1]["named"] == named


PATHS = st.sampled_from(["a", "a/b", "a-b", "b", "b/c", "é", "%0A", "z z"])
VALUES = st.sampled_from(["0" * 64, "1" * 64])
ENTRIES = st.one_of(
    st.tuples(st.just(Kind.FILE), st.sampled_from([1, 2, None]), VALUES),
    st.tuples(st.just(Kind.LINK), st.none(), st.sampled_from(["a", "b"])),
)
CONTENT = st.dictionaries(PATHS, ENTRIES, max_size=8)


def entries(content):
    return [Entry(path, *content[path]) for path in sorted(content)]


def is_same(one, other):
    sizes = {one[1], other[1]} - {None}
    return (one[0], one[2]) == (other[0], other[2]) and len(sizes) <= 1


@given(CONTENT, CONTENT)
def test_a_comparison_finds_what_two_dictionaries_differ_in(before, now):
    found = comparing.compare(entries(before), entries(now))
    both = before.keys() & now.keys()
    assert found.named.get(Difference.MISSING, []) == sorted(before.keys() - now.keys())
    assert found.named.get(Difference.NEW, []) == sorted(now.keys() - before.keys())
    assert found.named.get(Difference.ALTERED, []) == sorted(
        each for each in both if not is_same(before[each], now[each])
    )
    assert found.same == sum(is_same(before[each], now[each]) for each in both)
    assert found.is_as_recorded == (found.same == len(before.keys() | now.keys()))


@pytest.mark.parametrize("sides", [("before",), ("now",), ("before", "now")])
def test_what_could_not_be_listed_is_neither_missing_nor_new(sides):
    shut, rest = (
        Entry("a/", Kind.UNLISTED, None, "EACCES"),
        [Entry(each, Kind.FILE, 1, "0" * 64) for each in ("a-b", "b")],
    )
    inside = [Entry(each, Kind.FILE, 1, "0" * 64) for each in ("a/c", "a/d/e")]
    before, now = (
        sorted([*rest, *([shut] if side in sides else inside)], key=lambda each: each.path)
        for side in ("before", "now")
    )
    found = comparing.compare(before, now)
    assert set(found.counts) == {Difference.UNREAD}
    assert found.same == 2
    assert found.named[Difference.UNREAD] == (["a/"] if len(sides) == 2 else ["a/", "a/c", "a/d/e"])


def test_nothing_is_known_of_a_dataset_that_cannot_be_listed():
    now = [Entry("", Kind.UNLISTED, None, "EIO")]
    found = comparing.compare([Entry("a", Kind.FILE, 1, "0" * 64)], now)
    assert found.counts == {Difference.UNREAD: 2}


def test_only_the_first_of_a_sort_are_named(parts, tmp_path):
    folder = tmp_path / "many"
    folder.mkdir()
    for number in range(comparing.NAMED + 5):
        (folder / f"{number:03}").touch()
    record(parts, folder)
    for each in folder.iterdir():
        each.write_text("x")
    found = verify(parts)
    assert found.counts["altered"] == comparing.NAMED + 5
    assert len(found.named["altered"]) == comparing.NAMED


def test_no_name_that_looks_like_a_secret_is_kept_of_a_check(parts, dataset):
    record(parts, dataset)
    token = "ghp_" + "a1B2c3D4e5F6" * 3
    (dataset / f"{token}.txt").touch()
    assert verify(parts).named["new"] == ["[secret]"]
    assert token not in json.dumps(chain(parts))


def test_a_name_is_recorded_once(parts, dataset):
    recorded = record(parts, dataset)
    (dataset / "a").write_text("another")
    with pytest.raises(BadInput) as error:
        record(parts, dataset)
    assert "never replaced" in str(error.value)
    assert parts.manifests.one("set") == recorded


def test_a_recording_that_broke_off_is_taken_over(parts, dataset, monkeypatch):
    monkeypatch.setattr(ledger_of, "_LINES", 1)
    source = kept.Source(str(dataset), "here")
    first = parts.manifests.begin("set", source, "ana")
    parts.manifests.keep(first, entries({"a": (Kind.FILE, 1, "0" * 64)}))
    with pytest.raises(BadInput) as error:
        verify(parts)
    assert "not whole" in str(error.value)
    assert not parts.manifests.listed()
    recorded = record(parts, dataset)
    assert [each.path for each in parts.manifests.entries(recorded)] == ["a", "link", "part/b"]
    with pytest.raises(BadInput):
        parts.manifests.end("set", first, Written())
    with parts.database.read() as connection:
        assert set(connection.execute(select(tables.manifest_part.c.recording)).scalars()) == {recorded.id}


def altered_line(lines):
    return lines.replace(b"part/b", b"part/c")


def no_line(lines):
    return lines[: lines.index(b"\n") + 1]


@pytest.mark.parametrize("alter", [altered_line, no_line, lambda _: b"", lambda _: b"no line\n"])
def test_lines_altered_in_the_ledger_are_found(parts, dataset, alter):
    recorded = record(parts, dataset)
    part = tables.manifest_part
    with parts.database.write() as connection:
        lines = zlib.decompress(connection.execute(select(part.c.lines)).scalar_one())
        connection.execute(update(part).values(lines=zlib.compress(alter(lines))))
    assert parts.manifests.altered() == ["set"]
    with pytest.raises(BadInput) as error:
        verify(parts)
    assert "altered it in the ledger" in str(error.value)
    with pytest.raises(BadInput):
        list(parts.manifests.entries(recorded))


@pytest.mark.parametrize("how", ["part taken out", "digest too", "not compressed"])
def test_a_manifest_that_was_made_to_fit_is_found(parts, dataset, how):
    record(parts, dataset)
    with parts.database.write() as connection:
        if how == "part taken out":
            connection.execute(delete(tables.manifest_part))
        elif how == "not compressed":
            connection.execute(update(tables.manifest_part).values(lines=b"lines"))
        else:
            written = Written()
            lines = [each.line for each in written.through(entries({"a": (Kind.FILE, 1, "0" * 64)}))]
            connection.execute(update(tables.manifest_part).values(lines=zlib.compress("".join(lines).encode())))
            connection.execute(update(tables.manifest).values(digest=written.digest))
    assert parts.manifests.altered() == ["set"]


@pytest.mark.parametrize(
    "altered", [{"source": "/another"}, {"host": "another"}, {"files": 1}, {"recorded_at": 1.0}, {"recorded_by": "eve"}]
)
def test_a_manifest_that_tells_of_another_place_time_or_count_is_refused_before_that_place_is_read(
    parts, dataset, altered
):
    record(parts, dataset)
    with parts.database.write() as connection:
        connection.execute(update(tables.manifest).values(**altered))
    with pytest.raises(BadInput, match="altered it in the ledger"):
        verify(parts)


@pytest.mark.parametrize("forged", ["its record", "its record and hash", "its whole chain"])
def test_a_manifest_whose_chain_was_made_to_fit_too_is_found(parts, dataset, forged):
    recorded = record(parts, dataset)
    verify(parts)
    if forged == "its whole chain":  # which hangs together: but it was signed as it was
        with parts.database.write() as connection:
            connection.execute(insert(tables.epoch).values(name="here"))
        Checkpoints(parts.database).sign(SigningKey(bytes(32)))
    (dataset / "a").write_bytes(b"evil")
    other = record(parts, dataset, "other")
    [first, *later] = chain(parts)
    bare = [{key: each[key] for key in each.keys() - {"chain", "seq", "previous"}} for each in (first, *later)]
    bare[0] |= {"digest": other.digest, "size": other.counts.size}
    rows, _, _ = chained("manifest.set", 0, "", bare)
    evidence, part = tables.evidence, tables.manifest_part
    with parts.database.write() as connection:
        connection.execute(delete(part).where(part.c.recording == recorded.id))
        connection.execute(update(part).values(recording=recorded.id))
        mine = tables.manifest.c.name == "set"
        connection.execute(update(tables.manifest).where(mine).values(digest=other.digest, size=other.counts.size))
        for row in rows if forged == "its whole chain" else rows[:1]:
            told = {"body": row["body"]} if forged == "its record" else row
            there = (evidence.c.chain == "manifest.set", evidence.c.seq == row["seq"])
            connection.execute(update(evidence).where(*there).values(**told))
    with pytest.raises(BadInput, match="altered it in the ledger"):
        verify(parts)


@pytest.mark.parametrize(
    ("place", "read"),
    [
        ("s3://b", ("b", "")),
        ("s3://b/", ("b", "")),
        ("s3://b/p/q", ("b", "p/q/")),
        ("s3://b/p/", ("b", "p/")),
        ("s3://b/run#2/v?=1", ("b", "run#2/v?=1/")),
        ("s3://b//p", ("b", "/p/")),
    ],
)
def test_a_bucket_is_read_at_the_very_prefix_that_was_named(parts, monkeypatch, place, read):
    asked = []
    monkeypatch.setattr(bucket, "walk", lambda _, name, prefix: asked.append((name, prefix)) or iter([]))
    monkeypatch.setattr(type(parts.settings), "connection", lambda *_: Connection("aws-prod", "aws"))
    with pytest.raises(BadInput, match="nothing in it"):
        record(parts, place, connection="aws-prod")
    assert asked == [read]


def test_a_place_that_names_no_bucket_is_refused(parts, monkeypatch):
    monkeypatch.setattr(type(parts.settings), "connection", lambda *_: Connection("aws-prod", "aws"))
    with pytest.raises(BadInput, match="names no bucket"):
        record(parts, "s3:///p", connection="aws-prod")


def test_what_cannot_be_read_is_never_called_the_same(parts, dataset, monkeypatch):
    really = os.open

    def refusing(path, *args, **named):
        if str(path).endswith("part/b"):
            raise PermissionError(13, "Permission denied")
        return really(path, *args, **named)

    with monkeypatch.context() as patient:
        patient.setattr(os, "open", refusing)
        assert record(parts, dataset).counts.unread == 1
        assert verify(parts).named == {"unread": ["part/b"]}
    assert verify(parts).named == {"unread": ["part/b"]}


def test_a_list_is_recorded_and_checked_against_a_folder(parts, dataset):
    told = b"".join(line_of(dataset / name, name) for name in ("a", "part/b"))
    recorded = record(parts, "-", given=io.BytesIO(told))
    assert (recorded.counts.files, recorded.source.place) == (2, "-")
    found = verify(parts, dataset)
    assert found.named == {"new": ["link"]}
    assert verify(parts, "-", given=io.BytesIO(told)).is_as_recorded
    with pytest.raises(BadInput):
        verify(parts)


def line_of(file, name):
    return f"{hashlib.sha256(file.read_bytes()).hexdigest()}  ./{name}\n".encode()


def test_another_place_of_the_same_content_is_as_recorded(parts, dataset, tmp_path):
    record(parts, dataset)
    shutil.copytree(dataset, tmp_path / "restored", symlinks=True)
    assert verify(parts, tmp_path / "restored").is_as_recorded


@pytest.mark.parametrize("name", ["", "../x", "a b", "x" * 65, "-x"])
def test_a_name_is_plain(parts, dataset, name):
    with pytest.raises(BadInput):
        record(parts, dataset, name)


def test_nothing_is_recorded_of_nothing(parts, tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(BadInput) as error:
        record(parts, tmp_path / "empty")
    assert "nothing in it" in str(error.value)
    assert not parts.manifests.listed()


def test_what_was_recorded_elsewhere_is_not_looked_for_here(parts, dataset, monkeypatch):
    record(parts, dataset)
    monkeypatch.setattr(datasets.socket, "gethostname", lambda: "another")
    with pytest.raises(BadInput) as error:
        verify(parts)
    assert str(dataset) in str(error.value)
    assert verify(parts, dataset).is_as_recorded


def test_how_a_dataset_stands_is_its_last_check(parts, dataset):
    record(parts, dataset)
    with parts.database.read() as connection:
        assert kept.standing(connection, "set") is None
    verify(parts)
    (dataset / "a").unlink()
    last = verify(parts)
    with parts.database.read() as connection:
        assert kept.standing(connection, "set") == last
        with pytest.raises(BadInput):
            kept.standing(connection, "none")
    assert [each.number for each in parts.manifests.checks("set")] == [2, 1]
    (row,) = parts.manifests.listed()
    assert row.check == last

"""A folder is told as it is: links are not followed, odd names come whole, and what could not be read is said."""

from __future__ import annotations

import hashlib
import os
import socket
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rotator.errors import BadInput
from rotator.manifests import folder, hashing
from rotator.manifests.comparing import compare
from rotator.manifests.entry import Entry, Kind
from rotator.manifests.hashing import Meter


def entries(path):
    return sorted(hashing.entries(folder.walk(path), Meter()), key=lambda each: each.path)


def file(path, content):
    return Entry(path, Kind.FILE, len(content), hashlib.sha256(content).hexdigest())


def test_files_of_any_name_are_told_with_their_content(tmp_path):
    for name, content in {b"a": b"", b"two\nlines": b"x", b"\xff": b"y" * 3_000_000, b"100%": b"z"}.items():
        with open(os.path.join(os.fsencode(tmp_path), name), "wb") as to:  # noqa: PTH118, PTH123 - of any bytes
            to.write(content)
    (tmp_path / "sub" / "empty").mkdir(parents=True)
    (tmp_path / "sub" / "b").write_bytes(b"bb")
    assert entries(tmp_path) == [
        file("%FF", b"y" * 3_000_000),
        file("100%25", b"z"),
        file("a", b""),
        file("sub/b", b"bb"),
        file("two%0Alines", b"x"),
    ]


def test_links_are_told_as_they_stand_and_never_followed(tmp_path):
    outside, inside = tmp_path / "outside", tmp_path / "dataset"
    outside.mkdir()
    inside.mkdir()
    (outside / "secret").write_text("s")
    for name, target in {"out": outside, "dot": "./x/", "loop": "loop", "nowhere": "gone"}.items():
        os.symlink(target, inside / name)  # noqa: PTH211 - as it is written
    assert entries(inside) == [
        Entry("dot", Kind.LINK, None, "./x/"),
        Entry("loop", Kind.LINK, None, "loop"),
        Entry("nowhere", Kind.LINK, None, "gone"),
        Entry("out", Kind.LINK, None, str(outside)),
    ]


def test_the_datasets_own_folder_may_be_a_link(tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "a").write_bytes(b"a")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    assert entries(tmp_path / "link") == [file("a", b"a")]


def test_a_folder_that_became_a_link_meanwhile_is_not_followed(tmp_path):
    inside, outside = tmp_path / "dataset", tmp_path / "outside"
    (inside / "sub").mkdir(parents=True)
    outside.mkdir()
    (outside / "secret").write_text("s")
    (inside / "a").write_bytes(b"a")
    found = folder.walk(inside)
    begun = [next(found)]
    (inside / "sub").rmdir()
    (inside / "sub").symlink_to(outside)
    told = [each for each in (*begun, *found) if isinstance(each, Entry)]
    assert [each.path for each in told] in ([], ["sub/"])
    assert all(each.kind is Kind.UNLISTED for each in told)
    assert list(hashing.entries([each for each in begun if each not in told], Meter())) in ([], [file("a", b"a")])


def test_pipes_and_sockets_are_not_opened(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "socket"))
        assert entries(tmp_path) == [
            Entry("pipe", Kind.OTHER, None, "a pipe"),
            Entry("socket", Kind.OTHER, None, "a socket"),
        ]


def test_what_may_not_be_read_is_said(tmp_path, monkeypatch):
    """Root may read everything, so the system's answer is made up here."""
    (tmp_path / "dark").mkdir()
    (tmp_path / "dark" / "x").write_text("x")
    (tmp_path / "shut").write_text("s")
    (tmp_path / "open").write_bytes(b"o")
    really = os.open

    def refusing(path, *args, **named):
        if str(path).endswith(("dark", "shut")):
            raise PermissionError(13, "Permission denied")
        return really(path, *args, **named)

    monkeypatch.setattr(os, "open", refusing)
    assert entries(tmp_path) == [
        Entry("dark/", Kind.UNLISTED, None, "EACCES"),
        file("open", b"o"),
        Entry("shut", Kind.UNREAD, None, "EACCES"),
    ]


def grows(times):
    """Let a file be written to while it is read, so many times."""
    left = [times]

    def pieces(descriptor):
        found = os.read(descriptor, 1 << 20)
        yield found
        if left[0]:
            left[0] -= 1
            os.utime(descriptor, ns=(left[0], left[0]))

    return pieces


@pytest.mark.parametrize(("times", "kind"), [(0, Kind.FILE), (1, Kind.FILE), (2, Kind.UNREAD)])
def test_a_file_that_is_written_to_is_read_once_more_and_then_said(tmp_path, monkeypatch, times, kind):
    (tmp_path / "a").write_text("a")
    monkeypatch.setattr(folder, "_pieces", grows(times))
    (found,) = entries(tmp_path)
    assert found.kind is kind
    assert kind is Kind.FILE or found.value == "it was changed while it was read"


@pytest.mark.parametrize("name", ["nothing", "a"])
def test_what_is_no_folder_is_refused(tmp_path, name):
    (tmp_path / "a").write_text("a")
    with pytest.raises(BadInput):
        folder.walk(tmp_path / name)


def test_who_gives_up_waits_for_no_whole_file(tmp_path):
    for number in range(200):
        (tmp_path / str(number)).write_bytes(b"x")
    meter = Meter()
    found = hashing.entries(folder.walk(tmp_path), meter)
    next(found)
    found.close()
    assert meter.is_over.is_set()
    assert meter.read < 200


NAMES = st.sampled_from(["a", "b", "c/d", "c/e", "f/g/h"])
TREES = st.dictionaries(NAMES, st.binary(max_size=4), min_size=1, max_size=5)


def made(folder_of, tree):
    for name, content in tree.items():
        place = folder_of / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content)
        os.utime(place, ns=(0, 0))


@settings(max_examples=60, deadline=None)
@given(TREES, TREES, st.dictionaries(st.sampled_from(["l", "c/m"]), st.sampled_from(["a", "b"])), st.data())
def test_whatever_differs_on_the_disk_is_found(before, now, links, data):
    """Times are all alike, and sizes often: content alone tells them apart."""
    with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as other:
        others = data.draw(st.just(links) | st.dictionaries(st.sampled_from(["l", "c/m"]), st.sampled_from(["a", "b"])))
        for place, tree, targets in ((Path(one), before, links), (Path(other), now, others)):
            made(place, tree)
            for name, target in targets.items():
                (place / name).parent.mkdir(exist_ok=True)
                (place / name).symlink_to(target)
        found = compare(entries(one), entries(other))
    left, right = (
        {**before, **{f"{each}@": at for each, at in links.items()}},
        {
            **now,
            **{f"{each}@": at for each, at in others.items()},
        },
    )
    assert found.is_as_recorded == (left == right)
    assert found.counts["missing"] == len(left.keys() - right.keys())
    assert found.counts["new"] == len(right.keys() - left.keys())
    assert found.counts["altered"] == sum(left[each] != right[each] for each in left.keys() & right.keys())

"""A pack that agrees with what was kept holds; one that was made anew, cut or forged does not; doubts are told."""

from __future__ import annotations

import io
import os
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rotator.evidence import signing, verify_evidence, witnessed
from rotator.evidence.authority import Authority
from rotator.evidence.checkpoint import Checkpoint, Grown, make
from rotator.evidence.folder import Folder
from rotator.evidence.keeper import content_of, name_of
from rotator.evidence.pack import TIMESTAMPS, Pack
from rotator.evidence.timestamp import authorities
from rotator.evidence.verify import verify
from rotator.evidence.witnessed import Doubt, against, doubts, stamped
from tests.evidence.test_packs import BRANCH, KEY, NEXT, STRANGER, History, altered, holds, story
from tests.servers.timestamps import time_stamps


@pytest.fixture
def worm(tmp_path):
    (tmp_path / "worm").mkdir()
    return tmp_path / "worm"


def keep(history: History, folder: Path, at: float = 1.0) -> None:
    for each in history.checkpoints:
        Folder(folder).keep(name_of(each), io.BytesIO(content_of(each)))
        os.utime(folder / name_of(each), (at, at))


def compared(path: Path, folder: Path):
    """Ask both checks of a folder; they must agree."""
    found = verify(Pack(path), KEY.public)
    assert found.findings == []
    outside = against(Folder(folder), found.signed, found.made_at)
    assert bool(verify_evidence.checked(path, KEY.public, str(folder))) == bool(outside.findings)
    return outside


def anew(change: Callable[[History], None]) -> History:
    """Return a story that who has ledger and key tells anew from the third checkpoint on."""
    found = History()
    for chain in ("I-1", BRANCH, "I-2", "service"):
        found.add(chain, 2)
    found.sign()
    change(found)
    return found


def test_a_pack_agrees_with_what_was_kept_of_it(tmp_path, worm):
    history = story()
    keep(history, worm)
    found = compared(history.write(tmp_path / "pack.zip"), worm)
    assert (found.findings, sorted(found.kept), found.newer) == ([], [1, 2, 3], 0)


def test_what_came_behind_a_pack_is_counted_and_one_that_was_cut_is_found(tmp_path, worm):
    history = story()
    path = history.write(tmp_path / "pack.zip", made_at=3.9)
    cut = story()
    del cut.checkpoints[2:]
    cut.rows[BRANCH].pop()
    shorter = cut.write(tmp_path / "cut.zip", made_at=3.9)
    history.add(BRANCH)
    history.sign()
    keep(history, worm)
    found = compared(path, worm)
    assert (found.findings, found.newer) == ([], 1)
    assert [each.where for each in compared(shorter, worm).findings] == ["checkpoint 3"]


def test_a_past_that_was_made_anew_is_found_at_the_first_checkpoint_that_differs(tmp_path, worm):
    keep(story(), worm)

    def tell(history: History) -> None:
        history.add(BRANCH, 2)
        history.sign()
        history.add(BRANCH)
        history.sign()

    found = compared(anew(tell).write(tmp_path / "pack.zip"), worm)
    assert [each.where for each in found.findings] == ["checkpoint 2", "checkpoint 3"]
    assert "made anew" in found.findings[0].what
    assert list(found.kept) == [1]


def test_a_past_that_was_made_anew_and_dated_back_does_not_lead_to_what_is_kept(tmp_path, worm):
    history = story()
    keep(history, worm)
    first, second, _ = history.checkpoints
    for each in (first, second):
        (worm / name_of(each)).unlink()
    forged = anew(lambda found: (found.add(BRANCH, 2), found.sign()))
    found = compared(forged.write(tmp_path / "pack.zip", made_at=2.9), worm)
    assert [(each.where, "does not follow" in each.what) for each in found.findings] == [("checkpoint 3", True)]


def test_an_empty_place_shows_nothing_and_says_so(tmp_path, worm):
    path = story().write(tmp_path / "pack.zip")
    assert [each.what for each in compared(path, worm).findings] == ["no checkpoint is kept there"]


def test_a_stranger_who_writes_into_a_place_is_told_apart(tmp_path, worm):
    history = story()
    keep(history, worm)
    forger = History()
    forger.key = STRANGER
    forger.add("I-1")
    forger.sign()
    keep(forger, worm)
    (worm / f"checkpoint-00000009-{'0' * 64}.json").write_text("{}\n")
    (worm / "notes.txt").write_text("not ours")
    body = make(KEY, None, {"I-1": Grown(1, "0" * 64)}, 1.0).body
    unsigned = Checkpoint(body, STRANGER.sign(signing.CHECKPOINT, body))  # it names our key
    (worm / name_of(unsigned)).write_bytes(content_of(unsigned))
    found = compared(history.write(tmp_path / "pack.zip"), worm)
    assert [("stranger" in each.what, "its name" in each.what) for each in found.findings] == [
        (False, True),
        (False, True),
        (True, False),
    ]
    assert sorted(found.kept) == [1, 2, 3]


def test_what_is_larger_than_any_checkpoint_is_not_read(tmp_path, worm, monkeypatch):
    history = story()
    keep(history, worm)
    path = history.write(tmp_path / "pack.zip")
    found = verify(Pack(path), KEY.public)
    monkeypatch.setattr(witnessed, "MOST_LINE", 10)
    told = against(Folder(worm), found.signed, found.made_at)
    assert [each.where for each in told.findings] == [*sorted(map(name_of, history.checkpoints)), str(worm)]
    assert told.kept == {}


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_byte_of_a_kept_checkpoint_that_is_changed_is_found(tmp_path, data):
    source, history = tmp_path / "worm", story(rotated=True)
    if not source.exists():
        source.mkdir()
        keep(history, source)
        history.write(tmp_path / "pack.zip")
    folder = tmp_path / "changed"
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(source, folder)
    path = data.draw(st.sampled_from(sorted(folder.iterdir())))
    whole = path.read_bytes()
    at, by = data.draw(st.integers(0, len(whole) - 1)), data.draw(st.integers(1, 255))
    path.chmod(0o600)
    path.write_bytes(whole[:at] + bytes([whole[at] ^ by]) + whole[at + 1 :])
    assert compared(tmp_path / "pack.zip", folder).findings


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    with time_stamps(tmp_path_factory.mktemp("tsa")) as running:
        yield running


@pytest.fixture(scope="module")
def stamps(authority):
    asked = Authority(authority.url, authorities(authority.ca))
    return [asked.stamp(story().checkpoints[number]) for number in (0, 2)]


def test_a_pack_has_the_stamps_of_its_checkpoints_and_they_are_checked_without_the_authority(
    tmp_path, authority, stamps
):
    other = stamps[0].__class__(2, "0" * 64, stamps[0].answer)  # of a past that the ledger does not have any more
    pack = Pack(story().write(tmp_path / "pack.zip", stamps=[*stamps, other]))
    found = verify(pack, KEY.public)
    assert found.findings == []
    told, wrong = stamped(pack, found.signed, authorities(authority.ca))
    assert (sorted(told), wrong) == ([1, 3], [])


def test_a_stamp_of_another_checkpoint_is_found(tmp_path, authority, stamps):
    moved = stamps[0].__class__(2, story().checkpoints[1].hash, stamps[0].answer)
    pack = Pack(story().write(tmp_path / "pack.zip", stamps=[moved]))
    told, wrong = stamped(pack, verify(pack).signed, authorities(authority.ca))
    assert (told, [each.where for each in wrong]) == ({}, ["checkpoint 2"])


@pytest.mark.parametrize("change", [lambda _: b"", lambda old: old * 2, lambda old: old.replace(b"3", b"2", 1)])
def test_whoever_changes_the_stamps_of_a_pack_is_found(tmp_path, stamps, change):
    path = story().write(tmp_path / "pack.zip", stamps=stamps)
    found = altered(path, tmp_path / "altered.zip", TIMESTAMPS, change)
    assert verify_evidence.checked(found) == 1
    assert [each.where for each in verify(Pack(found)).findings] == [TIMESTAMPS]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_byte_of_the_stamps_that_is_changed_is_found(tmp_path, stamps, data):
    path = tmp_path / "whole.zip"
    if not path.exists():
        story().write(path, stamps=stamps)
    with zipfile.ZipFile(path) as whole:
        size = len(whole.read(TIMESTAMPS))
    at, by = data.draw(st.integers(0, size - 1)), data.draw(st.integers(1, 255))
    change = lambda old: old[:at] + bytes([old[at] ^ by]) + old[at + 1 :]  # noqa: E731
    assert not holds(altered(path, tmp_path / "altered.zip", TIMESTAMPS, change))


def stolen(since: float) -> History:
    """Return four checkpoints: the third passes on from a key that was stolen, and has grown too."""
    found = History()
    for number in range(3):
        found.add(BRANCH, 2)
        found.sign(*(NEXT, since) if number == 2 else ())
    found.add(BRANCH)
    found.sign()
    return found


def doubted(path: Path, *witnessed) -> list[tuple[int, int, int]]:
    found = verify(Pack(path), KEY.public)
    assert (found.findings, found.keys) == ([], [KEY.public, NEXT.public])
    told: list[Doubt] = list(doubts(found.signed, witnessed))
    return [(each.first, each.last, each.records) for each in told]


def test_what_a_stolen_key_signed_is_in_doubt_but_for_what_was_seen_outside_before(tmp_path):
    path = stolen(since=100.0).write(tmp_path / "pack.zip")
    assert doubted(path) == [(1, 3, 6)]
    assert doubted(path, {1: 99.0}) == [(2, 3, 4)]
    assert doubted(path, {1: 99.0}, {2: 99.9}) == [(3, 3, 2)]
    assert doubted(path, {1: 100.0, 2: 101.0}) == [(1, 3, 6)]
    assert verify_evidence.checked(path, KEY.public) == 3


def test_who_stole_no_key_leaves_no_doubt(tmp_path):
    history = story(rotated=True)
    found = verify(Pack(history.write(tmp_path / "pack.zip")))
    assert list(doubts(found.signed, [])) == []
    assert verify_evidence.checked(tmp_path / "pack.zip") == 0


def test_what_was_kept_before_the_theft_is_believed_by_when_it_came_there(tmp_path, worm):
    history = stolen(since=100.0)
    keep(history, worm, at=50.0)
    path = history.write(tmp_path / "pack.zip")
    found = verify(Pack(path), KEY.public)
    kept = against(Folder(worm), found.signed, found.made_at).kept
    assert list(doubts(found.signed, [kept])) == []
    os.utime(worm / name_of(history.checkpoints[2]), (150.0, 150.0))
    kept = against(Folder(worm), found.signed, found.made_at).kept
    assert [(each.first, each.records) for each in doubts(found.signed, [{**kept, 4: 150.0, 3: 150.0}])] == [(3, 2)]

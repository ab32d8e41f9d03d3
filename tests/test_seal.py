"""What is sealed is opened by its own key for its own run alone, and a fingerprint tells nothing."""

from __future__ import annotations

import base64
import stat
import traceback
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rotator import seal
from rotator.credential import Secret
from rotator.errors import BadInput
from rotator.seal import Seal

OURS, THEIRS = Seal(bytes(32)), Seal(bytes(31) + b"\1")
CANARY = Secret("canary-1f2e3d4c")
materials = st.text(st.characters(exclude_categories=["Cs"]))


@given(materials, st.text(st.characters(exclude_categories=["Cs"])))
def test_what_is_sealed_for_a_run_is_opened_for_it(material, run):
    blob = OURS.close(Secret(material), run)
    assert OURS.open(blob, run).reveal() == material


@given(materials.filter(lambda text: len(text) > 7))
def test_a_blob_does_not_hold_the_material_and_is_never_the_same_twice(material):
    one, other = OURS.close(Secret(material), "r1"), OURS.close(Secret(material), "r1")
    assert one != other
    assert material.encode() not in one


def assert_stays_shut(key: Seal, blob: bytes, run: str) -> None:
    with pytest.raises(BadInput, match="cannot be opened") as refusal:
        key.open(blob, run)
    assert "canary" not in "".join(traceback.format_exception(refusal.value))


def test_another_key_does_not_open_it():
    assert_stays_shut(THEIRS, OURS.close(CANARY, "r1"), "r1")


def test_a_blob_that_was_moved_to_another_run_stays_shut():
    assert_stays_shut(OURS, OURS.close(CANARY, "r1"), "r2")


@given(st.integers(min_value=0), st.integers(min_value=1, max_value=255))
def test_a_blob_with_one_byte_altered_stays_shut(place, difference):
    blob = bytearray(OURS.close(CANARY, "r1"))
    blob[place % len(blob)] ^= difference
    assert_stays_shut(OURS, bytes(blob), "r1")


@given(st.integers(min_value=0, max_value=42))
def test_a_blob_that_was_cut_short_stays_shut(length):
    assert_stays_shut(OURS, OURS.close(CANARY, "r1")[:length], "r1")


@given(materials, materials)
def test_a_fingerprint_tells_materials_apart_and_nothing_of_them(one, other):
    first, second = OURS.fingerprint(Secret(one)), OURS.fingerprint(Secret(other))
    assert (first == second) == (one == other)
    assert first != THEIRS.fingerprint(Secret(one))
    assert len(first) == len("fp:") + 24
    assert len(one) < 4 or one not in first


@pytest.mark.parametrize("length", [0, 16, 31, 33])
def test_a_key_of_another_length_is_told_in_one_line(length):
    with pytest.raises(BadInput, match=f"{length} bytes, not 32"):
        seal.from_text(base64.b64encode(bytes(length)).decode())


@pytest.mark.parametrize("text", ["", "canary!", "not base64 at all", "Y2FuYXJ5", base64.b64encode(bytes(33)).decode()])
def test_a_text_that_is_no_key_is_told_in_one_line_without_showing_it(text):
    with pytest.raises(BadInput) as refusal:
        seal.from_text(text)
    assert "\n" not in str(refusal.value)
    assert "make one with" in str(refusal.value)
    assert not text or text not in str(refusal.value)


def test_a_text_is_a_key_with_or_without_white_space():
    text = base64.b64encode(bytes(32)).decode()
    for each in (text, f" {text}\n"):
        assert seal.from_text(each).open(OURS.close(CANARY, "r"), "r") == CANARY


def test_a_key_file_is_made_once_for_us_alone(tmp_path):
    path = tmp_path / "data" / "seal.key"
    blob = seal.from_file(path).close(CANARY, "r")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert seal.from_file(path).open(blob, "r") == CANARY
    assert [each.name for each in path.parent.iterdir()] == ["seal.key"]


def test_many_that_make_the_key_file_at_once_have_one_key(tmp_path):
    path = tmp_path / "seal.key"
    with ThreadPoolExecutor(16) as pool:
        seals = list(pool.map(lambda _: seal.from_file(path), range(16)))
    blob = seals[0].close(CANARY, "r")
    assert {each.open(blob, "r") for each in seals} == {CANARY}


def test_a_key_file_that_cannot_be_is_told_in_one_line(tmp_path):
    (tmp_path / "file").write_text("")
    for path in (tmp_path / "file" / "seal.key", tmp_path):
        with pytest.raises(BadInput) as refusal:
            seal.from_file(path)
        assert "\n" not in str(refusal.value)

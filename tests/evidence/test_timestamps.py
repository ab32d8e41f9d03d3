"""A time stamp of a real authority is believed for what it says, and none of another body, nonce, CA or purpose is."""

from __future__ import annotations

import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rotator.errors import BadInput, Rejected, Unavailable
from rotator.evidence.authority import Authority
from rotator.evidence.timestamp import Stamp, authorities, request_for, verified
from tests.evidence.test_packs import story
from tests.servers.timestamps import time_stamps

FIRST, SECOND, *_ = story().checkpoints


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    with time_stamps(tmp_path_factory.mktemp("tsa")) as running:
        yield running


@pytest.fixture(scope="module")
def other(tmp_path_factory):
    with time_stamps(tmp_path_factory.mktemp("other")) as running:
        yield running


@pytest.fixture(scope="module")
def stamped(authority):
    return Authority(authority.url, authorities(authority.ca)).stamp(FIRST)


@pytest.fixture(autouse=True)
def as_ever(authority):
    authority.answers, authority.status = None, 200


def test_a_stamp_says_before_when_a_checkpoint_existed(authority, stamped):
    at = verified(stamped.der, FIRST.hash, authorities(authority.ca))
    assert abs(at - time.time()) < 3600
    assert (stamped.number, stamped.hash) == (1, FIRST.hash)


def test_the_authority_learns_a_hash_and_nothing_of_the_evidence(authority):
    Authority(authority.url, authorities(authority.ca)).stamp(SECOND)
    asked = authority.asked[-1]
    assert bytes.fromhex(SECOND.hash) in asked
    assert len(asked) < 100


def test_a_stamp_of_another_body_authority_or_nonce_is_not_believed(authority, other, stamped):
    roots = authorities(authority.ca)
    for der, digest, by, nonce in (
        (stamped.der, SECOND.hash, roots, None),
        (stamped.der, FIRST.hash, authorities(other.ca), None),
        (stamped.der, FIRST.hash, roots, 1),
    ):
        with pytest.raises(Rejected, match="stamp_invalid"):
            verified(der, digest, by, nonce)


def test_an_older_answer_is_no_answer_to_a_new_question(authority, stamped):
    authority.answers = stamped.der
    with pytest.raises(Rejected, match="Nonce"):
        Authority(authority.url, authorities(authority.ca)).stamp(FIRST)


@pytest.mark.parametrize(
    ("status", "answer", "error"),
    [(200, b"", Rejected), (200, b"0" * (2 << 20), Rejected), (200, b"<html>", Rejected), (500, b"", Unavailable)],
    ids=["nothing", "endless", "a_page", "an_error"],
)
def test_an_authority_that_answers_anything_else_stamps_nothing(authority, status, answer, error):
    authority.status, authority.answers = status, answer
    with pytest.raises(error):
        Authority(authority.url, authorities(authority.ca)).stamp(FIRST)


def test_an_authority_that_is_not_there_is_asked_later(authority):
    with pytest.raises(Unavailable, match="unreachable"):
        Authority("http://127.0.0.1:9/", authorities(authority.ca)).stamp(FIRST)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_byte_of_a_stamp_that_is_changed_ends_in_one_word_or_changes_nothing(authority, stamped, data):
    """Some bytes, as of an unsigned part, say nothing; none makes it one of another moment."""
    whole, roots = stamped.der, authorities(authority.ca)
    at, by = data.draw(st.integers(0, len(whole) - 1)), data.draw(st.integers(1, 255))
    changed = whole[:at] + bytes([whole[at] ^ by]) + whole[at + 1 :]
    try:
        found = verified(changed, FIRST.hash, roots)
    except Rejected:
        return
    assert found == verified(whole, FIRST.hash, roots)


def test_a_stamp_whose_certificate_is_of_no_known_version_is_none(authority, stamped):
    version = b"\xa0\x03\x02\x01"
    changed = stamped.der.replace(version + b"\x02", version + b"\x03")
    assert changed != stamped.der
    with pytest.raises(Rejected, match="stamp_invalid"):
        verified(changed, FIRST.hash, authorities(authority.ca))


def test_what_is_no_stamp_and_no_certificate_is_said(tmp_path):
    with pytest.raises(Rejected):
        _ = Stamp(1, "", "ä").der
    (tmp_path / "ca.pem").write_text("none")
    for path in (tmp_path / "ca.pem", tmp_path / "nowhere"):
        with pytest.raises(BadInput):
            authorities(path)


def test_each_question_has_a_nonce_of_its_own():
    assert request_for("a").nonce != request_for("a").nonce

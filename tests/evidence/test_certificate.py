"""A certificate that was altered is none, and one says nothing of another day than its own."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rotator.errors import BadInput
from rotator.evidence import certificate
from rotator.evidence.signing import SigningKey

NOW = 1_700_000_000.0
KEY = SigningKey(bytes(range(32)))
MADE = certificate.make(KEY, {"at": NOW, "rotator": "1", "outcome": "failed", "clocks": {"dead_at": None}})
TEXT = json.dumps(MADE.document, indent=2)


@given(st.integers(0, len(TEXT.encode()) - 1), st.integers(0, 255))
def test_whatever_byte_is_changed_it_is_refused_or_says_the_same(place, byte):
    changed = bytearray(TEXT.encode())
    changed[place] = byte
    try:
        found = certificate.read(changed.decode(errors="replace"), "x")
    except BadInput:
        return
    assert certificate.wrong(found, KEY.public) or found == MADE


@given(st.sampled_from([None, 0, 1, 7, "\t"]), st.booleans(), st.booleans())
def test_how_it_is_laid_out_says_nothing_and_what_it_says_has_one_hash(indent, sort_keys, ensure_ascii):
    document = {"signature": MADE.signature, "certificate": dict(reversed(MADE.told.items()))}
    found = certificate.read(json.dumps(document, indent=indent, sort_keys=sort_keys, ensure_ascii=ensure_ascii), "x")
    assert (certificate.wrong(found, KEY.public), found.sha256) == ("", MADE.sha256)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"outcome": "failed"', '"outcome": "certified", "outcome": "failed"'),
        ('{\n  "certificate"', '{"certificate": {"outcome": "certified"}, "certificate"'),
        ('"signature"', '"note": "it was certified", "signature"'),
    ],
)
def test_what_its_signature_does_not_cover_makes_it_none(old, new):
    assert old in TEXT
    with pytest.raises(BadInput, match="this is no certificate"):
        certificate.read(TEXT.replace(old, new), "x")


@pytest.mark.parametrize(
    ("after_s", "release", "why"),
    [
        (0.0, "1", ""),
        (-60.0, "1", ""),
        (certificate.LASTS_S, "1", ""),
        (certificate.LASTS_S + 1, "1", "it is older than 90 days"),
        (-7200.0, "1", "it is of a time to come"),
        (0.0, "2", "it is of rotator 1"),
    ],
)
def test_it_is_believed_for_ninety_days_and_of_its_release(after_s, release, why):
    assert certificate.out_of_date(MADE.told, NOW + after_s, release) == why

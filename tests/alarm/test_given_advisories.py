"""An advisory that somebody gives as a file is known by its id afterwards, and is believed less than a fetched one."""

from __future__ import annotations

import json

import pytest

from rotator.alarm.vendor_notice import Given, told
from rotator.ledger.kept_advisories import KeptAdvisories
from rotator.operations.vendor_memo import made
from tests.shown.vendors import ADVISORY, RECORD, filled

OTHER = json.dumps(
    {**json.loads(RECORD), "affected": [{"package": {"ecosystem": "PyPI", "name": "x"}, "versions": ["1"]}]}
)


@pytest.fixture
def house(tmp_path):
    return filled(tmp_path)


@pytest.fixture
def kept(house):
    return KeptAdvisories(house.database)


def test_what_was_given_as_a_file_is_known_by_its_id(house, kept):
    told(house, Given(records={"a.json": RECORD}))
    assert [each.id for each in kept.every()] == [ADVISORY]
    found = made(house, "ana", {"name": "acme", "advisories": ADVISORY})
    assert found["notice"]["id"] == ADVISORY
    assert "used as it was given as a file at 20" in found["notice"]["notes"][0]


def test_what_was_fetched_is_not_replaced_by_a_file_and_a_file_is_by_what_is_fetched(kept):
    kept.keep_given(ADVISORY, json.loads(OTHER), "ana")
    assert kept.read(ADVISORY, fetched=True) is None
    kept.keep(ADVISORY, json.loads(RECORD))
    kept.keep_given(ADVISORY, json.loads(OTHER), "ana")
    found, how = kept.read(ADVISORY, fetched=True)
    assert found[0].affected[0].versions == ("1.82.7", "1.82.8")
    assert how.startswith("fetched at 20")


@pytest.mark.parametrize(
    "changed", [{"id": "../../etc/passwd-1"}, {"id": "no id"}, {"details": "the key is ghp_" + "a1B2" * 9}]
)
def test_what_no_id_could_ask_for_or_has_a_secret_is_not_kept(house, kept, changed):
    told(house, Given(records={"a.json": json.dumps({**json.loads(RECORD), **changed})}))
    assert kept.every() == []

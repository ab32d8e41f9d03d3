"""What an earlier release kept of advisories as files is in the ledger after the next reading, once, and is said."""

from __future__ import annotations

import json
import logging

import pytest

from rotator.alarm.kept_advisories import FOLDER, TAKEN, kept
from rotator.bootstrap import Rotator
from rotator.ledger.kept_advisories import KeptAdvisories
from rotator.ledger.one_transaction import OneTransaction
from rotator.ledger.vendor_chains import altered
from tests.ledger.test_vendors import chain
from tests.shown.vendors import ADVISORY, RECORD, parts

AT = "2026-03-25T09:00:00+00:00"
GIVEN = "GHSA-aaaa-bbbb-cccc"
OTHER = {**json.loads(RECORD), "id": GIVEN, "aliases": []}


@pytest.fixture
def house(tmp_path):
    found = parts(tmp_path)
    yield found
    found.database.close()


@pytest.fixture
def folder(house):
    found = house.settings.data_dir / FOLDER
    found.mkdir()
    write(found, ADVISORY, {"fetched_at": AT, "record": json.loads(RECORD)})
    write(found, GIVEN, {"given_at": AT, "record": OTHER})
    (found / "GHSA-dddd-eeee-ffff.json").write_text('{"fetched_at": "202')
    write(found, "GHSA-1-2-3", {"fetched_at": AT, "record": {"id": "GHSA-1-2-3"}})
    return found


def write(folder, name, told):
    (folder / f"{name}.json").write_text(json.dumps(told))


def test_files_are_taken_over_at_the_first_reading_and_said(house, folder, caplog):
    with caplog.at_level(logging.WARNING, logger="rotator"):
        [[found], how] = kept(house).read(ADVISORY, fetched=True)
    assert (found.id, how) == (ADVISORY, f"fetched at {AT}")
    assert kept(house).read(GIVEN)[1] == f"given as a file at {AT}"
    assert kept(house).read(GIVEN, fetched=True) is None
    [line] = caplog.messages
    assert "advisories_taken_over: the ledger has what 2 of 4 files in" in line
    assert "the others are damaged" in line
    assert not folder.exists()
    assert len(list((house.settings.data_dir / TAKEN).iterdir())) == 4
    assert {each["advisory"] for each in chain(house.database, "advisories")} == {ADVISORY, GIVEN}
    assert altered(house.database) == []
    before = kept(house).mark()
    assert kept(Rotator(house.settings).on(house.database)).mark() == before


@pytest.mark.usefixtures("folder")
def test_what_the_ledger_has_is_not_taken_back_by_an_older_file(house):
    newer = {**json.loads(RECORD), "modified": "2026-04-01T00:00:00Z", "withdrawn": "2026-04-01T00:00:00Z"}
    KeptAdvisories(house.database).keep(ADVISORY, newer)
    [[found], _] = kept(house).read(ADVISORY)
    assert found.withdrawn is not None


def test_a_folder_that_nobody_may_change_is_taken_over_and_left(house, folder, monkeypatch, caplog):
    def refused(*_):
        raise PermissionError(13, "read-only")

    monkeypatch.setattr(type(folder), "replace", refused)
    assert kept(house).read(ADVISORY) is not None
    before = kept(house).mark()
    assert kept(house.on(house.database)).mark() == before
    assert "4 could not be put aside" in caplog.text


def test_inside_a_transaction_nothing_is_taken_over(house, folder):
    with house.database.write() as connection:
        assert kept(house.on(OneTransaction(connection))).read(ADVISORY) is None
    assert folder.exists()

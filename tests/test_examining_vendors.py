"""The doctor says which vendors nobody registered, and of whom nothing valid is attested."""

from __future__ import annotations

import pytest
from sqlalchemy import update

from rotator import clock
from rotator.bootstrap import Rotator
from rotator.examining.vendors import OLD_S, vendors
from rotator.flow.inventory import Said as Entry
from rotator.flow.registry import Listed, Said, Sort
from rotator.flow.vendor import Software
from rotator.ledger import tables
from rotator.settings.file import load
from tests.fakes.deployment import sqlite

ENDED = {"kind": "SOC 2", "issuer": "EY", "valid_from": "2020-01-01", "valid_to": "2020-12-31"}
VALID = {**ENDED, "valid_to": "2999-12-31"}


@pytest.fixture
def parts(tmp_path):
    (tmp_path / "rotator.toml").write_text('data_dir = "data"\n')
    found = Rotator(load(tmp_path / "rotator.toml"))
    found.__dict__["database"] = sqlite(tmp_path / "ledger.db")
    return found


def found(parts, *entries, **registered):
    parts.inventory.take([Entry({"id": each}, {"vendor": each}, "i.csv, line 2") for each in entries], "ana")
    parts.vendors.take([Said(Sort.VENDOR, name, keys, "v.yaml, line 1") for name, keys in registered.items()], "ana")
    return [(each.mark, each.what) for each in vendors(parts, "rotator")]


def test_where_there_are_no_vendors_nothing_is_said(parts):
    assert found(parts) == []


def test_an_inventory_that_was_there_first_is_no_trouble(parts):
    assert found(parts, "acme") == [("-- ", "the inventory names vendors that nobody has registered: acme")]


def test_a_slip_in_the_inventory_is_told(parts):
    [slip, well] = found(parts, "acmee", acme={})
    assert slip == ("WARN", "the inventory names vendors that nobody has registered: acmee (did you mean `acme`?)")
    assert well == ("ok ", "1 vendor is registered, and no attestation ends before long")


def test_a_critical_vendor_of_whom_nothing_valid_is_attested_is_told(parts):
    critical = {"criticality": "critical"}
    told = found(
        parts,
        acme={**critical, "attestations": [VALID]},
        beta={**critical, "attestations": [ENDED]},
        gamma={"attestations": []},
        delta=critical,
    )
    assert [each for each in told if "lists of" not in each[1]] == [
        ("WARN", "of critical vendors nothing valid is attested: beta, delta"),
        ("WARN", "attestations of vendors have ended, or end before long: beta's SOC 2 (ended 2020-12-31)"),
    ]


def test_a_critical_vendor_whose_list_is_old_or_not_there_is_told(parts, monkeypatch):
    critical = {"criticality": "critical", "attestations": [VALID]}
    parts.vendors.take([Said(Sort.VENDOR, name, critical, "v.yaml, line 1") for name in ("acme", "beta")], "ana")
    for source, made in (("s.json", clock.now() - OLD_S + 60), ("older.json", clock.now() - OLD_S - 60)):
        runs = (Software("PyPI", "litellm", "1.82.9", source),)
        parts.vendors.runs("acme", Listed(source, "0" * 64, runs, made, 0), "ana")
    assert ("WARN", "lists of what critical vendors run: of beta there is none") in found(parts, gamma={})
    later = clock.now() + 120
    monkeypatch.setattr(clock, "now", lambda: later)
    [told] = [what for _, what in found(parts) if "lists of" in what]
    assert told == "lists of what critical vendors run: of beta there is none; the newest of acme is older than 90 days"


def test_a_row_that_was_altered_past_the_service_is_told_and_nothing_is_said_of_what_is_not_believed(parts):
    found(parts, acme={"criticality": "critical"})
    with parts.database.write() as connection:
        connection.execute(update(tables.vendor).values(told="no JSON"))
    [told] = vendors(parts, "rotator")
    assert (told.mark, told.what) == ("BAD", "altered in the ledger, past the service: vendor acme")

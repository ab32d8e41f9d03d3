"""Vendors by risk: the likeliest reason counts, what people set goes first, and what moves makes the figures anew."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from datetime import date

import pytest
from sqlalchemy import update

from rotator import clock, vendors_risk
from rotator.cli import vendor_risk
from rotator.flow.vendor import Attestation, Level, Software, Vendor
from rotator.flow.vendor_notice import Listed
from rotator.flow.vendor_risk import Known, reasons
from rotator.flow.vendor_terms import Judged, Name
from rotator.ledger import tables
from rotator.ledger.kept_advisories import KeptAdvisories
from rotator.vendors_risk import risks
from tests.fakes.company import founded
from tests.fakes.deployment import sqlite
from tests.shown.vendors import ADVISORY, RECORD, filled, vendor

DAY = date(2026, 3, 1)
PAPER = Attestation("soc2", "EY", "", date(2026, 1, 1), date(2026, 12, 31))
BAD = Listed(Software("PyPI", "litellm", "1.82.7", "sbom.json"), True, "sbom.json lists litellm 1.82.7, which is bad")
KNOWN = Known(DAY, {}, {"v": {"sbom.json": 0.0}}, 3)


def likelihoods(known, **of):
    made = Vendor("v", "V", Level.LOW, **{"attestations": (PAPER,), **of})
    return [each.likelihood for each in reasons([made], known)["v"]]


@pytest.mark.parametrize(
    ("known", "of", "told"),
    [
        (KNOWN, {}, [0.05]),
        (KNOWN, {"attestations": ()}, [0.1, 0.05]),
        (replace(KNOWN, day=date(2027, 1, 1)), {}, [0.1, 0.05]),
        (replace(KNOWN, advisories=0), {}, [0.3]),
        (replace(KNOWN, made_at={}), {}, [0.3]),
        (replace(KNOWN, listed={"v": [BAD]}), {}, [0.95]),
    ],
)
def test_each_reason_counts_by_what_is_written_down_and_the_likeliest_stands_first(known, of, told):
    assert likelihoods(known, **of) == told


def test_what_is_bad_at_a_sub_processor_counts_for_whom_it_serves():
    served = Vendor("s", "S", Level.LOW, sub_processors=("v",), attestations=(PAPER,))
    first = reasons([served, Vendor("v", "V", Level.LOW)], replace(KNOWN, listed={"v": [BAD]}))["s"][0]
    assert first.likelihood == 0.57
    assert "it stands on v" in first.why


@pytest.fixture
def house(tmp_path):
    parts = filled(tmp_path)
    yield parts
    parts.database.close()


def ranked(parts):
    return {each["vendor"]: each["risk"] for each in risks(parts).rows.now()}


def test_an_advisory_that_was_looked_up_makes_who_runs_it_the_first(house):
    assert next(iter(ranked(house))) in {"acme", "gamma"}
    KeptAdvisories(house.database).keep(ADVISORY, json.loads(RECORD))
    rows = risks(house).rows.now()
    assert rows[0]["vendor"] == "acme"
    terms = {each["name"]: each["value"] for each in rows[0]["terms"]}
    assert rows[0]["risk"] == round(terms["likelihood"] * terms["sensitivity"], 3)
    assert terms["likelihood"] == 0.95


def test_it_is_made_once_until_something_is_said_or_done(house, monkeypatch):
    monkeypatch.setattr(vendors_risk, "_made", lambda *_: [object()])
    first = risks(house).rows.now()
    assert risks(house).rows.now() is first
    for says in (
        lambda: house.assessments.set("acme", Judged(Name.LIKELIHOOD, 0.5, "ana", 0.0, "they rang", "")),
        lambda: house.vendors.take([vendor("acme", criticality="low")], "ana"),
        lambda: monkeypatch.setattr(vendors_risk, "today", lambda: DAY),
    ):
        says()
        after = risks(house).rows.now()
        assert after is not first
        first = after


def test_a_vendor_is_looked_at_once_until_something_is_done_of_it(house):
    first = risks(house).one("acme").now()
    assert risks(house).one("acme").now() is first
    house.vendors.attest("acme", PAPER, "ana")
    assert [each["kind"] for each in risks(house).one("acme").now()["attestations"]] == ["soc2"]


def test_no_more_vendors_are_kept_than_may_be_looked_at_together(house, monkeypatch):
    monkeypatch.setattr(vendors_risk, "MOST", 2)
    acme = risks(house).one("acme").now()
    risks(house).one("beta").now()
    risks(house).one("gamma").now()
    assert risks(house).one("acme").now() is not acme
    assert len(risks(house)._documents) == 2


def test_how_long_it_took_is_told_of_each_vendor_apart(tmp_path):
    database = sqlite(tmp_path / "ledger.db")
    company, deployment = founded(tmp_path, database=database)
    deployment.start([company.stolen("acme_api_token", owner)[0] for owner in ("ci", "web")])
    deployment.rest()
    now = clock.now()
    with database.write() as connection:
        connection.execute(update(tables.incident).values(declared_at=now - 60, detected_at=now - 60))
        connection.execute(update(tables.plan).values(made_at=now - 60, detected_at=now - 60))
        of = update(tables.run).where(tables.run.c.owner == "ci")
        connection.execute(of.values(vendor="acme", dead_at=now - 20, evidence="proven"))
    parts = filled(tmp_path)
    parts.__dict__["database"] = database
    found = vendors_risk.times(parts)
    assert list(found) == ["acme"]
    assert (found["acme"]["proven_dead"]["n"], found["acme"]["drilled"]["n"]) == (1, 0)
    assert found["acme"]["proven_dead"]["p50_s"] == pytest.approx(40)
    assert vendors_risk.times(parts, "other") == {}
    database.close()


def test_the_table_for_a_spreadsheet_has_each_term_with_its_reason(house, capsys):
    house.vendors.take([vendor("acme", title="=1+1")], "ana")
    vendor_risk._write_csv(vendors_risk.told(house))
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert [each["vendor"] for each in rows] == list(ranked(house))
    acme = next(each for each in rows if each["vendor"] == "acme")
    assert acme["worst_why"] == "the dataset payments is critical"
    assert acme["title"].startswith("'")

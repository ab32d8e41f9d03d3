"""Vendors at the command line: registered, with what they run and what is attested of them, and shown."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import sqlite3
from contextlib import closing

import pytest

KEY = "AKIAQ4R7T2W9Z3K5M8N1"
VENDORS = """
vendors:
  - name: acme
    title: Acme Data
    criticality: critical
    owner: ana
    contacts: [security@acme.example]
    holds: [{provider: aws_iam_access_key, id: OTHER}]
    sub_processors: [litellm-cloud]
    datasets: [logs]
    user_impact: {level: high, why: "its feed is read hourly"}
  - name: beta
datasets:
  - {name: patients, sensitivity: critical, why: "health records"}
"""
ATTESTATIONS = "vendor,kind,issuer,valid_from,valid_to\nacme,SOC 2,EY,2020-01-01,2021-01-01\n"
INVENTORY = f"provider,id,vendor,datasets\naws_iam_access_key,{KEY},acme,patients\nvault_token,t-1,gamma,\n"
SBOM = {
    "bomFormat": "CycloneDX",
    "specVersion": "1.6",
    "metadata": {"timestamp": "2026-01-02T03:04:05Z"},
    "components": [
        {"type": "library", "name": "litellm", "version": "1.82.7", "purl": "pkg:pypi/litellm@1.82.7"},
        {"type": "library", "name": "left-pad", "version": "1.0", "purl": "pkg:npm/left-pad@1.0"},
    ],
}


@pytest.fixture
def given(filled, tmp_path):
    for name, text in (
        ("v.yaml", VENDORS),
        ("a.csv", ATTESTATIONS),
        ("i.csv", INVENTORY),
        ("s.json", json.dumps(SBOM)),
    ):
        (tmp_path / name).write_text(text)
    return filled


@pytest.fixture
def registered(given):
    given("vendor", "import", "v.yaml", "a.csv").ended(0)
    given("inventory", "import", "i.csv").ended(0)
    return given


def rows(command, *words):
    return json.loads(command("vendor", *words, "-o", "json").ended(0).out)


def test_a_file_is_imported_once_and_a_dry_run_changes_nothing(given, tmp_path):
    assert "3 would be added, 0 would be changed" in given("vendor", "import", "v.yaml", "a.csv", "--dry-run").out
    assert rows(given, "list") == []
    assert "3 added, 0 changed, 0 as they were" in given("vendor", "import", "v.yaml", "a.csv").ended(0).out
    assert "0 added, 0 changed, 3 as they were" in given("vendor", "import", "v.yaml", "a.csv").ended(0).out
    (tmp_path / "v.yaml").write_text("vendors:\n  - {name: acme, owner: ben}\n")
    assert "changed vendor acme  owner: ana → ben" in given("vendor", "import", "v.yaml").ended(0).out


def test_with_one_bad_row_nothing_is_imported(given, tmp_path):
    (tmp_path / "w.yaml").write_text("vendors:\n  - {name: delta}\n  - {name: acme, critcality: high}\n")
    ended = given("vendor", "import", "v.yaml", "w.yaml").ended(2)
    assert "w.yaml, line 3: unknown key critcality (did you mean `criticality`?)" in ended.err
    assert rows(given, "list") == []


def test_what_is_exported_is_imported_as_it_was(registered, tmp_path):
    for form in ("yaml", "json"):
        (tmp_path / f"out.{form}").write_text(registered("vendor", "export", "-o", form).ended(0).out)
        assert "3 as they were" in registered("vendor", "import", f"out.{form}").ended(0).out
    tables = ("vendors", "datasets", "attestations")
    for table in tables:
        (tmp_path / table).write_text(registered("vendor", "export", "-o", "csv", "--table", table).ended(0).out)
    assert "0 added, 0 changed, 3 as they were" in registered("vendor", "import", *tables).ended(0).out


def test_a_list_tells_who_holds_what_and_who_is_not_registered(registered):
    acme, beta, gamma = rows(registered, "list")
    assert (acme["credentials"], acme["grants"], acme["worst"]) == (2, 0, "critical")
    assert (acme["datasets"], acme["undescribed"], acme["valid_until"]) == (["patients", "logs"], ["logs"], "")
    assert (beta["credentials"], beta["registered"], gamma["registered"]) == (0, True, False)
    assert gamma["kinds"] == {"vault_token": 1}
    said = registered("vendor", "list").ended(0).out
    for words in ("NOT REGISTERED", "NOTHING VALID", "2 datasets, critical", "acme is critical, and NOTHING VALID"):
        assert words in said
    table = list(csv.DictReader(io.StringIO(registered("vendor", "list", "-o", "csv").ended(0).out)))
    assert [(each["name"], each["credentials"]) for each in table] == [("acme", "2"), ("beta", "0"), ("gamma", "1")]


def test_a_vendor_is_shown_with_what_it_holds_and_reaches(registered):
    registered("vendor", "sbom", "acme", "s.json").ended(0)
    found = rows(registered, "show", "acme")
    assert {(each["id"], each["how"]) for each in found["holds"]} == {
        (KEY, "inventory: i.csv, line 2"),
        ("OTHER", "inventory: the registry of vendors"),
    }
    assert found["sub_processors"] == [{"name": "litellm-cloud", "registered": False}]
    said = registered("vendor", "show", "acme").ended(0).out
    for line in (
        "Acme Data (acme): critical, answered for by ana",
        "stands on: litellm-cloud (not registered)",
        "reaches patients: critical",
        "reaches logs: nobody has said how sensitive it is",
        "SOC 2 by EY, 2020-01-01 to 2021-01-01: NOT VALID, ended",
        "runs 2 components by s.json of 2026-01-02T03:04:05.000Z",
    ):
        assert line in said
    assert "did you mean `acme`?" in registered("vendor", "show", "acm").ended(2).err


def test_a_later_list_replaces_the_earlier_and_nothing_is_kept_of_a_bad_one(registered, tmp_path):
    digest = hashlib.sha256((tmp_path / "s.json").read_bytes()).hexdigest()
    assert f"acme runs 2 components by s.json, SHA-256 {digest}" in registered("vendor", "sbom", "acme", "s.json").out
    (tmp_path / "requirements.txt").write_text("")
    assert registered("vendor", "sbom", "acme", "s.json", "requirements.txt").ended(2).err
    (tmp_path / "s.json").write_text(json.dumps({**SBOM, "components": SBOM["components"][:1]}))
    registered("vendor", "sbom", "acme", "s.json").ended(0)
    [found] = rows(registered, "show", "acme")["software"]
    assert (found["source"], found["components"]) == ("s.json", 1)
    assert "no vendor is registered" in registered("vendor", "sbom", "gamma", "s.json").ended(2).err


def test_an_attestation_is_hashed_here_and_one_that_is_over_says_so(registered, tmp_path):
    (tmp_path / "iso.pdf").write_bytes(b"%PDF")
    words = ("vendor", "attest", "acme", "ISO 27001", "--issuer", "DNV", "--document", "iso.pdf")
    said = registered(*words, "--from", "2020-01-01", "--to", "2020-12-31").ended(0).out
    assert f"SHA-256 {hashlib.sha256(b'%PDF').hexdigest()}" in said
    assert "NOT VALID: it ended on 2020-12-31" in said
    assert "NOT VALID yet" in registered(*words, "--from", "2999-01-01", "--to", "2999-12-31").ended(0).out
    valid = json.loads(registered(*words, "--from", "2020-01-01", "--to", "2999-12-31", "-o", "json").ended(0).out)
    assert (valid["is_new"], valid["valid"]) == (True, True)
    assert rows(registered, "list")[0]["valid_until"] == "2999-12-31"
    assert "before it begins" in registered(*words, "--from", "2021-01-01", "--to", "2020-01-01").ended(2).err
    assert "no day" in registered(*words, "--from", "soon", "--to", "2020-01-01").ended(2).err
    (tmp_path / "iso.pdf").write_bytes(b"")
    assert "nothing in it" in registered(*words, "--from", "2020-01-01", "--to", "2020-12-31").ended(2).err


def test_a_vendors_chain_is_in_a_pack_and_what_was_altered_of_it_is_found(registered, tmp_path):
    registered("evidence", "export", "--to", "before.zip").ended(0)
    assert "it holds" in registered("evidence", "verify", "before.zip").ended(0).out
    with closing(sqlite3.connect(tmp_path / "data" / "ledger.db")) as ledger, ledger:
        ledger.execute("UPDATE evidence SET body = replace(body, '\"ana\"', '\"eve\"') WHERE chain = 'vendor.acme'")
    assert "ALTERED: vendor.acme 1" in registered("evidence", "export", "--to", "after.zip").ended(1).err
    assert "vendor.acme 1: " in registered("evidence", "verify", "after.zip").ended(1).out

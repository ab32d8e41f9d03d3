"""A vendor is paused at the command line, here and by a service far away: shown, asked, cut, and told in the report."""

from __future__ import annotations

import base64
import json
import time

import pytest

from rotator.bootstrap import Rotator
from rotator.cli import watching
from rotator.flow.inventory import Said as Entry
from rotator.flow.registry import Said, Sort
from rotator.practice.token_server import token_server
from rotator.settings.file import load
from tests.cli.far import service
from tests.fakes.deployment import sqlite

KIND = "acme_api_token"
CONFIGURATION = """
data_dir = "data"
[[connections]]
name = "acme"
family = "http"
kinds = ["acme_api_token"]
endpoint_url = "{address}"
credential = "file:admin"
settle_s = 0.05
propagation_s = 0.0
"""
WHY = ("--reason", "their build was poisoned")


@pytest.fixture
def issuer():
    with token_server() as found:
        yield found


@pytest.fixture
def folder(tmp_path, issuer):
    """Give a folder with a ledger in which `lumen` holds one token; with a report that has its secret."""
    (tmp_path / "rotator.toml").write_text(CONFIGURATION.format(address=issuer.address))
    (tmp_path / "admin").write_text(issuer.admin.reveal())
    (tmp_path / "admin").chmod(0o600)
    (tmp_path / "data").mkdir(mode=0o700)
    (tmp_path / "data" / "seal.key").write_text(base64.b64encode(bytes(32)).decode())
    (tmp_path / "data" / "seal.key").chmod(0o600)
    sqlite(tmp_path / "data" / "ledger.db").close()
    parts = Rotator(load(tmp_path / "rotator.toml"))
    told = {"criticality": "high", "owner": "jana"}
    parts.vendors.take([Said(Sort.VENDOR, "lumen", told, "v"), Said(Sort.VENDOR, "quiet", told, "v")], "ana")
    token = issuer.plant("shop")
    match = {"provider": KIND, "connection": "acme", "owner": "shop", "id": token.id}
    parts.inventory.take([Entry(match, {"vendor": "lumen", "reads": []}, "i")], "ana")
    parts.database.close()
    secret = token.token.reveal()
    report = {"RuleID": "acme-api-token", "Secret": secret, "Match": secret, "File": "mail.txt", "StartLine": 3}
    (tmp_path / "report.json").write_text(json.dumps([report]))
    return tmp_path


def work(_given, parts):
    """Do what is due, as a runtime does."""
    until = time.monotonic() + 20
    while parts.due.busy_until(5.0) and time.monotonic() < until:
        for branch, _lane in parts.due.take_due(100):
            parts.engine.advance(branch)


@pytest.fixture
def here(called, folder, monkeypatch):
    assert folder
    monkeypatch.setattr(watching, "start_workers", work)
    return called


def test_it_is_shown_and_asked_before_anything_is_done(here, issuer):
    said = here("vendor", "pause", "lumen", *WHY).ended(4)
    assert "revoke" in said.err
    assert "not approved; nothing was changed" in said.err
    assert json.loads(here("incident", "list", "-o", "json").out) == []
    assert len(issuer.alive()) == 1


def test_what_it_holds_is_cut_and_proven_where_a_report_has_the_secret_and_the_report_says_so_at_its_top(here, issuer):
    pause = here("vendor", "pause", "lumen", *WHY, "--report", "report.json", "--notice", "PYSEC-2026-2", "--yes")
    assert pause.code == 0
    assert "1 can be knocked with: 1 reported, 0 read" in pause.err
    assert issuer.alive() == frozenset()
    top, *_ = [line for line in pause.out.splitlines() if "PAUSED" in line]
    assert top.startswith("PAUSED: lumen, by ")
    data = json.loads(here("report", "last", "-o", "json").out)
    [told] = data["incident"]["pauses"]
    assert (told["vendor"], told["reason"], told["notices"]) == ("lumen", WHY[1], ["PYSEC-2026-2"])
    assert (data["totals"]["proven_dead"], data["replaced"]) == (1, 0)

    again = here("vendor", "pause", "lumen", *WHY, "--yes")
    assert again.code == 0
    assert "lumen is paused since " in again.err
    assert len(json.loads(here("incident", "list", "-o", "json").out)) == 1


def test_of_whom_nobody_knows_anything_is_paused_and_that_ends_with_3(here):
    pause = here("vendor", "pause", "quiet", *WHY, "--yes", "-o", "json").ended(3)
    assert "nobody knows of anything that quiet holds" in pause.err
    assert json.loads(pause.out)["incident"]["pauses"][0]["vendor"] == "quiet"


def test_far_away_it_is_declared_shown_asked_and_found_again(called, folder, issuer, monkeypatch):
    with service(folder) as there:
        monkeypatch.setenv("ROTATOR_URL", there.url)
        monkeypatch.setenv("ROTATOR_TOKEN", there.token())
        said = called("vendor", "pause", "lumen", *WHY, "--report", "report.json").ended(4)
        incident = there.parts.pauses.of("lumen").incident
        assert f"{incident} declared" in said.err
        assert "1 can be knocked with: 1 reported, 0 read" in said.err
        again = called("vendor", "pause", "lumen", *WHY).ended(3)
        assert "lumen is paused since " in again.err
        assert incident in again.out
        assert called("vendor", "pause", "lumne", *WHY).ended(2).one_line.startswith("rotator: ")
    assert len(issuer.alive()) == 1

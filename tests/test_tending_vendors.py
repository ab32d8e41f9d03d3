"""Whoever leads tells of attestations that end, whatever else it has to do."""

from __future__ import annotations

from sqlalchemy import select

from rotator.bootstrap import Rotator
from rotator.flow.registry import Said, Sort
from rotator.ledger import tables
from rotator.settings.file import load
from rotator.tending import Tending
from tests.fakes.deployment import sqlite


def test_who_leads_tells_of_what_has_ended(tmp_path):
    (tmp_path / "rotator.toml").write_text('data_dir = "data"\n')
    parts = Rotator(load(tmp_path / "rotator.toml"))
    parts.__dict__["database"] = sqlite(tmp_path / "ledger.db")
    ended = {"kind": "SOC 2", "issuer": "EY", "valid_from": "2020-01-01", "valid_to": "2020-12-31"}
    parts.vendors.take([Said(Sort.VENDOR, "acme", {"attestations": [ended]}, "v.yaml, line 2")], "ana")
    Tending(parts, lambda: True).decide()
    with parts.database.read() as connection:
        assert list(connection.execute(select(tables.notice.c.event)).scalars()) == ["attestation_ends"]

"""The inventory is told anew when something of it has changed, and not for each page that is looked at."""

from __future__ import annotations

import itertools

import pytest

from rotator.credential import CredentialRef
from rotator.flow.inventory import Said
from rotator.ports.listing import Discovered
from rotator.shown import ages
from tests.api.calling import api
from tests.fakes.deployment import sqlite

KEY = "aws_iam_access_key"


@pytest.fixture
def parts(tmp_path):
    database = sqlite(tmp_path / "ledger.db")
    yield api(tmp_path, database).parts
    database.close()


def keep(parts, *names, **facts):
    parts.inventory.keep(KEY, "aws", [Discovered(CredentialRef(KEY, "aws", "svc", name), facts) for name in names])


def test_each_change_is_seen_and_nothing_is_told_twice_for_nothing(parts, monkeypatch):
    told, tell = [], ages._rows
    monkeypatch.setattr(ages, "_rows", lambda of: told.append(1) or tell(of))

    def seen():
        first = [(each["name"], each["created"], each["gone"] != "", each["said"]) for each in ages.rows(parts)]
        before = len(told)
        ages.rows(parts)
        assert len(told) == before
        return first

    every = [seen()]
    changes = (
        lambda: keep(parts, "k1"),
        lambda: keep(parts, "k1", created_at="2026-01-01T00:00:00Z"),
        lambda: keep(parts, "k2"),
        lambda: keep(parts, "k1", "k2"),
        lambda: parts.inventory.take([Said({"owner": "svc"}, {"criticality": "high"}, "a:1")], "ann"),
        lambda: parts.inventory.take([Said({"owner": "svc"}, {"criticality": "low"}, "a:1")], "ann"),
    )
    for change in changes:
        change()
        every.append(seen())
    assert all(one != other for one, other in itertools.pairwise(every))
    assert len(told) == len(every)

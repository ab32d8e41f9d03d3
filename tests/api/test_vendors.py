"""Vendors over HTTP: each is found by its name, page by page, and none is where there is none."""

from __future__ import annotations

import pytest

from rotator.flow.approval import Role
from rotator.flow.registry import Said, Sort
from tests.api.calling import api
from tests.fakes.deployment import sqlite


@pytest.fixture
def house(tmp_path):
    database = sqlite(tmp_path / "ledger.db")
    yield api(tmp_path, database)
    database.close()


def test_vendors_are_read_page_by_page_and_one_by_its_name(house):
    token = house.token(Role.VIEWER)
    rows = [Said(Sort.VENDOR, name, {"holds": [{"owner": name}]}, "v.yaml, line 1") for name in ("acme", "beta")]
    house.parts.vendors.take(rows, "ana")
    first = house.asks("GET", "/vendors", token, params={"limit": 1}).json()
    rest = house.asks("GET", "/vendors", token, params={"after": first["next"]}).json()
    found = [*first["items"], *rest["items"]]
    assert [(each["name"], each["credentials"]) for each in found] == [("acme", 1), ("beta", 1)]
    one = house.asks("GET", "/vendors/acme", token).json()
    assert {**one, **found[0]} == one
    assert [each["owner"] for each in one["holds"]] == ["acme"]


def test_no_vendor_is_told_as_that(house):
    answer = house.asks("GET", "/vendors/none", house.token(Role.VIEWER))
    assert (answer.status_code, answer.json()["reason"]) == (404, "not_found")

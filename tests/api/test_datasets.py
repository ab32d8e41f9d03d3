"""Manifests over HTTP: each is found by its name, and none is where there is none."""

from __future__ import annotations

import pytest

from rotator import datasets
from rotator.datasets import Asked
from rotator.flow.approval import Role
from rotator.manifests.hashing import Meter
from tests.api.calling import api
from tests.fakes.deployment import sqlite


@pytest.fixture
def house(tmp_path):
    database = sqlite(tmp_path / "ledger.db")
    yield api(tmp_path, database)
    database.close()


def test_manifests_and_their_checks_are_read_page_by_page(house, tmp_path):
    token = house.token(Role.VIEWER)
    (tmp_path / "set").mkdir()
    (tmp_path / "set" / "a").touch()
    for name in ("one", "two"):
        datasets.record(house.parts, name, Asked(str(tmp_path / "set"), "ana"), Meter())
    for _ in range(2):
        datasets.verify(house.parts, "one", Asked("", "ben"), Meter())
    first = house.asks("GET", "/manifests", token, params={"limit": 1}).json()
    rest = house.asks("GET", "/manifests", token, params={"after": first["next"]}).json()
    rows = [*first["items"], *rest["items"]]
    assert [(each["name"], each["result"]) for each in rows] == [("one", "as recorded"), ("two", "not checked")]
    assert house.asks("GET", "/manifests/one", token).json() == rows[0]
    found = house.asks("GET", "/manifests/one/checks", token).json()["items"]
    assert [each["number"] for each in found] == [2, 1]
    assert rows[0]["checked"] == found[0]
    assert house.asks("GET", "/manifests/two/checks", token).json() == {"items": [], "next": None}


@pytest.mark.parametrize("path", ["/manifests/none", "/manifests/none/checks"])
def test_no_manifest_is_told_as_that(house, path):
    answer = house.asks("GET", path, house.token(Role.VIEWER))
    assert (answer.status_code, answer.json()["reason"]) == (404, "not_found")

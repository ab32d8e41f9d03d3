"""Manifests over HTTP: each is found by its name, and none is where there is none."""

from __future__ import annotations

import pytest

from rotator import datasets, readings
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


@pytest.fixture
def read(house, tmp_path):
    """Give what was read of a dataset after a file of it was altered."""
    (tmp_path / "set").mkdir()
    (tmp_path / "set" / "a").touch()
    datasets.record(house.parts, "set", Asked(str(tmp_path / "set"), "ana"), Meter())
    (tmp_path / "set" / "a").write_text("altered")
    readings.write(house.parts.settings, Asked(str(tmp_path / "set"), "dora"), tmp_path / "read", Meter())
    return (tmp_path / "read").read_bytes()


def test_what_was_read_elsewhere_is_kept_once_with_who_read_and_who_gave_it(house, read):
    token, key = house.token(Role.RESPONDER, "ana"), {"Idempotency-Key": "once"}
    for _ in range(2):
        told = house.asks("POST", "/manifests/set/checks", token, content=read, headers=dict(key)).json()
        assert (told["result"], told["named"], told["warnings"]) == ("differs", {"altered": ["a"]}, [])
        assert (told["by"], told["read_by"]) == ("ana", "dora")
    found = house.asks("GET", "/manifests/set/checks", house.token(Role.VIEWER)).json()["items"]
    assert [each["number"] for each in found] == [1]


@pytest.mark.parametrize(
    ("who", "name", "body", "status"),
    [
        ((Role.VIEWER, "vi"), "set", None, 403),
        ((Role.RESPONDER, ""), "set", None, 403),
        ((Role.RESPONDER, "ana"), "none", None, 404),
        ((Role.RESPONDER, "ana"), "set", b"", 422),
        ((Role.RESPONDER, "ana"), "set", b"rotator reading 1\n", 422),
    ],
)
def test_nobody_else_gives_one_and_nothing_else_is_one(house, read, who, name, body, status):  # noqa: PLR0917 - a case
    given = read if body is None else body
    answer = house.asks("POST", f"/manifests/{name}/checks", house.token(*who), content=given)
    assert answer.status_code == status
    assert house.parts.manifests.checks("set") == []


@pytest.mark.parametrize("path", ["/manifests/none", "/manifests/none/checks"])
def test_no_manifest_is_told_as_that(house, path):
    answer = house.asks("GET", path, house.token(Role.VIEWER))
    assert (answer.status_code, answer.json()["reason"]) == (404, "not_found")

"""Logs of a vendor over HTTP: a long one, or many in an archive; what they tell stands on the board, and runs there."""

from __future__ import annotations

import io
import zipfile

import pytest

from rotator.flow.approval import Role
from tests.access.logs import log, record
from tests.api.board.pages import page
from tests.api.calling import Api
from tests.shown.vendors import filled

KEY, EVIL = "AKIAACME000000000001", "<script>alert(1)</script>"
AT = "/vendors/acme/uses?since=2026-03-24T10:00:00Z"


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    parts = filled(tmp_path_factory.mktemp("uses"))
    yield Api(parts)
    parts.database.close()


def zipped(**files):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, text in files.items():
            archive.writestr(name.replace("__", "/"), text)
    return packed.getvalue()


def test_a_long_log_is_read_and_an_archive_of_two_and_the_board_tells_of_it(house):
    token = house.token(Role.RESPONDER, "ana")
    many = log(*(record(-24 - n / 100, key=KEY) for n in range(200)))
    assert len(many) > 1 << 16  # longer than what an act may have
    answer = house.asks("POST", AT, token, content=many)
    assert (answer.status_code, answer.json()["uses"]["credentials"][0]["calls"]) == (200, 200)
    thief = log(record(1, key=KEY, sourceIPAddress="203.0.113.9", userAgent=EVIL))
    both = house.asks("POST", AT, token, content=zipped(access__old=many, access__new=thief)).json()
    assert (both["logs"], both["known"], both["uses"]["unusual"]) == (2, 1, 1)
    found = page(house, "/vendors/acme", Role.VIEWER)
    assert "203.0.113.0/24: ListBuckets" in found.text
    assert EVIL not in found.source
    assert "no access log was read" in page(house, "/vendors/beta", Role.VIEWER).text


@pytest.mark.parametrize(
    ("path", "body", "status", "reason"),
    [
        (AT, b"", 422, "bad_report"),
        (AT, b"hello\n", 422, "bad_report"),
        (AT, zipped(reports__a=b"x"), 422, "bad_report"),
        ("/vendors/nobody/uses", log(), 404, "no_such_vendor"),
        ("/vendors/acme/uses?since=2999-01-01T00:00:00Z", log(), 422, "bad_input"),
    ],
)
def test_what_is_no_log_is_told_and_kept_nowhere(house, path, body, status, reason):
    answer = house.asks("POST", path, house.token(Role.RESPONDER), content=body)
    assert (answer.status_code, answer.json()["reason"]) == (status, reason)

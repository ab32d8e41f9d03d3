"""Triage over HTTP: who may ask and set, what is kept of it, and the memo as a file."""

from __future__ import annotations

import pytest

from rotator.flow.approval import Role
from tests.api.calling import Api
from tests.ledger.test_vendors import chain
from tests.shown.vendors import ADVISORY, RECORD, filled


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    """Give one service to all: what one sets it takes back."""
    parts = filled(tmp_path_factory.mktemp("vendors"))
    yield Api(parts)
    parts.database.close()


def test_a_term_is_set_once_in_the_callers_name_and_is_in_the_vendors_chain(house):
    token = house.token(Role.RESPONDER, "ana")
    body = {"value": "0.1", "notice": ADVISORY, "reason": "they showed us"}
    for again in ("false", "true"):
        given = {"headers": {"Idempotency-Key": "one"}, "json": body}
        answer = house.asks("POST", "/vendors/acme/terms/likelihood", token, **given)
        assert (answer.status_code, answer.json()["value"]) == (200, 0.1)
        assert answer.headers.get("Idempotent-Replayed", "false") == again
    told = [each for each in chain(house.parts.database, "vendor.acme") if each["act"] == "term_set"]
    assert [(each["by"], each["value"], each["reason"]) for each in told] == [("ana", 0.1, "they showed us")]
    asked = house.asks("POST", "/vendors/triage", token, json={"records": {"a.json": RECORD}}).json()
    acme = next(each for each in asked["vendors"] if each["vendor"] == "acme")
    assert acme["terms"][0]["by"] == "ana"
    taken = house.asks("POST", "/vendors/acme/terms/likelihood", token, json={**body, "value": None}).json()
    assert (taken["value"], taken["before"]) == (None, 0.1)


@pytest.mark.parametrize(
    ("method", "path", "given"),
    [
        ("POST", "/vendors/triage", {"json": {"breached": ["acme"]}}),
        ("POST", "/vendors/acme/terms/likelihood", {"json": {"value": "0.1", "reason": "x"}}),
        ("GET", "/vendors/acme/memo.json", {}),
    ],
)
def test_a_viewer_neither_sets_nor_has_others_asked(house, method, path, given):
    answer = house.asks(method, path, house.token(Role.VIEWER), **given)
    assert (answer.status_code, answer.json()["reason"]) == (403, "role")


@pytest.mark.parametrize(
    ("method", "path", "given", "status"),
    [
        ("POST", "/vendors/triage", {"json": {"breached": ["acmee"]}}, 422),
        ("POST", "/vendors/triage", {"json": {"breached": ["acme"], "notice": "ghp_" + "a1B2" * 9}}, 422),
        ("POST", "/vendors/nobody/terms/likelihood", {"json": {"value": "0.1", "reason": "x"}}, 409),
        ("POST", "/vendors/acme/terms/likelihood", {"json": {"value": "2", "reason": "x"}}, 409),
        ("GET", "/vendors/nobody/memo.json", {}, 404),
        ("GET", "/vendors/acme/memo.pdf", {"params": {"breached": "nobody"}}, 404),
    ],
)
def test_what_cannot_be_is_told_and_changes_nothing(house, method, path, given, status):
    answer = house.asks(method, path, house.token(Role.RESPONDER), **given)
    assert answer.status_code == status
    assert "a1B2" not in answer.text
    assert house.parts.assessments.every([]) == {}


@pytest.mark.parametrize(("form", "kind"), [("html", "text/html"), ("md", "text/markdown")])
def test_a_memo_is_given_out_as_a_file_of_its_form(house, form, kind):
    token = house.token(Role.RESPONDER, "ana")
    headers = {"Authorization": f"Bearer {token}"}
    answer = house.client.get(f"/api/v1/vendors/acme/memo.{form}", params={"breached": "mailer"}, headers=headers)
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith(kind)
    assert answer.headers["content-disposition"] == f'attachment; filename="acme-memo.{form}"'
    assert "by ana" in answer.text
    assert "mailer" in answer.text

"""Signing in by a real OpenID provider: by code, PKCE, state and nonce; nobody comes in whom nothing gives a role."""

from __future__ import annotations

import json
import socket
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from sqlalchemy import text
from starlette.testclient import TestClient

from rotator.api import app
from rotator.bootstrap import Rotator
from rotator.examining.doctor import examine
from rotator.settings.file import load
from tests.fakes.deployment import sqlite
from tests.servers import canaille

HERE = "http://127.0.0.1:8420"
HTML = {"Accept": "text/html"}
CONFIG = """
data_dir = "data"
[web]
public_url = "{here}"
[sign_in.oidc]
issuer = "{issuer}"
client_id = "rotator"
client_secret = "file:client.secret"
scopes = ["openid", "profile", "groups"]
roles = {{ soc = "responder", leads = "admin" }}
"""
RULE = """
[approval]
[[people]]
name = "ana"
roles = ["approver"]
"""


@pytest.fixture(scope="module")
def provider():
    with canaille.provider() as found:
        found.knows(f"{HERE}/sign-in/oidc/callback", f"{HERE}/sign-in")
        yield found


@pytest.fixture
def served(tmp_path, provider):
    (tmp_path / "client.secret").write_text(canaille.CLIENT_SECRET)
    yield from serving(tmp_path, provider.issuer)


def serving(folder, issuer, more=""):
    (folder / "rotator.toml").write_text(CONFIG.format(here=HERE, issuer=issuer) + more)
    parts = Rotator(load(folder / "rotator.toml"))
    parts.__dict__["database"] = sqlite(folder / "ledger.db")
    with TestClient(app.make(parts), HERE, follow_redirects=False) as client:
        client.parts = parts
        yield client
    parts.database.close()


def begun(client, there="/incidents?show=all"):
    answer = client.get("/sign-in/oidc", params={"next": there}, headers=HTML)
    assert answer.status_code == 303, answer.text
    return answer.headers["location"]


def came_back(client, address):
    parts = urlsplit(address)
    return client.get(f"{parts.path}?{parts.query}", headers=HTML)


def noted(client):
    with client.parts.database.read() as connection:
        found = connection.execute(text("SELECT body FROM evidence WHERE chain = 'service' ORDER BY seq")).scalars()
        return [json.loads(each) for each in found]


def test_somebody_of_a_group_comes_in_and_goes_where_he_wanted(served, provider):
    answer = came_back(served, provider.answers(begun(served), "ana"))
    assert (answer.status_code, answer.headers["location"]) == (303, "/incidents?show=all")
    said = served.get("/api/v1/whoami").json()
    assert (said["by"], said["role"], said["token"][:8]) == ("ana", "responder", "session ")
    assert (noted(served)[-1]["act"], noted(served)[-1]["by"]) == ("signed_in", "ana")
    assert noted(served)[-1]["how"] == f"ana at {provider.issuer}"
    assert served.get("/incidents", headers=HTML).status_code == 200


def test_what_is_asked_shows_no_secret_and_another_proof_each_time(served):
    asked = [parse_qs(urlsplit(begun(served)).query) for _ in range(2)]
    assert asked[0]["code_challenge_method"] == ["S256"]
    assert asked[0]["redirect_uri"] == [f"{HERE}/sign-in/oidc/callback"]
    for each in ("state", "nonce", "code_challenge"):
        assert asked[0][each] != asked[1][each]
    assert not {"client_secret", "code_verifier"} & set(asked[0])


def test_who_is_in_no_group_that_counts_stays_outside_and_it_is_evidence(served, provider):
    answer = came_back(served, provider.answers(begun(served), "eve"))
    assert answer.status_code == 403
    assert "eve is known, and may do nothing here" in answer.text, answer.text[1000:]
    assert served.get("/api/v1/whoami").status_code == 401
    last = noted(served)[-1]
    assert (last["act"], last["by"], last["what"], last["reason"]) == ("refused", "eve", "sign_in", "no_role")


def test_under_a_rule_people_are_what_it_says_whatever_their_groups(tmp_path, provider):
    (tmp_path / "client.secret").write_text(canaille.CLIENT_SECRET)
    for served in serving(tmp_path, provider.issuer, RULE):
        assert came_back(served, provider.answers(begun(served), "bo")).status_code == 403
        assert came_back(served, provider.answers(begun(served), "ana")).status_code == 303
        assert served.get("/api/v1/whoami").json()["role"] == "approver"


def test_an_answer_that_another_browser_began_is_none_of_ours(served, provider):
    address = provider.answers(begun(served), "ana")
    served.cookies.clear()
    begun(served)
    answer = came_back(served, address)
    assert (answer.status_code, "did not begin" in answer.text) == (403, True)


def test_an_answer_counts_once(served, provider):
    address = provider.answers(begun(served), "ana")
    kept = served.cookies["rotator_signing_in"]
    assert came_back(served, address).status_code == 303
    served.cookies.clear()
    served.cookies.set("rotator_signing_in", kept)
    assert came_back(served, address).status_code == 403
    assert served.get("/api/v1/whoami").status_code == 401


@pytest.mark.parametrize(
    "change", [{"code": "guess"}, {"iss": "https://evil.example.com"}, {"iss": None}, {"code": None}]
)
def test_an_answer_that_was_changed_is_refused(served, provider, change):
    parts = urlsplit(provider.answers(begun(served), "ana"))
    query = {name: values[0] for name, values in parse_qs(parts.query).items()} | change
    told = urlencode({name: value for name, value in query.items() if value is not None})
    assert came_back(served, f"{parts.path}?{told}").status_code == 403
    assert served.get("/api/v1/whoami").status_code == 401


def test_a_key_that_the_provider_changed_is_found(served, provider, monkeypatch):
    assert came_back(served, provider.answers(begun(served), "ana")).status_code == 303
    monkeypatch.setattr("rotator.openid.provider._AGAIN_S", 0)
    provider.changes_its_key()
    served.cookies.clear()
    assert came_back(served, provider.answers(begun(served), "ana")).status_code == 303


def test_who_signs_out_is_out_and_told_where_he_is_known_still(served, provider):
    came_back(served, provider.answers(begun(served), "ana"))
    page = served.get("/incidents", headers=HTML).text
    word = page.partition('name="csrf-token" content="')[2].partition('"')[0]
    assert served.post("/sign-out", data={"csrf": "guess"}, headers=HTML).status_code == 403
    assert served.post("/sign-out", data={"csrf": word}, headers=HTML).headers["location"] == "/sign-out"
    assert served.get("/api/v1/whoami").status_code == 401
    assert f'href="{provider.issuer}/oauth/end_session?client_id=rotator' in served.get("/sign-out", headers=HTML).text
    assert noted(served)[-1]["act"] == "signed_out"


def test_the_doctor_asks_the_provider_and_says_where_it_sends_people_back(served):
    told = [each for each in examine(served.parts) if each.what.startswith("sign-in")]
    assert [each.well for each in told] == [True, True, True]
    assert f"{HERE}/sign-in/oidc/callback" in told[0].what
    secret = served.parts.settings.folder / "client.secret"
    secret.chmod(0o644)
    assert f"everybody can read the secret in {secret}" in [each.what for each in examine(served.parts)]


def test_while_the_provider_is_down_the_page_says_so_and_a_token_opens(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as door:
        nobody = f"http://127.0.0.1:{door.getsockname()[1]}"
    (tmp_path / "client.secret").write_text("none")
    for served in serving(tmp_path, nobody):
        answer = served.get("/sign-in/oidc", headers=HTML)
        assert answer.status_code == 503
        assert "the provider cannot be asked now: sign in with a token" in answer.text
        assert 'action="/sign-in/token"' in answer.text
        assert served.get("/sign-out", headers=HTML).status_code == 200
        (tmp_path / "client.secret").unlink()
        told = [each for each in examine(served.parts) if each.what.startswith("sign-in")]
        assert [each.well for each in told] == [True, False, False]
        assert told[0].what.endswith(f"to enter at {nobody} is {HERE}/sign-in/oidc/callback")
        assert "there is no such file" in told[1].what
        assert (nobody in told[2].what, "does it run" in told[2].mend) == (True, True)

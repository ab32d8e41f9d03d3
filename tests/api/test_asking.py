"""What a program sends as an archive is answered as files are at the command line; what waits for others is bounded."""

from __future__ import annotations

import asyncio
import io
import json
import tempfile
import threading
import zipfile

import httpx2
import pytest

from rotator import response
from rotator.api import app
from rotator.api.v1 import long_work
from rotator.flow.approval import Role
from rotator.practice.token_server import token_server
from tests.api.calling import V1, api
from tests.fakes import channels
from tests.fakes.deployment import emptied, sqlite

SECRET = "nobody-may-ever-read-this"
REPORT = json.dumps({"provider": "npm_token", "id": "n1", "secret": SECRET}) + "\n"
INVENTORY = b"""credentials:
- {match: {provider: npm_token, owner: web, id: n1}, reachable_from: ["host:a"], reads: []}
- {match: {provider: npm_token, owner: app, id: n2}, reachable_from: ["host:b"], reads: []}
"""
BAD = "package=litellm==1.82.7"


def packed(**files):
    raw = io.BytesIO()
    with zipfile.ZipFile(raw, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name.replace("__", "/"), content)
    return raw.getvalue()


EVIDENCE = packed(evidence__host__a__freeze="litellm==1.82.7\n", evidence__host__b__freeze="litellm==1.82.6\n")


@pytest.fixture(scope="module")
def ledger(tmp_path_factory):
    database = sqlite(tmp_path_factory.mktemp("ledger") / "ledger.db")
    yield database
    database.close()


@pytest.fixture
def served(tmp_path, ledger):
    found = api(tmp_path, emptied(ledger))
    imported = found.asks("POST", "/inventory/import", found.token(Role.ADMIN), content=INVENTORY)
    assert imported.status_code == 200, imported.text
    return found


def asks(found, path, content=b"", role=Role.RESPONDER):
    return found.asks("POST", path, found.token(role), content=content)


def test_a_report_is_read_without_its_secret_and_nothing_of_it_is_kept(served, ledger):
    answer = asks(served, "/intake", REPORT)
    assert [(each["kind"], each["key"], each["has_material"]) for each in answer.json()["credentials"]] == [
        ("npm_token", "n1", True)
    ]
    assert answer.json()["evidence"] is None
    assert SECRET not in answer.text
    assert served.parts.reading.incidents() == []
    with ledger.read() as connection:
        assert SECRET not in "".join(connection.connection.driver_connection.iterdump())
    assert asks(served, "/intake", b"\0").json()["reason"] == "bad_report"


def test_evidence_of_a_bad_package_names_what_was_within_its_reach(served):
    found = asks(served, f"/intake?{BAD}", EVIDENCE).json()
    assert [each["key"] for each in found["credentials"]] == ["n1"]
    assert [(each["site"], each["version"]) for each in found["evidence"]["hits"]] == [("host:a", "1.82.7")]
    declared = asks(served, f"/incidents?title=Bad&{BAD}", EVIDENCE)
    assert (declared.status_code, declared.json()["manual"]) == (201, 1), declared.text
    both = packed(
        evidence__host__b__freeze="litellm==1.82.7\n", reports__r=REPORT.replace("n1", "n3").replace("may", "can")
    )
    grown = asks(served, f"/incidents/{declared.json()['incident']}/reports?{BAD}", both).json()
    assert grown["revision"] == 2
    shown = served.asks("GET", f"/incidents/{declared.json()['incident']}/exposures", served.token(Role.VIEWER))
    assert {each["id"] for each in shown.json()["items"]} == {"n1", "n2", "n3"}


def test_what_is_in_another_incident_already_is_said(served):
    first = asks(served, "/incidents?title=One", REPORT).json()
    second = asks(served, "/incidents?title=Two", REPORT).json()
    assert (first["elsewhere"], len(second["warnings"])) == ([], len(first["warnings"]))
    merged = served.asks(
        "POST", f"/incidents/{second['incident']}/merge", served.token(Role.APPROVER), json={"into": first["incident"]}
    ).json()
    assert (merged["into"], merged["same"]) == (first["incident"], 1)


def test_an_incident_grows_by_a_foothold_or_a_worse_severity_alone(served):
    at = f"/incidents/{asks(served, '/incidents?title=One', REPORT).json()['incident']}/reports"
    grown = asks(served, f"{at}?foothold=build-7&severity=critical").json()
    assert (grown["revision"], grown["footholds"], grown["freed"]) == (0, ["build-7"], 0)
    assert asks(served, at).json()["reason"] == "bad_report"


@pytest.mark.parametrize(
    ("query", "body", "said"),
    [
        ("", EVIDENCE, "nothing says what to look for"),
        (BAD, REPORT.encode(), "nothing says where the packages were"),
        (BAD, packed(reports__r=REPORT), "nothing says where the packages were"),
        (BAD, packed(evidence__host__a__f="x==1\n"), "no site had it"),
        ("advisory=../../etc/passwd", EVIDENCE, "no advisory's id"),
        (f"advisory={tempfile.gettempdir()}", EVIDENCE, "no advisory's id"),
        (BAD, EVIDENCE[:-30], "it is damaged"),
        (BAD, packed(other__x="y"), "nobody knows what it is"),
        ("", packed(reports__r=REPORT, access__trail="no log"), "this is no access log"),
        ("", b"7z\xbc\xaf\x27\x1c", "a form that is not read"),
    ],
)
def test_an_archive_that_does_not_fit_is_one_clear_problem_and_declares_nothing(served, query, body, said):
    answer = asks(served, f"/incidents?title=x&{query}", body)
    assert (answer.status_code, answer.json()["reason"]) == (422, "bad_report"), answer.text
    assert said in answer.json()["detail"]
    assert served.parts.reading.incidents() == []


def test_an_inventory_with_a_bad_row_or_a_command_is_imported_nowhere(served):
    admin = served.token(Role.ADMIN)
    command = b'credentials:\n- {match: {provider: npm_token, id: n9}, consumers: [{command: ["rm", "-r"]}]}'
    for body, said in (
        (command, "a command, which nobody names over HTTP"),
        (b"credentials:\n- {match: {provider: npm}}", "npm"),
    ):
        answer = served.asks("POST", "/inventory/import", admin, content=body)
        assert (answer.status_code, answer.json()["reason"], answer.json()["bad"]) == (422, "bad_report", 1)
        assert said in answer.json()["detail"]
    assert len(served.asks("GET", "/inventory", admin).json()["items"]) == 2
    changed = INVENTORY.replace(b"host:a", b"host:c")
    dry = served.asks("POST", "/inventory/import?dry_run=true", admin, content=changed).json()
    assert ([each["act"] for each in dry["changes"]], dry["dry_run"]) == (["changed", "same"], True)
    again = served.asks("POST", "/inventory/import?file=new.yaml", admin, content=changed).json()
    assert [each["act"] for each in again["changes"]] == ["changed", "same"]
    told = served.asks("GET", "/inventory/history?match=n1", admin).json()["items"]
    assert [each["file"] for each in told] == ["sent over HTTP, line 2", "new.yaml, line 2"]


def test_issuers_are_asked_what_they_list_and_permit_and_channels_are_tried(tmp_path, ledger):
    with token_server() as server, channels.slack() as hook:
        server.plant("ci")
        for name, secret in (("own.token", server.admin.reveal()), ("hook", hook.url)):
            (tmp_path / name).write_text(secret)
            (tmp_path / name).chmod(0o600)
        found = api(
            tmp_path,
            emptied(ledger),
            f'[[connections]]\nname = "acme"\nfamily = "http"\nkinds = ["acme_api_token"]\n'
            f'endpoint_url = "{server.address}"\ncredential = "file:own.token"\n'
            '[[notices]]\nname = "oncall"\nslack = "file:hook"\n',
        )
        listed = asks(found, "/connections/acme/discover?save=true").json()
        assert {each["owner"] for each in listed["credentials"]} >= {"ci"}
        assert [each["kind"] for each in listed["kept"]] == ["acme_api_token"]
        assert asks(found, "/inventory/coverage").json()["listed"] == len(listed["credentials"])
        assert asks(found, "/providers/check").json()["well"] is True
        examined = asks(found, "/doctor", role=Role.ADMIN).json()["findings"]
        assert "acme: acme_api_token: answers" in str(examined) or "acme: answers" in str(examined)
        tried = asks(found, "/notices/oncall/test").json()
        assert tried["message"] in str(hook.posted)
        assert [each["name"] for each in found.asks("GET", "/notices", found.token(Role.VIEWER)).json()["items"]] == [
            "oncall"
        ]
        settings = found.asks("GET", "/config", found.token(Role.ADMIN)).text
        assert server.admin.reveal() not in settings + str(examined)
        assert hook.url not in settings + str(examined)
    assert asks(found, "/connections/acne/discover").json()["reason"] == "no_such_connection"
    assert asks(found, "/notices/other/test").json()["reason"] == "no_such_channel"


def test_a_playbooks_mistakes_are_told_with_their_lines(served):
    mistakes = asks(served, "/playbooks/lint", b"playbook: x\n", Role.VIEWER).json()["mistakes"]
    assert mistakes
    assert all(each["line"] >= 1 for each in mistakes)


def test_forty_declarations_that_wait_keep_nobody_else_waiting(served, monkeypatch):
    """Eight may wait for issuers at once; the others are sent away, and who asks for health or stops is answered."""
    ends = threading.Event()
    monkeypatch.setattr(response, "prepare", lambda *_, **__: ends.wait(60) and 1 / 0)
    token = served.token(Role.RESPONDER)
    headers = {"Authorization": f"Bearer {token}"}

    async def asked():
        transport = httpx2.ASGITransport(app.make(served.parts), raise_app_exceptions=False)
        async with httpx2.AsyncClient(transport=transport, base_url="http://testserver", timeout=60) as client:
            declared = [
                asyncio.ensure_future(client.post(f"{V1}/incidents?title=x", content=REPORT, headers=headers))
                for _ in range(40)
            ]
            sent_away = []
            for done in asyncio.as_completed(declared):
                sent_away.append(await done)
                if len(sent_away) == 40 - long_work.AT_ONCE:
                    break
            health = await client.get("/healthz")
            stopped = await client.post(f"{V1}/stop", json={"reason": "because"}, headers=headers)
            ends.set()
            waited = [each for each in await asyncio.gather(*declared) if each not in sent_away]
            return sent_away, health, stopped, waited

    sent_away, health, stopped, waited = asyncio.run(asked())
    assert {(each.status_code, each.json()["reason"], each.headers["retry-after"]) for each in sent_away} == {
        (503, "busy", "5")
    }
    assert (health.status_code, stopped.status_code) == (200, 200)
    assert {each.json()["reason"] for each in waited} == {"internal"}
    assert len(waited) == long_work.AT_ONCE

"""What is read over HTTP is what the command line prints; nothing without a token, and no secret to anybody."""

from __future__ import annotations

import io
import json
import re
import zipfile

import pytest

from rotator.flow.approval import Role
from rotator.flow.checklist import CUT, frozen
from rotator.flow.inventory import Said as Owned
from rotator.flow.registry import Said, Sort
from rotator.ledger import pauses
from rotator.ledger.database import Database
from rotator.ledger.datasets import Source
from rotator.ledger.drills import DrillRow, begin
from rotator.ledger.inventory import Inventory
from rotator.ledger.manifests import Manifests
from rotator.ledger.pauses import Pause
from rotator.ledger.vendors import Vendors
from rotator.manifests.comparing import compare
from rotator.manifests.entry import Entry, Kind
from rotator.shown.incidents import report
from tests.api.calling import V1, api
from tests.e2e.commands import CommandLine
from tests.fakes.company import founded
from tests.fakes.deployment import sqlite

KEY, TOKEN = "aws_iam_access_key", "acme_api_token"
READ = (
    "/whoami",
    "/incidents",
    "/incidents/inc-1",
    "/incidents/inc-1/credentials",
    "/incidents/inc-1/plan",
    "/incidents/inc-1/evidence",
    "/service/evidence",
    "/inventory",
    "/providers",
    "/playbooks",
    "/incidents/inc-1/exposures",
    "/incidents/inc-1/gates",
    "/inventory/history?match=ci",
    "/triggers",
    "/hygiene",
    "/segmentation",
    "/segmentation/whole",
    "/segmentation/reached?place=host:build-7",
    "/segmentation/edges",
    "/segmentation/trend",
    "/segmentation/short-lived",
    "/manifests",
    f"/manifests/{KEY}",
    f"/manifests/{KEY}/checks",
    "/schedules",
    "/notices",
    "/playbooks/schema",
    f"/playbooks/{KEY}",
    "/config",
    "/tokens",
    "/sessions",
    "/certificates",
    "/drills",
    "/drills/trend",
    "/drills/inc-1",
    "/incidents/inc-1/report.json",
    "/compliance.json?from=2026-01-01&to=2026-02-01",
    "/vendors",
    f"/vendors/{KEY}",
    f"/vendors/{KEY}/gates",
    f"/vendors/{KEY}/memo.json",
    "/vendor-risks",
    f"/vendor-memo.json?breached={KEY}",
    "/incidents/inc-1/evidence.zip",
)


@pytest.fixture(scope="module")
def ledger(tmp_path_factory):
    """Return a ledger in which an incident has come to rest, and the secrets that were stolen."""
    folder = tmp_path_factory.mktemp("ledger")
    database = sqlite(folder / "ledger.db")
    company, deployment = founded(folder, database=database)
    stolen = [company.stolen(kind) for kind in (KEY, TOKEN, KEY)]
    deployment.start([each for each, _ in stolen])
    deployment.rest()
    recorded(database)
    at = {"reachable_from": ["host:build-7"], "datasets": ["cards"]}
    Inventory(database).take([Owned({"provider": KEY, "owner": "ci"}, at, "team.yaml:1")], "ana")
    with database.write() as connection:
        begin(connection, DrillRow("inc-1", "weekly", "manual", "ana", 0.0))
    paused(database)
    yield database, [secret.reveal() for _, secret in stolen]
    database.close()


@pytest.fixture(scope="module")
def served(tmp_path_factory, ledger):
    database, secrets = ledger
    return api(tmp_path_factory.mktemp("served"), database), secrets


def recorded(database):
    """Record a dataset that is called as a kind is, so that one name names both."""
    manifests, lines = Manifests(database), [Entry("a", Kind.FILE, 1, "0" * 64)]
    source = Source("/data", "lab-1")
    recording = manifests.begin(KEY, source, "ana")
    found = manifests.end(KEY, recording, manifests.keep(recording, lines))
    manifests.checked(found, source, compare(lines, lines), found.digest, by="ben")


def paused(database):
    """Register a vendor that is called as a kind is, and pause it by the incident."""
    Vendors(database).take([Said(Sort.VENDOR, KEY, {}, "v.yaml, line 1")], "ana")
    with database.write() as connection:
        pauses.begin(connection, Pause(KEY, 0, "inc-1", 1.0, "ana", "breached", frozen((CUT,))), {})


def walked(asks, path, limit):
    """Follow a list to its end."""
    found, after = [], None
    while True:
        page = asks(path, params={"limit": limit, **({"after": after} if after else {})}).json()
        assert len(page["items"]) <= limit
        found += page["items"]
        after = page["next"]
        if after is None:
            return found


def test_every_reading_is_as_it_is_described_and_holds_no_secret(served):
    found, secrets = served
    admin = found.token(Role.ADMIN)
    described = found.client.get("/openapi.json").json()
    read = {path.replace("{incident}", "inc-1") for path, how in described["paths"].items() if "get" in how}
    named = {re.sub("{(name|vendor)}", KEY, path).replace("{form}", "json") for path in read}
    assert named - {"/events", "/incidents/inc-1/events"} <= {path.partition("?")[0] for path in READ}
    for path in READ:
        answer = found.asks("GET", path, admin)
        assert answer.status_code == 200, path
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["cache-control"] == "no-store"
        said = answer.text if not path.endswith(".zip") else unpacked(answer.content)
        assert not [each for each in (*secrets, admin) if each in said]


def unpacked(pack):
    """Return all that an archive has, as text."""
    with zipfile.ZipFile(io.BytesIO(pack)) as files:
        said = [files.read(name).decode() for name in files.namelist()]
    assert said
    return "\n".join(said)


@pytest.mark.parametrize("path", [*READ, "/nothing", "/incidents/inc-none"])
def test_without_a_token_nobody_learns_even_what_there_is(served, path):
    stranger = served[0].client_at(path)
    for headers in ({}, {"Authorization": "Basic cm90"}, {"Authorization": "Bearer rot_guess"}):
        answer = stranger.get(V1 + path, headers=headers)
        assert (answer.status_code, answer.headers["www-authenticate"]) == (401, 'Bearer realm="rotator"')
        assert set(answer.json()) == {"type", "title", "status", "reason", "detail"}


def test_a_page_begins_where_the_one_before_ended(served):
    found, _ = served
    viewer = found.token(Role.VIEWER)

    def asks(path, **given):
        return found.asks("GET", path, viewer, **given)

    for path in ("/incidents/inc-1/credentials", "/incidents/inc-1/evidence", "/providers"):
        whole = asks(path, params={"limit": 500}).json()
        assert whole["next"] is None
        for limit in (7, len(whole["items"]) - 1, len(whole["items"])):
            assert walked(asks, path, limit) == whole["items"]


def test_who_asks_again_behind_the_last_record_gets_what_was_committed_since(served):
    found, _ = served
    responder = found.token(Role.RESPONDER)
    whole = walked(lambda path, **given: found.asks("GET", path, responder, **given), READ[5], 500)
    last = {"after": whole[-1]["cursor"]}
    assert found.asks("GET", READ[5], responder, params=last).json() == {"items": [], "next": None}
    found.asks("POST", "/incidents/inc-1/stop", responder, json={"reason": "look"})
    [new] = found.asks("GET", READ[5], responder, params=last).json()["items"]
    assert json.loads(new["body"])["reason"] == "look"
    found.asks("POST", "/incidents/inc-1/continue", responder, json={"reason": "looked"})


def test_the_services_own_evidence_is_an_admins_to_read(served):
    found, _ = served
    admin, approver = found.token(Role.ADMIN), found.token(Role.APPROVER)
    refused = found.asks("GET", "/service/evidence", approver)
    assert (refused.status_code, refused.json()["reason"]) == (403, "role")
    told = walked(lambda path, **given: found.asks("GET", path, admin, **given), "/service/evidence", 3)
    assert {each["chain"] for each in told} == {"service"}
    assert [each["seq"] for each in told] == [*range(1, len(told) + 1)]
    assert [json.loads(each["body"])["act"] for each in told[-2:]] == ["token_created", "refused"]


def test_credentials_are_those_of_the_report_by_state_and_kind(served):
    found, _ = served
    viewer = found.token(Role.VIEWER)
    every = report(found.parts, "inc-1")["credentials"]

    def of(**wanted):
        return [each["run"] for each in found.asks("GET", READ[3], viewer, params=wanted).json()["items"]]

    assert of() == [each["run"] for each in every]
    assert of(provider=KEY) == [each["run"] for each in every if each["provider"] == KEY]
    for state in {each["state"] for each in every}:
        assert of(state=state) == [each["run"] for each in every if each["state"] == state]
    assert of(state="dismissed") == []


@pytest.mark.parametrize(
    ("path", "status", "reason"),
    [
        ("/incidents/inc-none", 404, "no_such_incident"),
        ("/incidents/last", 404, "no_such_incident"),
        ("/incidents?limit=0", 422, "bad_input"),
        ("/incidents?after=%00", 404, "no_such_cursor"),
        ("/incidents?after=aGVsbG8", 404, "no_such_cursor"),
        ("/incidents/inc-1/evidence?after=aW5jLTEKeA", 404, "no_such_cursor"),
        ("/incidents/inc-1/credentials?state=fine", 422, "bad_input"),
        ("/incidents/inc-1%00/credentials", 404, "not_found"),
        ("/incidents/inc-1/evidence?after=aW5jLTEACjE", 404, "no_such_cursor"),
        ("/nothing", 404, "not_found"),
    ],
)
def test_every_error_is_a_problem_with_a_stable_reason_and_is_counted(served, path, status, reason):
    found, _ = served
    before = refused(found, reason)
    answer = found.asks("GET", path, found.token(Role.VIEWER))
    assert (answer.status_code, answer.json()["reason"]) == (status, reason)
    assert refused(found, reason) == before + 1


def refused(found, reason):
    """Return how often the service refused for that reason."""
    counted = re.escape(f'rotator_api_refusals_total{{act="",reason="{reason}"}} ') + r"(\d+)$"
    return sum(map(int, re.findall(counted, found.client.get("/metrics").text, re.MULTILINE)))


def test_what_is_no_method_of_a_path_is_said_with_those_that_are(served):
    found, _ = served
    answer = found.asks("DELETE", "/incidents/inc-1", found.token(Role.VIEWER))
    assert (answer.status_code, answer.headers["allow"], answer.json()["reason"]) == (405, "GET", "method_not_allowed")


def test_a_mistake_of_ours_tells_nothing_of_itself(served, monkeypatch, caplog):
    found, _ = served
    monkeypatch.setattr("rotator.shown.incident_list.listed", lambda _: [][_])
    answer = found.asks("GET", "/incidents", found.token(Role.VIEWER))
    assert (answer.status_code, answer.json()["reason"]) == (500, "internal")
    assert "Traceback" not in answer.text + caplog.text
    assert "api_failed: TypeError" in caplog.text


def test_a_ledger_that_does_not_answer_is_asked_again_later(served, ledger):
    (found, _), (database, _) = served, ledger
    viewer = found.token(Role.VIEWER)
    with database.write() as connection:
        connection.exec_driver_sql("ALTER TABLE token RENAME TO away")
    try:
        answer = found.asks("GET", "/incidents", viewer)
    finally:
        with database.write() as connection:
            connection.exec_driver_sql("ALTER TABLE away RENAME TO token")
    assert (answer.status_code, answer.headers["retry-after"], answer.json()["reason"]) == (503, "60", "not_ready")


def test_wrong_tokens_of_one_address_are_slowed_down_and_a_right_one_never_is(served):
    found, _ = served
    viewer, neighbour = found.token(Role.VIEWER), found.client_at("next door")
    knocks = [neighbour.get(f"{V1}/whoami", headers={"Authorization": f"Bearer {n}"}) for n in range(12)]
    assert [each.status_code for each in knocks] == [401] * 10 + [429] * 2
    assert 1 <= int(knocks[-1].headers["retry-after"]) <= 60
    right = neighbour.get(f"{V1}/whoami", headers={"Authorization": f"Bearer {viewer}"})
    assert right.status_code == 200


def test_an_ended_token_opens_nothing_and_is_told_so(served):
    found, _ = served
    ended, expired = found.token(Role.ADMIN), found.token(Role.ADMIN, lasts_s=-1.0)
    name = next(each.name for each in found.parts.tokens.listed() if each.lookup == ended[4:12])
    found.parts.tokens.revoke(name, "bo", "leaked")
    for token, reason in ((ended, "revoked_token"), (expired, "expired_token")):
        answer = found.asks("GET", "/whoami", token)
        assert (answer.status_code, answer.json()["reason"]) == (401, reason)


def test_the_page_of_docs_loads_nothing_and_lists_every_operation(served):
    found, _ = served
    page = found.client.get("/docs")
    described = found.client.get("/openapi.json").json()
    assert all(f"{V1}{path}" in page.text for path in described["paths"])
    assert "://" not in page.text
    assert "<script" not in page.text
    assert page.headers["content-security-policy"].startswith("default-src 'none'")


def test_the_report_is_the_one_that_the_command_line_prints(tmp_path):
    rotator = CommandLine(tmp_path, is_ready=True)
    (tmp_path / "list.csv").write_text("provider,id\naws_iam_access_key,AKIAQ4R7T2W9Z3K5M8N1\nnobody_knows,k1\n")
    (tmp_path / "rotator.toml").write_text('data_dir = "data"\n')
    incident = rotator("incident", "declare", "list.csv", "--title", "Before").ended(0).out.split()[0]
    found = api(tmp_path, Database(f"sqlite:///{tmp_path / 'data' / 'ledger.db'}"))
    viewer = found.token(Role.VIEWER)
    for path, command in (("", "report"), ("/plan", "plan")):
        far = found.asks("GET", f"/incidents/{incident}{path}", viewer).json()
        here = rotator(command, "last", "-o", "json").report
        assert far.pop("as_of") <= here.pop("as_of")  # each is of the moment at which it was asked
        assert far == here
    listed = found.asks("GET", "/incidents", viewer).json()["items"]
    assert listed == json.loads(rotator("incident", "list", "-o", "json").out)
    found.parts.database.close()

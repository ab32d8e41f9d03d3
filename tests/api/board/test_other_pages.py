"""Plan, credential, graph, inventory, schedules, reports, downloads: each shows what the ledger says, and no more."""

from __future__ import annotations

import csv
import json
import re
import zlib

import pytest
from sqlalchemy import update

from rotator.credential import CredentialRef
from rotator.flow.approval import Role
from rotator.flow.forecast import forecast
from rotator.flow.outage import expected
from rotator.flow.playbook_words import Strategy
from rotator.flow.scope import Unresolved
from rotator.ledger import tables
from rotator.ledger.looking import Looking
from rotator.ports.listing import Discovered
from rotator.report.incident import build
from rotator.report.planned import document
from rotator.shown import ages, credential, plans
from rotator.shown.reports import reports
from tests.api.calling import api
from tests.fakes.company import founded
from tests.fakes.deployment import sqlite

KEY, TOKEN = "aws_iam_access_key", "acme_api_token"
EVIL = "<script>alert(1)</script>"
HTML = {"Accept": "text/html,application/xhtml+xml"}
PAGES = (
    "/incidents/new",
    "/incidents/new?to=inc-1",
    "/incidents/inc-1/plan",
    "/incidents/inc-2/plan",
    "/incidents/inc-1/graph",
    "/incidents/inc-1/credentials/inc-1.r1",
    "/incidents/inc-1/credentials/inc-1.m1",
    "/incidents/inc-2/credentials/inc-2.r1",
    "/inventory",
    "/schedules",
    "/reports",
)
RULE = """
[approval]
[[people]]
name = "ann"
roles = ["approver"]
[[people]]
name = "test"
roles = ["approver"]
"""


def keep_shown(database, incident, plan, found):
    """Keep the plan of an incident as it is shown, which the deployment of fakes does not."""
    shown = document(plan, found, forecast(plan, {}), expected(plan, found, forecast(plan, {})))
    packed = zlib.compress(json.dumps(shown).encode())
    with database.write() as connection:
        connection.execute(update(tables.plan).where(tables.plan.c.incident == incident).values(document=packed))


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """Return a ledger with an incident at rest, and one that nobody approved; and the secrets that were stolen."""
    folder = tmp_path_factory.mktemp("board")
    database = sqlite(folder / "ledger.db")
    company, deployment = founded(folder, database=database)
    stolen = [company.stolen(KEY, owner=EVIL), company.stolen(TOKEN)]
    left = [Unresolved(None, EVIL, (), "nobody knows it", "ask its owner")]
    plan = deployment.declare([each for each, _ in stolen], left)
    keep_shown(database, "inc-1", plan, [each for each, _ in stolen])
    deployment.enrolment.approve("inc-1", plan.digest, by="test")
    deployment.rest(patience_s=3600.0)
    other = company.stolen(KEY, owner="late")
    later = deployment.declare([other[0]], wanted=Strategy.REVOKE_ONLY, incident="inc-2")
    keep_shown(database, "inc-2", later, [other[0]])
    yield folder, database, [secret.reveal() for _, secret in [*stolen, other]]
    database.close()


@pytest.fixture(scope="module")
def served(world):
    return api(world[0], world[1])


def page(served, path, role=Role.VIEWER, person=""):
    return served.client.get(path, headers={**HTML, "Authorization": f"Bearer {served.token(role, person)}"})


@pytest.mark.parametrize("path", PAGES)
def test_a_page_is_whole_runs_nothing_of_others_and_holds_no_secret(served, world, path):
    answer = page(served, path, Role.ADMIN)
    assert answer.status_code == 200
    assert not re.search(r"<script(?![^>]* src=)|<style|\sstyle=|\son[a-z]+=|javascript:", answer.text)
    assert EVIL not in answer.text
    assert answer.text.count("<h1") == 1
    assert not [each for each in world[2] if each in answer.text]


@pytest.mark.parametrize("path", PAGES)
def test_every_field_of_a_form_has_a_label(served, path):
    text = page(served, path, Role.ADMIN).text
    labelled = "".join(re.findall(r"<label.*?</label>", text, re.DOTALL))
    fields = re.findall(r'<(?:input|select|textarea)(?![^>]*type="hidden")[^>]*>', text)
    assert [each for each in fields if each not in labelled] == []


@pytest.mark.parametrize(
    "path",
    ["/incidents/inc-9/plan", "/incidents/last/plan", "/incidents/inc-1/plan?revision=7", "/incidents/inc-9/report.csv",
     "/incidents/inc-1/credentials/inc-1.r9", "/incidents/inc-1/credentials/inc-2.r1", "/incidents/inc-9/graph"],
)  # fmt: skip
def test_what_is_not_there_is_not_found(served, path):
    assert page(served, path).status_code == 404


def test_a_plan_is_told_in_the_words_of_the_terminal_and_drawn(served):
    text = page(served, "/incidents/inc-1/plan").text
    for words in ("Contain, then replace", "For a person", "Expected outage", "Every credential", "destroyed for good"):
        assert words in text
    drawn = page(served, "/incidents/inc-1/graph").text
    assert 'role="img"' in drawn
    assert "3 credentials of revision 1" in drawn


def test_a_credential_is_told_with_its_steps_and_its_evidence(served):
    text = page(served, "/incidents/inc-1/credentials/inc-1.r1").text
    records = Looking(served.parts.database).evidence("inc-1.r1", most=20)
    assert all(each["hash"] in text for each in records)
    assert all(f"<b>{each}</b>" in text for each in ("paired", "refused", "destroy"))


def test_evidence_is_paged_chain_by_chain_without_a_gap(served, monkeypatch):
    monkeypatch.setattr(credential, "RECORDS", 5)
    every = [each["seq"] for each in Looking(served.parts.database).evidence("inc-1.r1", most=1000)]
    seen, address = [], "/incidents/inc-1/credentials/inc-1.r1"
    while address:
        text = page(served, address).text
        seen += [int(each) for each in re.findall(r'<span class="quiet">(\d+) · ', text)]
        found = re.search(r'rel="next" href="([^"#]+)#evidence"', text)
        address = found[1].replace("&amp;", "&") if found else ""
    assert seen == every


def test_the_oldest_stand_first_and_what_nobody_knows_the_age_of_behind(served):
    def listed(name, **facts):
        return Discovered(CredentialRef(KEY, "aws", "svc", name), facts)

    found = [
        listed("young", created_at="2026-01-01T00:00:00Z", last_used_at="never"),
        listed("unknown", created_at="some day"),
        listed("old", created_at="2012-01-01T00:00:00+02:00"),
    ]
    served.parts.inventory.keep(KEY, "aws", found)
    rows = ages.of(ages.rows(served.parts), ages.Wanted(text="svc"))
    assert [(each["id"], each["created"]) for each in rows] == [
        ("old", "2011-12-31T22:00:00.000Z"),
        ("young", "2026-01-01T00:00:00.000Z"),
        ("unknown", ""),
    ]
    assert "never" in page(served, "/inventory?q=young").text
    assert "None is so" in page(served, "/inventory?q=nothing-like-it").text
    assert "young" in page(served, "/inventory?q=young&page=9").text


def test_what_is_scheduled_is_said_with_its_time_and_what_keeps_it(served):
    due = json.loads(page(served, "/incidents/inc-1/report.json").text)["credentials"][0]["next"][0]["due_at"]
    assert f'datetime="{due}"' in page(served, "/schedules").text
    stands = re.sub(r"\s+", " ", page(served, "/incidents/inc-1").text)
    assert f"to be destroyed for good by themselves, not before {due[:19].replace('T', ' ')} UTC" in stands
    assert "not before a legal hold" not in page(served, "/schedules").text
    served.parts.gates.set("inc-1", "no_legal_hold", "ann", "a court", is_open=False)
    try:
        assert "not before a legal hold" in page(served, "/schedules").text
    finally:
        served.parts.gates.set("inc-1", "no_legal_hold", "ann", "over", is_open=True)


@pytest.mark.parametrize("path", ["/schedules", "/reports"])
def test_of_a_page_that_was_left_empty_meanwhile_the_last_one_is_shown(served, path):
    shown = [set(re.findall(r'href="(/incidents/[^"]+)"', page(served, f"{path}?page={each}").text)) for each in (1, 9)]
    assert shown[0] == shown[1] != set()


def test_downloads_are_the_report_in_three_forms(served):
    told = page(served, "/incidents/inc-1/report.json")
    rows = list(csv.DictReader(page(served, "/incidents/inc-1/report.csv").text.splitlines()))
    assert [each["run"] for each in rows] == [each["run"] for each in told.json()["credentials"]]
    whole = page(served, "/incidents/inc-1/report.html")
    assert whole.headers["content-disposition"] == 'attachment; filename="inc-1.html"'
    assert "What the evidence does not show" in whole.text


def test_how_long_it_took_is_what_the_report_says(served):
    told = served.parts.reading.incident("inc-1")
    [times] = [each["times"] for each in reports(served.parts, 1)["rows"] if each["id"] == "inc-1"]
    assert times == build(told)["time_to_revoke"]


def test_who_made_a_plan_is_told_that_another_approves_it(tmp_path, world):
    served = api(tmp_path, world[1], RULE)
    of_maker = page(served, "/incidents/inc-2/plan", Role.APPROVER, "test").text
    assert "you may not:" in of_maker
    assert "Break the glass" in of_maker
    of_other = page(served, "/incidents/inc-2/plan", Role.APPROVER, "ann").text
    assert "Break the glass" not in of_other
    assert of_other.count('data-path="/api/v1/incidents/inc-2/approve"') == 2
    assert "needs the role approver" in page(served, "/incidents/inc-2/plan", Role.RESPONDER).text


def test_what_is_approved_says_that_it_begins_and_where_to_follow_it(served):
    consent = page(served, "/incidents/inc-1/plan").text
    assert 'begins by itself. <a href="/incidents/inc-1">Follow it</a>' in consent
    assert "begins by itself" not in page(served, "/incidents/inc-2/plan").text


def test_a_report_that_nobody_chose_is_asked_for(served):
    token = served.token(Role.RESPONDER)
    for path in ("/incidents?title=x", "/intake"):
        told = served.asks("POST", path, token, content=b"").json()
        assert (told["detail"], told["mend"][:13]) == ("there is no report", "choose a file")


def test_a_form_of_approval_is_taken_by_the_service(tmp_path, world):
    served = api(tmp_path, world[1], RULE)
    text = page(served, "/incidents/inc-2/plan", Role.APPROVER, "ann").text
    form = text[text.index('data-path="/api/v1/incidents/inc-2/approve"') :]
    fields = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', form[: form.index("</form>")]))
    found = served.asks("POST", "/incidents/inc-2/approve", served.token(Role.APPROVER, "test"), json=fields)
    assert (found.status_code, found.json()["reason"]) == (403, "not_allowed")
    assert set(fields) == {"digest", "scope"}


def test_a_large_plan_is_read_page_by_page_and_a_credential_found_in_it():
    one = {"section": "contain", "provider": KEY, "connection": "aws", "owner": "o", "doors": [], "strategy": "x"}
    one |= {
        "why": "w",
        "begins": [],
        "waits": [],
        "waits_for": {"count": 0, "first": []},
        "for_good": [],
        "deliver": [],
    }
    one |= {"consumers": [], "wave": 1, "certainty": "seen", "included": ["seen in a:1 (s:r)"], "included_more": 0}
    every = [one | {"id": f"k{number}"} for number in range(250)]
    large = {"credentials": every, "manual": [], "excluded": [], "outages": [], "accounts": [], "paths": {}}
    large |= {"calls": 0, "dead_at_least_s": 0, "replaced_at_least_s": 0, "without_budget": []}
    found = plans.revision(large)
    assert found.pages == 3
    assert [each["id"] for number in (1, 2, 3) for each in found.page(number)] == [each["id"] for each in every]
    assert [each["id"] for each in found.found("k201")] == ["k201"]
    assert found.graph.credentials == 250
    assert found.page(4) == []

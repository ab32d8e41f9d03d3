"""What is done over HTTP is what the command line does, in the caller's name: by his role, and once for one key."""

from __future__ import annotations

import itertools
import json

import pytest

from rotator.flow.approval import Role
from rotator.flow.playbook_words import Strategy
from rotator.flow.roles import NEEDS, Act, may
from rotator.ledger import clocks, enrolled, service
from rotator.notices.phrases import WITHHELD
from tests.api.calling import api
from tests.fakes.company import founded
from tests.fakes.deployment import broken_chains, emptied, sqlite

KEY = "aws_iam_access_key"
SECRET = "nobody-may-ever-read-this"
TOKEN = f"ghp_{'x9' * 18}"
REPORT = json.dumps({"provider": "acme_api_token", "id": "k1", "secret": SECRET}) + "\n"
RULE = """
[approval]
[[people]]
name = "ana"
roles = ["responder"]
[[people]]
name = "bo"
roles = ["approver"]
[[people]]
name = "cy"
roles = ["approver"]
"""
WHY = {"reason": "because"}
ACTS = {
    Act.DECLARE: "/incidents?title=x",
    Act.ADD: "/incidents/inc-1/reports",
    Act.APPROVE: "/incidents/inc-1/approve",
    Act.REVIEW: "/incidents/inc-1/review",
    Act.CLOSE: "/incidents/inc-1/close",
    Act.STOP: "/incidents/inc-1/stop",
    Act.CONTINUE: "/connections/aws/continue",
    Act.OPEN_GATE: "/incidents/inc-1/gates/no_legal_hold/open",
    Act.CLOSE_GATE: "/incidents/inc-1/gates/no_legal_hold/close",
    Act.ISOLATE: "/incidents/inc-1/hosts/h/isolate",
    Act.DISMISS: "/incidents/inc-1/exposures/k1/dismiss",
    Act.REOPEN: "/incidents/inc-1/exposures/k1/reopen",
    Act.RETRY: "/runs/inc-1.r1/steps/suspend/retry",
    Act.SKIP: "/runs/inc-1.r1/steps/suspend/skip",
    Act.DONE: "/runs/inc-1.r1/steps/suspend/done",
    Act.RELEASE: "/runs/inc-1.r1/steps/revoke/release",
    Act.UNDO: "/runs/inc-1.r1/steps/suspend/undo",
    Act.MERGE: "/incidents/inc-1/merge",
    Act.INTAKE: "/intake",
    Act.ASK: "/providers/check",
    Act.DISCOVER: "/connections/aws/discover",
    Act.TRY_CHANNEL: "/notices/oncall/test",
    Act.PAUSE_VENDOR: "/vendors/acme/pause?reason=breached",
    Act.ASSESS: "/vendors/acme/terms/likelihood",
    Act.ESCALATE: "/advisories/GHSA-aaaa-bbbb-cccc/escalate",
    Act.READ_LOGS: "/vendors/acme/uses",
    Act.MEET_GATE: "/vendors/acme/gates/forensics/meet",
    Act.OVERRIDE_GATE: "/vendors/acme/gates/forensics/override",
    Act.GIVE_SOFTWARE: "/vendors/acme/software?name=sbom.json",
    Act.ATTEST: "/vendors/acme/attestations?kind=SOC&issuer=EY&from=2026-01-01&to=2026-12-31",
    Act.CHECK_DATASET: "/manifests/set/checks",
    Act.RESTORE_VENDOR: "/vendors/acme/restore",
    Act.IMPORT: "/inventory/import",
    Act.READ_SERVICE: "/doctor",
    Act.CREATE_TOKEN: "/tokens",
    Act.REVOKE_TOKEN: "/tokens/x/revoke",
    Act.REVOKE_SESSION: "/sessions/ab12cd34/revoke",
}
GIVEN = {
    Act.APPROVE: {"digest": "d"},
    Act.REVIEW: {"note": "looked"},
    Act.DISMISS: {**WHY, "as": "canary"},
    Act.MERGE: {"into": "inc-2"},
    Act.CREATE_TOKEN: {"name": "pager", "role": "viewer"},
}


@pytest.fixture(scope="module")
def ledger(tmp_path_factory):
    database = sqlite(tmp_path_factory.mktemp("ledger") / "ledger.db")
    yield database
    database.close()


@pytest.fixture
def house(tmp_path, ledger):
    return founded(tmp_path, database=emptied(ledger))


@pytest.fixture
def served(tmp_path, ledger, house):
    """Give the API of a deployment in which one person does everything."""
    assert house[1].database is ledger
    return api(tmp_path, ledger)


def told(parts, chain=service.CHAIN):
    """Return what a chain of evidence tells, but for the clocks of runs and what was enrolled, which follow from it."""
    with parts.database.read() as connection:
        query = "SELECT body FROM evidence WHERE chain = ? ORDER BY seq"
        found = [json.loads(body) for (body,) in connection.exec_driver_sql(query, (chain,))]
    return [each for each in found if each["act"] not in {clocks.ACT, enrolled.ACT}]


def posts(found, path, token, given=None, **headers):
    body = {"content": given} if isinstance(given, str) else {"json": given}
    return found.asks("POST", path, token, headers=headers, **body)


def declares(found, token, **headers):
    return posts(found, "/incidents?title=Leak&severity=critical", token, REPORT, **headers)


def test_a_report_is_declared_in_the_callers_name_and_its_secret_is_nowhere(served, ledger):
    answer = declares(served, served.token(Role.RESPONDER, "ana"))
    assert (answer.status_code, answer.json()["manual"], answer.json()["runs"]) == (201, 1, 0)
    incident = answer.json()["incident"]
    assert [(each["act"], each["by"]) for each in told(served.parts, incident)] == [("declared", "ana")]
    [called] = [each for each in told(served.parts) if each["act"] == "called"]
    assert (called["what"], called["by"], called["on"]) == ("declare", "ana", "a new incident")
    shown = served.asks("GET", f"/incidents/{incident}", served.token(Role.VIEWER)).json()
    assert (shown["incident"]["severity"], shown["incident"]["plan"]) == ("critical", answer.json()["digest"])
    with ledger.read() as connection:
        assert SECRET not in "".join(connection.connection.driver_connection.iterdump())


def everything(ledger):
    """Return all that the ledger keeps, as text."""
    tables = ("incident", "evidence", "called", "plan", "manual", "notice")
    with ledger.read() as connection:
        return "".join(str(connection.exec_driver_sql(f"SELECT * FROM {each}").all()) for each in tables)


def test_a_secret_that_stands_in_the_title_or_is_the_key_is_kept_nowhere(served, ledger):
    mine = served.token(Role.RESPONDER, "ana")
    name = served.parts.tokens.listed()[0].name
    title = f"{SECRET} and {mine} leaked"
    both = REPORT + json.dumps({"provider": "unheard_of", "secret": mine}) + "\n"
    for again in (None, "true"):
        answer = posts(served, f"/incidents?title={title}", mine, both, **{"Idempotency-Key": SECRET})
        assert (answer.status_code, answer.headers.get("idempotent-replayed")) == (201, again), answer.text
    viewer = served.token(Role.VIEWER)
    assert posts(served, f"/incidents?title={title}", viewer, both).status_code == 403
    found = served.asks("GET", f"/incidents/{answer.json()['incident']}", mine)
    assert found.json()["incident"]["title"] == "[secret] and [secret] leaked"
    assert f"rotator token revoke {name} --reason" in found.text
    kept = everything(ledger) + found.text
    assert SECRET not in kept
    assert mine not in kept


def test_an_incident_grows_by_another_report_and_what_it_has_is_only_seen_again(served):
    ana = served.token(Role.RESPONDER, "ana")
    first = declares(served, ana).json()
    at = f"/incidents/{first['incident']}"
    more = posts(
        served, f"{at}/reports?severity=critical", ana, REPORT + REPORT.replace("k1", "k2").replace("may", "can")
    )
    assert (more.status_code, more.json()["revision"], more.json()["digest"] != first["digest"]) == (200, 2, True)
    assert more.json()["digest"] == served.parts.approvals.newest(first["incident"])
    same = posts(served, f"{at}/reports", ana, REPORT)
    assert (same.json()["revision"], same.json()["digest"]) == (0, "")
    assert [each["by"] for each in told(served.parts, first["incident"])][:2] == ["ana", "ana"]
    assert posts(served, "/incidents/inc-9/reports", ana, REPORT).json()["reason"] == "no_such_incident"


def test_the_same_key_is_answered_the_same_and_declares_once(served):
    ana, key = served.token(Role.RESPONDER, "ana"), {"Idempotency-Key": "5f1c"}
    first, again = declares(served, ana, **key), declares(served, ana, **key)
    assert (again.status_code, again.json()) == (201, first.json())
    assert ("idempotent-replayed" in first.headers, again.headers["idempotent-replayed"]) == (False, "true")
    assert len(served.parts.reading.incidents()) == 1
    other = posts(served, "/incidents?title=Leak&severity=critical", ana, REPORT + "\n", **key)
    assert (other.status_code, other.json()["reason"]) == (422, "key_was_used")
    assert declares(served, served.token(Role.RESPONDER), **key).json()["incident"] != first.json()["incident"]


@pytest.mark.parametrize("role", [Role.VIEWER, Role.RESPONDER, Role.APPROVER])
def test_each_act_is_for_its_role_and_a_refusal_is_counted_and_evidence(served, role):
    tokens = [served.token(role) for _ in range(2)]  # one alone is refused so often that nothing is written any more
    assert set(ACTS) == {*Act} - {Act.READ, Act.BREAK_GLASS}
    refused = [act for act in ACTS if not may(role, act)]
    for act, path, token in zip(ACTS, ACTS.values(), itertools.cycle(tokens), strict=False):
        answer = posts(served, path, token, GIVEN.get(act, WHY))
        assert (answer.status_code == 403) == (act in refused), answer.text
        assert act not in refused or answer.json()["detail"].endswith(f"needs the role {NEEDS[act]}")
    assert [each["what"] for each in told(served.parts) if each["act"] == "refused"] == refused
    metrics = served.client.get("/metrics").text
    assert all(f'rotator_api_refusals_total{{act="{act}",reason="role"}} 1' in metrics for act in refused)


def test_what_is_done_and_refused_is_one_whole_chain_in_which_no_word_is_changed(served, house, ledger):
    declares(served, served.token(Role.RESPONDER))
    declares(served, served.token(Role.VIEWER))
    assert broken_chains(house[1]) == []
    with ledger.write() as connection:
        connection.exec_driver_sql(
            "UPDATE evidence SET body = replace(body, 'viewer', 'admin') WHERE chain = 'service'"
        )
    assert "the hash is not the body's" in " ".join(broken_chains(house[1]))


def test_who_is_refused_too_often_is_no_more_written_down(served):
    viewer = served.token(Role.VIEWER)
    codes = [posts(served, "/stop", viewer, WHY).status_code for _ in range(32)]
    assert codes == [403] * 30 + [429] * 2
    assert len([each for each in told(served.parts) if each["act"] == "refused"]) == 30


def test_that_an_ended_token_is_still_shown_is_evidence_once_a_minute(served):
    token = served.token(Role.ADMIN, "bo")
    name = served.parts.tokens.listed()[0].name
    served.parts.tokens.revoke(name, "cy", "stolen")
    assert [posts(served, "/stop", token, WHY).status_code for _ in range(3)] == [401] * 3
    [seen] = [each for each in told(served.parts) if each["act"] == "refused"]
    assert (seen["token"], seen["by"], seen["reason"]) == (name, "bo", "revoked_token")


def test_four_eyes_hold_in_the_service_whatever_token_somebody_shows(tmp_path, ledger, house):
    company, deployment = house
    stolen, _ = company.stolen(KEY)
    deployment.declare([stolen], wanted=Strategy.REVOKE_ONLY)
    found = api(tmp_path, ledger, RULE)
    with ledger.write() as connection:
        connection.exec_driver_sql("UPDATE plan SET by = 'bo'")
    digest = found.parts.approvals.newest("inc-1")

    def says(person, role, **more):
        return posts(found, "/incidents/inc-1/approve", found.token(role, person), {"digest": digest, **more})

    assert says("bo", Role.ADMIN).json()["reason"] == "not_allowed"
    assert "ana is a responder here" in says("ana", Role.ADMIN).json()["detail"]
    assert "gone is a viewer here" in says("gone", Role.ADMIN).json()["detail"]
    assert "nobody in [[people]]" in says("", Role.ADMIN).json()["detail"]
    assert found.parts.reading.incident("inc-1").approved_at is None
    yes = says("cy", Role.APPROVER).json()
    assert (yes["is_new"], yes["begins"], yes["destroys"], yes["start"]) == (True, True, False, "rotator up")
    assert told(found.parts, "inc-1")[-1]["by"] == "cy"
    assert says("ana", Role.RESPONDER, break_glass=True).status_code == 422
    glass = says("ana", Role.RESPONDER, break_glass=True, reason="alone at night", scope="destruction")
    assert (glass.status_code, glass.json()["destroys"]) == (200, True)
    reviewed = posts(found, "/incidents/inc-1/review", found.token(Role.APPROVER, "bo"), {"note": "right"})
    assert reviewed.json() == {"reviewed": ["destruction by ana"]}


def test_who_made_a_programs_token_is_not_the_second_pair_of_eyes_for_what_it_declared(tmp_path, ledger, house):
    company, deployment = house
    deployment.declare([company.stolen(KEY)[0]], wanted=Strategy.REVOKE_ONLY)
    found = api(tmp_path, ledger, RULE)
    found.parts.tokens._policy = None
    found.parts.tokens.create("bot", Role.RESPONDER, "", 3600.0, "bo")
    with ledger.write() as connection:
        connection.exec_driver_sql("UPDATE plan SET by = 'token bot'")
    digest = {"digest": found.parts.approvals.newest("inc-1")}
    refused = posts(found, "/incidents/inc-1/approve", found.token(Role.APPROVER, "bo"), digest)
    assert (refused.status_code, refused.json()["detail"]) == (403, "bo made this plan, and four eyes are asked for")
    assert posts(found, "/incidents/inc-1/approve", found.token(Role.APPROVER, "cy"), digest).json()["begins"]


def test_of_what_only_people_can_answer_no_second_yes_is_wanted(tmp_path, ledger, house):
    assert house[1].database is ledger
    found = api(tmp_path, ledger, RULE.replace("[approval]", "[approval]\napprovals = 2"))
    made = declares(found, found.token(Role.RESPONDER, "ana")).json()
    assert (made["runs"], made["manual"]) == (0, 1)
    at, digest = f"/incidents/{made['incident']}", {"digest": made["digest"]}
    plan = found.asks("GET", f"{at}/plan", found.token(Role.VIEWER)).json()
    assert [each["wanted"] for each in plan["incident"]["approvals"]] == [[]]
    assert posts(found, f"{at}/approve", found.token(Role.APPROVER, "bo"), digest).json()["wanted"] == []


def test_who_is_taken_out_of_the_rule_approves_nothing_more_though_the_service_runs_on(tmp_path, ledger, house):
    company, deployment = house
    deployment.declare([company.stolen(KEY)[0]], wanted=Strategy.REVOKE_ONLY)
    found = api(tmp_path, ledger, RULE)
    bo, digest = found.token(Role.APPROVER, "bo"), {"digest": found.parts.approvals.newest("inc-1")}
    config = tmp_path / "rotator.toml"
    written = config.read_text()

    def says(text):
        config.write_text(text)
        return posts(found, "/incidents/inc-1/approve", bo, digest)

    assert "bo is a viewer here" in says(written.replace('name = "bo"', 'name = "dora"')).json()["detail"]
    assert "bo is a responder here" in says(written.replace('"approver"', '"responder"')).json()["detail"]
    for unreadable in ("[approval", written.replace('"approver"', '"king"')):
        assert (says(unreadable).status_code, says(unreadable).json()["reason"]) == (503, "not_ready")
    config.unlink()
    assert posts(found, "/incidents/inc-1/approve", bo, digest).status_code == 503
    assert found.parts.reading.incident("inc-1").approved_at is None
    assert says(written).json()["begins"]


def test_what_the_rule_asks_of_a_yes_is_what_it_asks_now(tmp_path, ledger, house):
    company, deployment = house
    deployment.declare([company.stolen(KEY)[0]], wanted=Strategy.REVOKE_ONLY)
    found = api(tmp_path, ledger, RULE)
    config, bo = tmp_path / "rotator.toml", found.token(Role.APPROVER, "bo")
    config.write_text(config.read_text().replace("[approval]", "[approval]\napprovals = 2"))
    said = posts(found, "/incidents/inc-1/approve", bo, {"digest": found.parts.approvals.newest("inc-1")}).json()
    assert (said["begins"], said["wanted"][0]) == (
        False,
        "containment wants 1 more approval by cy (bo may not: has said yes already)",
    )


def test_what_is_to_be_typed_is_to_be_said_here_too(tmp_path, ledger, house):
    company, deployment = house
    stolen, _ = company.stolen(KEY)
    deployment.declare([stolen], wanted=Strategy.REVOKE_ONLY)
    text = RULE.replace("[approval]", '[approval]\nconfirm = ["environment:production"]')
    entry = f'[[credentials]]\nmatch = {{provider = "{KEY}"}}\nenvironment = "production"\n'
    found = api(tmp_path, ledger, text + entry)
    given = {"digest": found.parts.approvals.newest("inc-1")}
    asked = posts(found, "/incidents/inc-1/approve", found.token(Role.APPROVER, "bo"), given)
    assert (asked.status_code, asked.json()["mend"]) == (409, "revoke 1 production")
    said = {**given, "confirm": "revoke 1 production"}
    assert posts(found, "/incidents/inc-1/approve", found.token(Role.APPROVER, "bo"), said).json()["begins"]


def test_stop_and_continue_by_incident_connection_and_all(served, house):
    company, deployment = house
    deployment.start([company.stolen(KEY)[0]])
    token = served.token(Role.RESPONDER, "ana")
    for path, what in (("", "everything"), ("/incidents/inc-1", "incident inc-1")):
        stopped = posts(served, f"{path}/stop", token, WHY)
        assert (stopped.json()["what"], stopped.json()["waiting"]) == (what, 1)
        again = posts(served, f"{path}/stop", token, WHY)
        assert (again.status_code, again.json()["reason"]) == (409, "not_so_now")
        gone_on = posts(served, f"{path}/continue", token, WHY).json()
        # What these fakes sealed is not sealed with this service's key: whoever lets it go on is told.
        assert gone_on == {"what": what, "still": [], "sealed_by_another": 1}
    assert posts(served, "/connections/inc-1/stop", token, WHY).json()["reason"] == "no_such_connection"
    acts = [(each["act"], each["by"]) for each in told(served.parts, "inc-1")[-4:]]
    assert acts == [("stopped", "ana"), ("continued", "ana")] * 2


def test_gates_hosts_and_exposures_are_set_by_hand(served, house):
    company, deployment = house
    deployment.declare([company.stolen(KEY)[0]], footholds=["build-7"])
    token = served.token(Role.APPROVER, "bo")
    shut = posts(served, "/incidents/inc-1/gates/no_legal_hold/close", token, WHY).json()
    assert (shut["gate"], shut["is_open"], shut["open_footholds"]) == ("no_legal_hold", False, ["build-7"])
    assert posts(served, "/incidents/inc-1/gates/no_legal_hold/open", token, WHY).json()["is_open"]
    assert posts(served, "/incidents/inc-1/hosts/build-7/isolate", token, WHY).json()["open_footholds"] == []
    away = posts(served, "/incidents/inc-1/exposures/inc-1.r1/dismiss", token, {**WHY, "as": "canary"})
    what = {"of": "inc-1.r1", "kind": "aws_iam_access_key", "key": "KEY00001"}
    assert away.json() == {**what, "issuer_says": "", "at_work": False, "did": [], "failed": []}
    back = posts(served, "/incidents/inc-1/exposures/inc-1.r1/reopen", token, WHY).json()
    assert back["digest"] == served.parts.approvals.newest("inc-1")
    issuer = posts(served, "/incidents/inc-1/exposures/inc-1.r1/dismiss", token, {**WHY, "as": "already_dead"})
    assert (issuer.status_code, issuer.json()["reason"]) == (409, "not_so_now")
    assert "only it can say that" in issuer.json()["detail"]


def test_an_incident_is_closed_by_who_takes_on_what_is_open_and_opened_again(served):
    incident = declares(served, served.token(Role.RESPONDER)).json()["incident"]
    token, at = served.token(Role.APPROVER, "bo"), f"/incidents/{incident}"
    still = posts(served, f"{at}/close", token, WHY)
    assert (still.status_code, still.json()["reason"], len(still.json()["open"])) == (409, "still_open", 1)
    closed = posts(served, f"{at}/close", token, {**WHY, "accept_open": True})
    assert (closed.status_code, closed.json()["open"]) == (200, still.json()["open"])
    assert posts(served, f"{at}/close", token, WHY).json()["reason"] == "not_so_now"
    assert posts(served, f"{at}/reopen", token, WHY).json() == {"incident": incident}
    assert [each["act"] for each in told(served.parts, incident)] == ["declared", "closed", "reopened"]


def test_what_a_vendor_calls_with_a_slash_is_dismissed_and_opened_again(served):
    token = served.token(Role.APPROVER, "bo")
    incident = posts(served, "/incidents?title=x", token, REPORT.replace("k1", "ops/deploy")).json()["incident"]
    at = f"/api/v1/incidents/{incident}/exposures/ops%2Fdeploy"
    for verb, given in (("dismiss", {**WHY, "as": "canary"}), ("reopen", WHY)):
        answer = served.client.post(f"{at}/{verb}", json=given, headers={"Authorization": f"Bearer {token}"})
        assert (answer.status_code, answer.json()["key"]) == (200, "ops/deploy"), answer.text
    assert "/incidents/{incident}/exposures/{name}/dismiss" in served.described["paths"]


def test_a_persons_hand_on_a_run(served, house):
    company, deployment = house
    deployment.start([company.stolen(KEY)[0]], wanted=Strategy.REVOKE_ONLY)
    deployment.rest(patience_s=3600)
    token = served.token(Role.APPROVER, "bo")
    [held] = [name for name, state in deployment.steps().items() if state == "held"]
    at = "/runs/inc-1.r1/steps"
    retried = posts(served, f"{at}/{held}/retry", token, WHY)
    assert (retried.status_code, retried.json()["reason"]) == (409, "not_so_now")
    asked = posts(served, f"{at}/contain/undo", token, WHY)
    assert (asked.status_code, asked.json()["reason"]) == (409, "not_confirmed")
    assert "this makes what was stopped work again, for whoever has it" in asked.json()["warnings"]
    assert "no longer waits" in posts(served, f"{at}/{held}/release", token, WHY).json()["meant"]
    undone = posts(served, f"{at}/contain/undo", token, {**WHY, "yes": True}).json()
    assert ("contain" in undone["takes_back"], held in undone["skipped"]) == (True, True)
    assert [each["act"] for each in told(served.parts, "inc-1")[-2:]] == ["released", "undone"]
    assert posts(served, "/runs/inc-9.r1/steps/suspend/skip", token, WHY).json()["reason"] == "no_such_run"


@pytest.mark.parametrize(
    ("path", "given", "status", "where"),
    [
        ("/stop", {}, 422, "body.reason"),
        ("/stop", {"reason": " "}, 422, "body.reason"),
        ("/stop", {**WHY, "resaon": "x"}, 422, "body.resaon"),
        ("/stop", {**WHY, SECRET: "x"}, 422, "'where': 'body'"),
        ("/stop", "no json", 422, "body"),
        ("/incidents?title=x&foothold=h%00x", REPORT, 422, "query.foothold"),
        ("/incidents/inc-1/approve", {"digest": "d\0"}, 422, "body.digest"),
        ("/incidents/inc-1/approve", {"digest": "d", "scope": "most"}, 422, "'where': 'body.scope'"),
        (f"/incidents?title=x&exclude=id:{TOKEN}&reason=x", REPORT, 422, WITHHELD),
        (f"/incidents?title=x&strategy={TOKEN}", REPORT, 422, WITHHELD),
        ("/stop", {"reason": "x" * 70_000}, 413, ""),
        ("/stop", {"reason": " \n"}, 422, "say it in a few words"),
        ("/incidents?title=x", "", 422, ""),
        ("/incidents?title=x&strategy=panic", REPORT, 422, ""),
        ("/incidents?title=x&exposed_at=2999-01-01T00:00:00Z", REPORT, 422, ""),
        ("/incidents?title=x&exposed_at=2026-01-01T00:00:00", REPORT, 422, "query.exposed_at"),
        ("/incidents", REPORT, 422, "query.title"),
    ],
)
def test_bad_input_is_one_clear_problem_and_changes_nothing(served, path, given, status, where):
    answer = posts(served, path, served.token(Role.RESPONDER), given)
    assert answer.status_code == status, answer.text
    assert where in str(answer.json().get("errors", answer.json()))
    assert SECRET not in answer.text
    assert TOKEN not in answer.text
    assert SECRET not in answer.text
    assert [each["act"] for each in told(served.parts)] == ["token_created"]
    assert served.parts.reading.incidents() == []

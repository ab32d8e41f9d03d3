"""A plan is kept as it was shown; one that no longer stands on what it was made from is refused."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace

import pytest

from rotator.credential import CredentialRef
from rotator.errors import BadInput
from rotator.flow.basis import CUSTODIES, basis, changed
from rotator.flow.exclusion import exclusions
from rotator.flow.forecast import forecast
from rotator.flow.incident import Incident, Severity
from rotator.flow.plan import make
from rotator.flow.playbook_words import Strategy
from rotator.flow.scope import Custodies, Custody, Unresolved
from rotator.ledger.enrolment import Enrolment
from rotator.ports.connection import Connection
from rotator.ports.store import Place
from rotator.report.incident import build, exit_code
from rotator.report.planned import document
from tests.fakes.deployment import PLAYBOOKS, SEAL, broken_chains

KEY = "aws_iam_access_key"
DOCUMENT = {"digest": "d", "credentials": [{"id": "1", "why": "\udcff because"}]}


@pytest.fixture
def basis_now():
    return {"playbook p": "1", "connection c": "1"}


@pytest.fixture
def declared(house, basis_now):
    """Declare a plan for one key of two, the other excluded; return the deployment and the plan."""
    company, deployment = house
    deployment.enrolment = Enrolment(deployment.database, SEAL, deployment.world.now, basis=lambda _of, _to: basis_now)
    stolen, _ = company.stolen(KEY)
    other = replace(stolen, ref=stolen.ref.with_id("AKIAOTHER"))
    plan = make([stolen, other], (), PLAYBOOKS, {}, exclusions=exclusions(["id:AKIAOTHER"], ["a canary"], "ann"))
    now = deployment.world.now()
    deployment.enrolment.declare(
        Incident("inc-1", "stolen", Severity.HIGH, detected_at=now, declared_at=now),
        plan,
        {},
        {each.ref: each.exposures for each in (stolen, other)},
        by="ann",
        document=DOCUMENT,
    )
    return deployment, plan


def test_a_plan_is_kept_as_it_was_shown_and_its_print_is_evidence(declared):
    deployment, _ = declared
    kept = deployment.reading.planned("inc-1")
    assert kept == {"digest": "d", "credentials": [{"id": "1", "why": "\ufffd because"}]}
    text = json.dumps(kept, sort_keys=True, separators=(",", ":"))
    assert deployment.evidence("inc-1")[0]["document"] == hashlib.sha256(text.encode()).hexdigest()


def test_a_plan_whose_basis_has_changed_is_refused_and_says_what_changed(declared, basis_now):
    deployment, plan = declared
    assert deployment.enrolment.stale("inc-1") == ""
    basis_now["connection c"] = "2"
    with pytest.raises(BadInput, match="the plan is stale: changed since it was made: connection c"):
        deployment.enrolment.approve("inc-1", plan.digest, by="bob")
    assert deployment.due.take_due(10) == []
    assert deployment.enrolment.stale("inc-1").startswith("changed since it was made: connection c; declare it again")
    basis_now["connection c"] = "1"
    basis_now["connection new"] = "1"  # of no concern to this plan
    assert deployment.enrolment.approve("inc-1", plan.digest, by="bob")


def test_what_is_excluded_is_dismissed_in_the_report_with_who_and_why_and_is_evidence(declared):
    deployment, plan = declared
    report = build(deployment.record())
    [entry] = [each for each in report["credentials"] if each["state"] == "dismissed"]
    assert (entry["id"], entry["why"], entry["exposures"]) == ("AKIAOTHER", "ann: a canary", 1)
    assert (report["totals"]["dismissed"], report["totals"]["credentials"]) == (1, 2)
    [told] = deployment.evidence("inc-1")[0]["excluded"]
    assert (told["credential"], told["by"], told["reason"]) == ("AKIAOTHER", "ann", "a canary")
    deployment.enrolment.approve("inc-1", plan.digest, by="ann")
    deployment.rest()
    assert deployment.reading.progress("inc-1", 0.0).dismissed == 1
    assert exit_code(build(deployment.record())) == 3  # the other, which lived on without its material
    assert broken_chains(deployment) == []


def test_two_that_would_show_each_other_their_new_secrets_are_not_both_approved(house):
    company, deployment = house
    writer, reader = company.stolen(KEY)[0], company.stolen("acme_api_token")[0]
    at = writer.custody.deliver[0].connection
    elsewhere = Place("vault_kv", "elsewhere", "x")
    reader = replace(reader, custody=replace(reader.custody, reads=(f"{at}:x",), deliver=(elsewhere,)))
    for name, scope in (("inc-1", writer), ("inc-2", reader)):
        plan = deployment.declare([scope], wanted=Strategy.REPLACE_FIRST, incident=name)
        assert plan.runs[0].strategy is Strategy.REPLACE_FIRST
        if name == "inc-2":
            deployment.enrolment.approve("inc-1", deployment.record("inc-1").plan_digest, by="ann")
            with pytest.raises(BadInput, match=f"would show each other's new secrets on {at}"):
                deployment.enrolment.approve("inc-2", plan.digest, by="ann")
    again = deployment.declare([reader], wanted=Strategy.REPLACE_FIRST, incident="inc-3")
    assert again.runs[0].strategy is Strategy.CONTAIN_FIRST
    assert deployment.enrolment.approve("inc-3", again.digest, by="ann")


def test_what_an_approved_plan_left_alive_is_told_to_every_later_one_until_a_run_stops_it(house):
    company, deployment = house
    out = replace(company.stolen("acme_api_token")[0], custody=Custody({}, reads=("vault:kv",)))
    task = Unresolved("npm_token", "npm-1", (), "no npm connection", "add it", reaches=frozenset({"vault"}))
    plan = make([out], (task,), PLAYBOOKS, {}, exclusions=exclusions([f"id:{out.ref.id}"], ["a canary"], "ann"))
    asked = company.stolen(KEY)[0]
    deployment.declare([asked], incident="inc-2")
    passed = {each["connection"] for each in deployment.rows("delivery")}
    plan = replace(plan, manual=(replace(task, reaches=frozenset(passed)),))
    now = deployment.world.now() + 1.0
    told = document(plan, [], forecast(plan, {}), ())
    incident = Incident("inc-1", "stolen", Severity.HIGH, detected_at=now, declared_at=now)
    deployment.enrolment.declare(incident, plan, {}, {}, by="ann", document=told)
    assert deployment.reading.elsewhere().left == ()
    deployment.world.wait_until(now + 1.0)
    assert deployment.enrolment.approve("inc-1", plan.digest, by="ann")
    assert [(each.incident, each.key, each.excluded, each.known) for each in deployment.reading.elsewhere().left] == [
        ("inc-1", "npm-1", False, frozenset()),
        ("inc-1", out.ref.id, True, frozenset({"vault"})),
    ]
    assert "inc-1, approved since, left npm-1 alive" in deployment.enrolment.stale("inc-2")
    deployment.world.wait_until(now + 2.0)
    again = deployment.declare([asked], incident="inc-3")
    assert any("where npm-1 may read: inc-1 leaves that to a person" in each for each in again.warnings)
    assert deployment.enrolment.approve("inc-3", again.digest, by="ann")
    deployment.start([out], incident="inc-4")
    deployment.rest()
    assert [each.key for each in deployment.reading.elsewhere().left] == ["npm-1"]


REF = CredentialRef(KEY, "prod", "ci", "1")
CONNECTIONS = [Connection("prod", "aws"), Connection("vault", "vault")]


def basis_of(playbooks=PLAYBOOKS, custodies=(), connections=CONNECTIONS):
    return basis({REF: KEY}, ["vault"], playbooks, Custodies(custodies), connections)


@pytest.mark.parametrize(
    ("now", "differs"),
    [
        (basis_of(), []),
        (basis_of({**PLAYBOOKS, KEY: PLAYBOOKS["vault_token"]}), [f"playbook {KEY}"]),
        (basis_of({**PLAYBOOKS, "vault_token": PLAYBOOKS[KEY]}), []),
        (basis_of({}), [f"playbook {KEY}"]),
        (basis_of(custodies=[Custody({"id": "1"}, reads=())]), [CUSTODIES]),
        (basis_of(custodies=[Custody({"id": "2"}, reads=())]), []),
        (basis_of(connections=CONNECTIONS[:1]), ["connection vault"]),
        (basis_of(connections=[*CONNECTIONS, Connection("new", "aws")]), []),
        (
            basis_of(connections=[replace(CONNECTIONS[0], settings={"region": "x"}), CONNECTIONS[1]]),
            ["connection prod"],
        ),
    ],
)
def test_only_what_a_plan_stands_on_makes_it_stale(now, differs):
    assert changed(basis_of(), now) == differs

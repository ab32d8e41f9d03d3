"""Every figure of a compliance report follows from the exported evidence alone, by a program that shares no code."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import insert

from rotator import clock
from rotator.errors import Rejected
from rotator.evidence import pack
from rotator.evidence.signing import SigningKey
from rotator.flow.approval import BOTH, Scope
from rotator.flow.exclusion import exclusions
from rotator.flow.exposure import Disposition
from rotator.flow.incident import Incident, Severity
from rotator.flow.objective import Objective
from rotator.flow.plan import make
from rotator.flow.scope import Unresolved
from rotator.ledger import raising, responses, tables
from rotator.ledger.acts import act
from rotator.ledger.approvals import Approvals, by_order
from rotator.ledger.checkpoints import Checkpoints
from rotator.ledger.covered import covered
from rotator.ledger.database import Database
from rotator.report import compliance
from tests.evidence import recompute
from tests.fakes.company import founded
from tests.fakes.deployment import PLAYBOOKS, sqlite
from tests.fakes.world import START
from tests.soak.night import LONGEST_S, Night

KEY = SigningKey(bytes(32))
AIMS = [
    Objective("proven_dead", 95, 900.0),
    Objective("contained", 50, 60.0, "high"),
    Objective("replaced", 99, 60.0, "low"),
]


def exported(database: Database, path: Path) -> Path:
    """Write a pack of all that there is."""
    with database.write() as connection:
        if connection.execute(tables.epoch.select()).first() is None:
            connection.execute(insert(tables.epoch).values(name="here"))
    checkpoints = Checkpoints(database, lambda: START)
    checkpoints.sign(KEY)
    with covered(database) as found:
        pack.write(path, KEY, (), found.checkpoints, found.records, START)
    return path


def reported(database: Database, begin: float, end: float, made_at: float) -> dict:
    """Return a report as it is printed, and read again."""
    found = compliance.build(responses.find(database, begin, end), begin, end, made_at, AIMS)
    return json.loads(json.dumps(found))


@pytest.mark.parametrize("seed", ["quarter/1"])
def test_every_figure_of_a_nights_history_follows_from_its_pack(tmp_path, seed):
    database = sqlite(tmp_path / "ledger.db")
    night = Night(seed, database, range(1, 7))
    night.play()
    night.dismiss()
    made_at = START + LONGEST_S
    report = reported(database, START - 86400.0, made_at, made_at)
    assert report["population"]["incidents"] >= 5
    assert report["clocks"]["proven_dead"]["ended"] > 0
    assert recompute.compared(recompute.records_of(exported(database, tmp_path / "pack.zip")), report) == []


@pytest.fixture
def house(tmp_path):
    """Give a company and a deployment in which a second person looks at what one began alone."""
    company, deployment = founded(tmp_path)
    deployment.approvals = Approvals(deployment.database, deployment.enrolment, None, deployment.world.now)
    return company, deployment


def follows(deployment, path: Path) -> dict:
    """Demand that every figure follows from the pack; return the report."""
    end = clock.now() + 1.0
    report = reported(deployment.database, START - 1.0, end, end)
    assert recompute.compared(recompute.records_of(exported(deployment.database, path)), report) == []
    return report


def begins(deployment, incident: str, glass: str = "") -> None:
    """Approve an incident's newest plan."""
    deployment.approvals.approve(incident, deployment.approvals.newest(incident), "rex", BOTH, glass)


def test_what_was_exposed_dismissed_left_out_and_opened_again_follows(house, tmp_path):
    company, deployment = house
    stolen = [company.stolen("vault_token")[0], company.stolen("acme_api_token", owner="o2")[0]]
    other = replace(stolen[0], ref=stolen[0].ref.with_id("left-out"))
    task = Unresolved("slack_webhook_url", "hooks/1", (), "no connection serves it", "add one")
    out = exclusions(["id:left-out"], ["a canary"], "ann")
    plan = make([*stolen, other], [task], PLAYBOOKS, {}, exclusions=out)
    now = deployment.world.now()
    incident = Incident("inc-1", "stolen", Severity.HIGH, now, now + 2.25, exposed_at=now - 512.5)
    exposures = {each.ref: each.exposures for each in (*stolen, other)}
    deployment.enrolment.declare(incident, plan, {}, exposures, by="ann")
    deployment.dismissing.dismiss("inc-1", "inc-1.m1", Disposition.CANARY, "ann", " ours ")
    deployment.dismissing.dismiss("inc-1", "inc-1.r1", Disposition.FALSE_POSITIVE, "ann", "an example")
    begins(deployment, "inc-1")
    deployment.rest(patience_s=60)
    assert (
        follows(deployment, tmp_path / "1.zip")["states"] | {"dismissed": 2, "excluded": 1, "manual": 0}
        == (reported(deployment.database, START - 1.0, START + 1e9, clock.now())["states"])
    )
    deployment.dismissing.reopen("inc-1", "inc-1.r1", "bob", "it is none")
    deployment.dismissing.reopen("inc-1", "inc-1.m1", "bob", "neither is it")
    states = follows(deployment, tmp_path / "2.zip")["states"]
    assert (states["dismissed"], states["excluded"], states["manual"], states["not_approved"]) == (0, 1, 1, 1)
    begins(deployment, "inc-1")
    with deployment.database.write() as connection:
        raising.raise_to(connection, "inc-1", Severity.CRITICAL, "ann", deployment.world.now())
    report = follows(deployment, tmp_path / "3.zip")
    assert report["states"]["not_approved"] == 0
    assert [each["name"] for each in report["by"]["severity"]] == ["critical"]
    assert report["clocks"]["detected"] | {"n": 3, "mean_s": 512.5} == report["clocks"]["detected"]


def test_a_report_follows_from_a_pack_that_was_made_when_more_had_happened(house, tmp_path):
    company, deployment = house
    task = Unresolved("slack_webhook_url", "hooks/1", (), "no connection serves it", "add one")
    deployment.declare([company.stolen("vault_token")[0], company.stolen("acme_api_token", owner="o2")[0]], [task])
    made_at = deployment.world.now()
    report = reported(deployment.database, START - 1.0, made_at + 1.0, made_at)
    deployment.world.wait_until(made_at + 3600.0)
    begins(deployment, "inc-1")
    deployment.dismissing.dismiss("inc-1", "inc-1.m1", Disposition.CANARY, "ann", "ours")
    deployment.rest(patience_s=60)
    found = recompute.records_of(exported(deployment.database, tmp_path / "pack.zip"))
    assert recompute.compared(found, report) == []
    later = reported(deployment.database, START - 1.0, made_at + 1.0, deployment.world.now())
    assert recompute.compared(found, later) == []
    assert later["states"] != report["states"]


def test_who_holds_it_beside_us_follows_as_the_inventory_said_when_it_was_planned(house, tmp_path):
    company, deployment = house
    held, other = company.stolen("vault_token")[0], company.stolen("acme_api_token", owner="o2")[0]
    task = Unresolved("slack_webhook_url", "hooks/1", (), "no connection serves it", "add one")
    deployment.declare([replace(held, custody=replace(held.custody, vendor="Acme Analytics")), other], [task])
    begins(deployment, "inc-1")
    deployment.rest(patience_s=60)
    found = follows(deployment, tmp_path / "1.zip")["by"]["vendor"]
    assert [(each["name"], each["credentials"]) for each in found] == [("Acme Analytics", 1), ("not known", 2)]


def test_what_began_without_approval_and_who_took_a_risk_follows(house, tmp_path):
    company, deployment = house
    reader, stolen = company.stolen("acme_api_token", owner="reader")[0], company.stolen("aws_iam_access_key")[0]
    reader = replace(reader, custody=replace(reader.custody, reads=("kv:*",)))

    def refuse(phase, what, _changes):
        if (phase, what) == ("before", "issuer.suspend") and company.world.about == reader.ref.id:
            raise Rejected("access_denied")

    company.world.meet = refuse
    deployment.declare([reader, stolen])
    begins(deployment, "inc-1", glass="2 am")
    deployment.rest(patience_s=600)
    [waits] = [each.run.id for each in deployment.record().runs if each.run.ref == stolen.ref]
    deployment.hands.release(waits, "issue", by="ann", reason="production is down")
    deployment.declare([company.stolen("vault_token", owner="o3")[0]], incident="inc-2")
    with deployment.database.write() as connection:
        by_order(connection, "inc-2", deployment.approvals.newest("inc-2"), ["nightly"], {Scope.CONTAINMENT})
    counts = follows(deployment, tmp_path / "1.zip")["exceptions"]["counts"]
    beside = {"risk_accepted": 1, "broke_glass": 2, "standing_order": 1, "review_open": 3}
    assert counts | beside == counts
    deployment.approvals.review("inc-1", "ann", "right so")
    assert follows(deployment, tmp_path / "2.zip")["exceptions"]["counts"]["review_open"] == 1


def test_a_figure_that_is_not_what_the_evidence_gives_is_named(house, tmp_path):
    company, deployment = house
    deployment.start([company.stolen("vault_token")[0]])
    deployment.rest(patience_s=600)
    report = follows(deployment, tmp_path / "pack.zip")
    report["clocks"]["proven_dead"]["p95_s"] += 0.001
    [found] = recompute.compared(recompute.records_of(tmp_path / "pack.zip"), report)
    assert found.startswith(".clocks.proven_dead.p95_s: ")
    report["clocks"]["proven_dead"]["p95_s"] -= 0.001
    report["by"]["severity"][0]["proven_dead"]["p99_s"] = 1.5
    [found] = recompute.compared(recompute.records_of(tmp_path / "pack.zip"), report)
    assert found == ".by.severity[0].proven_dead.p99_s: 1.5 there, and nothing computes it"


def test_scheduled_hygiene_is_no_answer_to_an_exposure(house, tmp_path):
    company, deployment = house
    deployment.start([company.stolen("vault_token")[0]])
    deployment.start([company.stolen("acme_api_token", owner="o2")[0]], incident="inc-2")
    with deployment.database.write() as connection:
        connection.execute(insert(tables.hygiene).values(incident="inc-2", policy="monthly", at=START))
        act(connection, "inc-2", {"at": deployment.world.now(), "act": "agreed", "by": "hygiene policy monthly"})
    report = follows(deployment, tmp_path / "pack.zip")
    assert (report["population"]["incidents"], report["population"]["credentials"]) == (1, 1)

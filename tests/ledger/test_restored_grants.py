"""A grant that a restore gave back is told as that everywhere: neither open, nor counted, nor alive again."""

from __future__ import annotations

import pytest

from rotator import clock
from rotator.errors import BadInput
from rotator.flow.playbook_words import Strategy
from rotator.flow.registry import Said, Sort
from rotator.flow.response import counted
from rotator.ledger import measures, responses
from rotator.ledger.ended import deaths, mark
from rotator.ledger.listing import ALIVE_AGAIN, listed
from rotator.ledger.looking import Looking
from rotator.ledger.uncut_told import tell_new
from rotator.report import compliance, html_form
from rotator.report.closing import left
from rotator.report.incident import build, exit_code
from rotator.restored_grants import resumable
from rotator.shown.rows import of_run
from tests.evidence import recompute
from tests.evidence.test_recompute import exported, reported
from tests.fakes.actors import of
from tests.fakes.issuer import Issuer
from tests.fakes.parts import Cuts, Doorless, Preserves, Suspends
from tests.ledger.test_pauses import begun, restored
from tests.ledger.test_restoring import KEY, TRUST, House, ticking

BEFORE, PAUSE = "inc-8", "inc-9"


@pytest.fixture
def acme(tmp_path, house, monkeypatch):
    """Give a vendor that is paused, with a key and a grant, which an incident had stopped before."""
    company, deployment = house
    monkeypatch.setattr(clock, "now", ticking(deployment.world))
    found = House(tmp_path, company, deployment)
    trust = of(Preserves, Suspends, Cuts, Doorless)(Issuer(company.world, TRUST, "aws", 0.0))
    trust.settle_s = 0.0
    company.outside.providers[TRUST, "aws"] = trust
    grant, _ = company.stolen(TRUST, "acme-ci")
    deployment.declare([grant], wanted=Strategy.REVOKE_ONLY, incident=BEFORE)
    deployment.enrolment.approve(BEFORE, deployment.record(BEFORE).plan_digest, by="bob")
    deployment.rest()
    monkeypatch.setattr(company, "stolen", lambda kind, owner: known(company, kind, owner, grant))
    found.pause(KEY, TRUST, tasks=())
    found.meets_all()
    return found


def known(company, kind, owner, grant):
    """Return the grant where it is asked for: it is the same one that leaked before."""
    return (grant, None) if kind == TRUST else type(company).stolen(company, kind, owner)


def run_of(report):
    return next(each for each in report["credentials"] if each["provider"] == TRUST)


def test_a_grant_that_a_restore_gave_back_is_told_as_that_and_is_no_more_open(acme):
    deployment = acme.deployment
    assert run_of(build(deployment.record(PAUSE)))["state"] == "stated_dead"
    acme.restore(grants=True)
    deployment.rest()
    for incident in (PAUSE, BEFORE):
        record = deployment.record(incident)
        report = build(record)
        told = run_of(report)
        assert (told["state"], told["open"], told["evidence"]) == ("let_in_again", [], "none")
        assert told["let_in_again"].startswith("let in again at ")
        assert report["incident"]["alive_again"] == []
        assert report["totals"]["let_in_again"] == 1
        assert report["time_to_revoke"]["still_open"] == 0
        assert exit_code(report) == 0
        assert left(record).open == ()
        assert any("given back" in line for line in html_form.unshown({**report, "unidentified": 0}))
        assert deployment.reading.progress(incident, clock.now()).let_in_again == 1
        assert [of_run(each, 0, 0.0).needs for each in record.runs if each.run.kind == TRUST] == [None]
    told = run_of(build(deployment.record(PAUSE)))
    assert "by restore of pause 1 of acme, bob: it is clean" in told["let_in_again"]
    assert "restore of pause 1" in told["undone"][0]["why"]
    assert told["next"] == []
    with acme.parts.database.read() as connection:
        assert {each.incident.id: each.state for each in listed(connection)} == {
            PAUSE: "dead, 1 let in again",
            BEFORE: "let in again",
        }
        assert measures.measure(connection, clock.now()).live_exposed == {}
    lives = Looking(acme.parts.database).deaths([PAUSE, BEFORE])
    assert [len(lives[each]) for each in (PAUSE, BEFORE)] == [1, 0]


def test_what_is_dead_is_known_by_all_runs_of_it_and_a_grant_that_came_back_is_not(acme):
    database = acme.parts.database
    refs = {each.run.kind: each.run.ref for each in acme.deployment.record(PAUSE).runs}
    before = mark(database)
    found = deaths(database, refs.values(), lambda name: name)
    assert {ref: death.evidence for ref, death in found.items()} == {refs[KEY]: "proven", refs[TRUST]: "stated"}
    acme.restore(grants=True)
    acme.deployment.rest()
    assert set(deaths(database, refs.values(), lambda name: name)) == {refs[KEY]}
    assert mark(database) != before


def test_of_what_is_found_while_a_vendor_is_paused_people_are_told_once(acme):
    database, pause = acme.parts.database, acme.parts.pauses.of("acme")
    held = {"vendor acme: a": "a key", "vendor acme: b": "another"}
    assert tell_new(database, pause, PAUSE, {"vendor acme: a": "a key"}, clock.now()) == ["a key"]
    assert tell_new(database, pause, PAUSE, held, clock.now()) == ["another"]
    assert tell_new(database, pause, PAUSE, held, clock.now()) == []
    for chain in ("vendor.acme", PAUSE):
        assert [each["held"] for each in acme.chain(chain) if each["act"] == "vendor_holds_more"] == [
            ["a key"],
            ["another"],
        ]
    acme.restore()
    assert tell_new(database, pause, PAUSE, {"vendor acme: c": "a third"}, clock.now()) == []


def test_no_figure_counts_what_a_restore_gave_back_and_the_evidence_alone_says_so(acme, tmp_path):
    acme.restore(grants=True)
    acme.deployment.rest()
    database, end = acme.parts.database, 2e9  # a person's hands are by the real clock
    found = responses.find(database, 0.0, end)
    assert [each.provider for each in counted(found.responses)] == [KEY]
    made = reported(database, 0.0, end, end)
    assert made["states"] | {"proven_dead": 0} == dict.fromkeys(compliance.STATES, 0) | {"let_in_again": 2}
    assert {each["sort"] for each in made["exceptions"]["listed"]} == {"let_in_again"}
    assert recompute.compared(recompute.records_of(exported(database, tmp_path / "pack.zip")), made) == []


def test_a_grant_that_a_person_resumed_is_alive_again_also_where_its_vendor_was_let_in(acme):
    acme.restore()
    hands = acme.deployment.hands
    [run] = [each.run.id for each in acme.deployment.record(PAUSE).runs if each.run.kind == TRUST]
    hands.undo(run, "contain", "bob", "they ask for it", hands.undoing(run, "contain"))
    acme.deployment.rest()
    for incident in (PAUSE, BEFORE):
        report = build(acme.deployment.record(incident))
        assert run_of(report)["state"] != "let_in_again"
        assert any("ALIVE AGAIN" in each for each in run_of(report)["open"])
        assert len(report["incident"]["alive_again"]) == 1
        assert exit_code(report) == 3
    with acme.parts.database.read() as connection:
        assert {each.state for each in listed(connection)} == {ALIVE_AGAIN}


def test_of_two_vendors_whose_pauses_were_merged_each_gets_back_its_own(house, tmp_path, monkeypatch):
    company, deployment = house
    monkeypatch.setattr(clock, "now", ticking(deployment.world))
    acme = House(tmp_path, company, deployment)
    trust = of(Preserves, Suspends, Cuts, Doorless)(Issuer(company.world, TRUST, "aws", 0.0))
    company.outside.providers[TRUST, "aws"] = trust
    acme.parts.vendors.take([Said(Sort.VENDOR, "beta", {"criticality": "high"}, "vendors.yaml")], "ana")
    [mine] = acme.pause(TRUST, tasks=())
    theirs = company.stolen(TRUST, "beta-ci")[0]
    deployment.declare([theirs], wanted=Strategy.REVOKE_ONLY, incident=BEFORE)
    begun(deployment, "beta", BEFORE, theirs.ref)
    deployment.enrolment.merge(PAUSE, BEFORE, "ana")
    deployment.enrolment.approve(BEFORE, deployment.record(BEFORE).plan_digest, by="bob")
    deployment.rest()
    found = {
        vendor: [each.run.ref for each, _ in resumable(acme.parts, acme.parts.pauses.of(vendor))]
        for vendor in ("acme", "beta")
    }
    assert found == {"acme": [mine.ref], "beta": [theirs.ref]}


def test_a_grant_that_another_paused_vendor_holds_too_comes_back_once_that_is_let_in(house, tmp_path, monkeypatch):
    company, deployment = house
    monkeypatch.setattr(clock, "now", ticking(deployment.world))
    acme = House(tmp_path, company, deployment)
    trust = of(Preserves, Suspends, Cuts, Doorless)(Issuer(company.world, TRUST, "aws", 0.0))
    trust.settle_s = 0.0
    company.outside.providers[TRUST, "aws"] = trust
    acme.parts.vendors.take([Said(Sort.VENDOR, "beta", {"criticality": "high"}, "vendors.yaml")], "ana")
    _, grant = acme.pause(KEY, TRUST, tasks=())
    deployment.declare([grant], wanted=Strategy.REVOKE_ONLY, incident=BEFORE)
    begun(deployment, "beta", BEFORE, grant.ref)
    deployment.enrolment.approve(BEFORE, deployment.record(BEFORE).plan_digest, by="bob")
    acme.meets_all()
    for wanted in ({"names": [grant.ref.id]}, {"grants": True}):
        with pytest.raises(BadInput, match="beta, which is paused, holds it too"):
            acme.restore(**wanted)
    assert acme.is_paused()
    restored(deployment, "beta")
    acme.restore(grants=True)
    deployment.rest()
    assert trust.inspect(grant.ref).state == "active"

"""An incident grows: one revision for each growth, each approved once, and nothing begins before its own is."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rotator.credential import Leaked
from rotator.errors import BadInput
from rotator.flow.exposure import Disposition, Exposure, Suspect
from rotator.flow.plan import make
from rotator.flow.playbook_words import Strategy
from rotator.flow.revision import Grown
from rotator.ledger.growing import More, Overtaken
from rotator.report.incident import build
from tests.fakes.company import founded
from tests.fakes.deployment import PLAYBOOKS, SEAL, broken_chains, emptied

KEY, TOKEN = "aws_iam_access_key", "acme_api_token"


@pytest.fixture
def house(tmp_path):
    return founded(tmp_path)


def more_of(deployment, present, found, wanted=None, footholds=()):
    """Plan what of those is new, as `response.prepare` does."""
    grown = present.grown(Grown(tuple(found), ()))
    of = present.incident
    plan = make(
        grown.scoped,
        (),
        PLAYBOOKS,
        {},
        wanted=wanted,
        answered=deployment.reading.answered({each.ref: each.custody.deliver for each in grown.scoped}, of),
        elsewhere=deployment.reading.elsewhere(of),
    )
    return More(
        plan,
        {each.ref: each.leaked.secret for each in grown.scoped if each.leaked.secret},
        {each.ref: each.exposures for each in grown.scoped},
        grown.seen,
        {},
        footholds,
        {},
        deployment.world.now(),
    )


def added(deployment, *found, incident="inc-1", wanted=None, footholds=()):
    present = deployment.enrolment.present(incident)
    return deployment.enrolment.add(present, more_of(deployment, present, found, wanted, footholds), by="ann")


def approve(deployment, incident="inc-1"):
    return deployment.enrolment.approve(incident, deployment.record(incident).plan_digest, by="bob")


def begun(deployment):
    return {row["run"] for row in deployment.rows("branch") if row["state"] != "waiting"}


def in_production(scoped):
    return replace(scoped, custody=replace(scoped.custody, environment="production"))


def leaked_again(company, deployment, run, scoped):
    """Return what triage would say of the replacement that a run delivered, and its secret."""
    record = next(each for each in deployment.record(run.partition(".")[0]).runs if each.run.id == run)
    ref, secret = company.delivered(record.run.ref.with_id(record.run.replacement), scoped.custody.deliver[0])
    leaked = replace(scoped.leaked, id=ref.id, secret=secret)
    seen = Exposure("list", ref.provider, leaked, path="ci.log", line=1)
    return replace(scoped, ref=ref, leaked=leaked, exposures=(seen,)), secret


def test_what_is_added_waits_for_a_yes_of_its_own_while_the_rest_goes_on(house):
    company, deployment = house
    (first, _), (second, secret) = company.stolen(KEY), company.stolen(TOKEN, owner="app")
    deployment.start([first])
    deployment.rest()
    grown = added(deployment, first, second)
    assert (grown.revision.number, grown.covers, grown.seen) == (2, (), 0)
    deployment.rest()
    assert begun(deployment) == {"inc-1.r1"}
    assert company.opens(second.ref, secret)
    report = build(deployment.record())
    assert [each["approved_by"] for each in report["incident"]["revisions"]] == ["test", ""]
    assert f"approve inc-1 --digest {grown.revision.digest}" in report["incident"]["approve"]
    first_at = deployment.record().approved_at
    assert approve(deployment)
    assert not approve(deployment)
    deployment.rest()
    assert not company.opens(second.ref, secret)
    assert deployment.record().approved_at == first_at
    report = build(deployment.record())
    assert (report["totals"]["proven_dead"], report["incident"]["approve"]) == (2, "")
    # Its clock starts when it was added, two weeks after the first was declared.
    assert report["time_to_revoke"]["max_s"] < 86400.0
    assert broken_chains(deployment) == []


def test_one_yes_covers_all_that_nobody_approved_and_an_older_digest_does_not(house):
    company, deployment = house
    plan = deployment.declare([company.stolen(KEY)[0]])
    grown = added(deployment, company.stolen(TOKEN)[0])
    assert grown.covers == (1,)
    with pytest.raises(BadInput, match="revision 1 was added to"):
        deployment.enrolment.approve("inc-1", plan.digest, by="bob")
    assert begun(deployment) == set()
    assert approve(deployment)
    assert begun(deployment) == {"inc-1.r1", "inc-1.r2"}
    assert {each.approved_by for each in deployment.record().revisions} == {"bob"}
    assert not deployment.enrolment.approve("inc-1", plan.digest, by="bob")


def test_a_second_key_of_an_owner_gets_no_replacement_of_its_own_whether_the_first_was_approved_or_not(house):
    company, deployment = house
    first = company.stolen(KEY)[0]
    deployment.declare([first])
    ref, secret = company.plant(KEY)
    second = replace(first, ref=ref, leaked=replace(first.leaked, id=ref.id, secret=secret))
    added(deployment, second)
    runs = {each.run.id: each.run for each in deployment.record().runs}
    assert (runs["inc-1.r2"].strategy, "inc-1.r1" in runs["inc-1.r2"].why) == (Strategy.REVOKE_ONLY, True)
    approve(deployment)
    deployment.rest()
    assert company.living(first.ref) == {deployment.record().runs[0].run.replacement}


def test_production_that_is_added_goes_after_that_which_is_there_and_restarts_no_wave(house):
    company, deployment = house
    found = [in_production(company.stolen(TOKEN, owner=f"o{number}")[0]) for number in range(5)]
    deployment.start(found[:2])
    deployment.rest()
    waves = deployment.rows("incident")[0]["wave"]
    added(deployment, *found[2:])
    deployment.rest()
    assert deployment.rows("incident")[0]["wave"] == waves
    assert len(begun(deployment)) == 2
    approve(deployment)
    assert len(begun(deployment)) == 2  # a new wave begins as any other: when nothing of the last is at work
    deployment.rest()
    assert len(begun(deployment)) == 5
    assert min(each.run.wave for each in deployment.record().runs if each.run.revision == 2) > waves


def test_who_was_overtaken_plans_once_more_and_nobody_is_lost(house):
    company, deployment = house
    first, mine, theirs = company.stolen(KEY)[0], company.stolen(TOKEN)[0], company.stolen("vault_token")[0]
    deployment.declare([first])
    present = deployment.enrolment.present("inc-1")
    added(deployment, theirs)
    with pytest.raises(Overtaken):
        deployment.enrolment.add(present, more_of(deployment, present, [mine, theirs]), by="ann")
    assert {each.run.ref for each in deployment.record().runs} == {first.ref, theirs.ref}
    added(deployment, mine, theirs)
    assert [each.run.ref for each in sorted(deployment.record().runs, key=lambda each: each.run.id)] == [
        first.ref,
        theirs.ref,
        mine.ref,
    ]
    assert [each.number for each in deployment.record().revisions] == [1, 2, 3]


def test_what_fails_halfway_has_added_nothing(house, monkeypatch):
    company, deployment = house
    deployment.declare([company.stolen(KEY)[0]])
    before = {table: deployment.rows(table) for table in ("run", "plan", "step", "exposure", "foothold", "evidence")}

    def fails(*_args, **_named):
        raise RuntimeError

    monkeypatch.setattr("rotator.ledger.growing.digest_of", fails)
    with pytest.raises(RuntimeError):
        added(deployment, company.stolen(TOKEN)[0], footholds=["web-1"])
    assert before == {table: deployment.rows(table) for table in before}


def test_a_replacement_that_leaks_again_and_again_is_replaced_each_time_and_knows_where_it_came_from(house):
    company, deployment = house
    stolen, _ = company.stolen(KEY)
    deployment.start([stolen])
    deployment.rest(patience_s=600.0)  # its destruction is days ahead
    for generation in (2, 3, 4):
        again, secret = leaked_again(company, deployment, f"inc-1.r{generation - 1}", stolen)
        added(deployment, again)
        approve(deployment)
        deployment.rest(patience_s=600.0)
        record = next(each for each in deployment.record().runs if each.run.id == f"inc-1.r{generation}")
        assert record.run.predecessor == f"inc-1.r{generation - 1}"
        assert record.run.strategy is Strategy.CONTAIN_FIRST
        assert not company.opens(again.ref, secret)
    last = record.run.replacement
    assert company.delivered(stolen.ref, stolen.custody.deliver[0])[0].id == last
    deployment.rest()
    assert company.living(stolen.ref) == {last}
    assert {each["predecessor"] for each in build(deployment.record())["credentials"]} == {
        "",
        "inc-1.r1",
        "inc-1.r2",
        "inc-1.r3",
    }
    assert build(deployment.record())["totals"]["proven_dead"] == 4
    assert not [line for each in build(deployment.record())["credentials"] for line in each["open"]]


@pytest.mark.parametrize("steps", range(0, 40, 3))
def test_a_replacement_that_leaks_while_it_is_on_its_way_leaves_one_that_works_and_no_orphan(house, steps):
    company, deployment = house
    stolen, _ = company.stolen(TOKEN)
    deployment.start([stolen])
    worker = deployment.engine()
    for _ in range(200):
        minted = deployment.record().runs[0].run.replacement
        if minted is not None:
            break
        for branch, _lane in deployment.due.take_due(1):
            worker.advance(branch)
        deployment.world.wait_until(deployment.world.now() + 1.0)
    for _ in range(steps):
        for branch, _lane in deployment.due.take_due(1):
            worker.advance(branch)
        deployment.world.wait_until(deployment.world.now() + 1.0)
    ref = stolen.ref.with_id(minted)
    again = replace(stolen, ref=ref, leaked=replace(stolen.leaked, id=minted, secret=None))
    added(deployment, again)
    approve(deployment)
    deployment.rest()
    runs = {each.run.id: each.run for each in deployment.record().runs}
    assert runs["inc-1.r2"].predecessor == "inc-1.r1"
    last = runs["inc-1.r2"].replacement
    assert company.living(stolen.ref) == {last}
    assert company.delivered(ref, stolen.custody.deliver[0])[0].id == last


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.one_of(st.just("approve"), st.sets(st.integers(0, 5), min_size=1, max_size=3)), max_size=8))
def test_no_credential_runs_twice_each_is_approved_once_and_nothing_unapproved_begins(house, acts):
    company, deployment = house
    emptied(deployment.database)
    found = [company.stolen(TOKEN, owner=f"owner-{number}")[0] for number in range(6)]
    deployment.declare([found[0]])
    for act in acts:
        if act == "approve":
            approve(deployment)
        else:
            added(deployment, *(found[number] for number in sorted(act)))
        rows = deployment.rows("run")
        assert len({(row["credential"], row["owner"]) for row in rows}) == len(rows)
        assert begun(deployment) == {row["id"] for row in rows if row["requested_at"] is not None}
    approvals = [each for each in deployment.evidence("inc-1") if each["act"] == "approved"]
    yes = [number for each in approvals for number in each.get("revisions", [1])]
    approved = [each.number for each in deployment.record().revisions if each.approved_at is not None]
    assert sorted(yes) == approved
    assert {row["revision"] for row in deployment.rows("run") if row["requested_at"] is not None} <= set(approved)


def test_what_is_stale_is_planned_anew_when_it_is_added_again_and_keeps_where_it_was_seen(house):
    company, deployment = house
    stolen, other = company.stolen(KEY)[0], company.stolen(TOKEN)[0]
    deployment.declare([stolen])
    deployment.start([stolen], incident="inc-2")
    with pytest.raises(BadInput, match="stale"):
        approve(deployment)
    seen = replace(stolen, exposures=(replace(stolen.exposures[0], path="other.log"),))
    grown = added(deployment, seen, other)
    assert grown.told["withdrawn"] == {"inc-1.r1": "inc-1.r3"}
    runs = {each.run.id: each for each in deployment.record().runs}
    assert runs.keys() == {"inc-1.r2", "inc-1.r3"}
    assert (runs["inc-1.r3"].run.strategy, runs["inc-1.r3"].exposures) == (Strategy.REVOKE_ONLY, 2)
    assert approve(deployment)
    deployment.rest()
    assert len(company.living(stolen.ref)) == 1
    assert broken_chains(deployment) == []


def test_two_incidents_become_one_what_works_goes_on_and_what_waits_is_a_revision(house):
    company, deployment = house
    both, mine, theirs = (company.stolen(kind)[0] for kind in (KEY, TOKEN, "vault_token"))
    deployment.start([both, mine], incident="inc-2")
    deployment.rest(patience_s=600.0)
    added(deployment, theirs, incident="inc-2")
    deployment.declare([both], incident="inc-1", footholds=["web-1"])
    merged = deployment.enrolment.merge("inc-2", "inc-1", by="ann")
    assert (merged.same, merged.revision.number) == (1, 2)
    report = build(deployment.record())
    assert report["totals"]["credentials"] == 3
    assert report["incident"]["merged"] == ["inc-2"]
    assert {each["run"] for each in report["credentials"]} == {"inc-2.r1", "inc-2.r2", "inc-2.r3"}
    assert deployment.reading.progress("inc-1", deployment.world.now()).credentials == 3
    assert build(deployment.record("inc-2"))["totals"]["credentials"] == 2
    with pytest.raises(BadInput, match="merged into inc-1"):
        added(deployment, theirs, incident="inc-2")
    assert approve(deployment)
    deployment.rest()
    assert build(deployment.record())["totals"]["proven_dead"] == 3
    assert broken_chains(deployment) == []


def test_two_plans_that_would_each_bring_an_owner_a_replacement_do_not_become_one_unseen(house):
    company, deployment = house
    first = company.stolen(KEY)[0]
    ref, secret = company.plant(KEY)
    second = replace(first, ref=ref, leaked=replace(first.leaked, id=ref.id, secret=secret))
    deployment.declare([first], incident="inc-1")
    deployment.declare([second], incident="inc-2")
    with pytest.raises(BadInput, match="would each bring its owner a replacement"):
        deployment.enrolment.merge("inc-2", "inc-1", by="ann")
    added(deployment, second)
    assert deployment.enrolment.merge("inc-2", "inc-1", by="ann").same == 1
    approve(deployment)
    deployment.rest()
    assert len(company.living(first.ref)) == 1


def test_what_was_dismissed_stays_so_where_a_stale_plan_is_made_anew(house):
    company, deployment = house
    (first, _), (bait, secret) = company.stolen(KEY), company.stolen(TOKEN, owner="bait")
    deployment.declare([first, bait])
    name = next(each.run.id for each in deployment.record().runs if each.run.ref == bait.ref)
    deployment.dismissing.dismiss("inc-1", name, Disposition.CANARY, "ann", "our bait")
    deployment.start([first], incident="inc-2")
    grown = added(deployment, first, bait)
    assert grown.revision.number == 2
    assert name not in grown.told["withdrawn"]
    approve(deployment)
    deployment.rest()
    assert company.opens(bait.ref, secret)
    assert build(deployment.record())["totals"]["dismissed"] == 1


def suspect(scoped, secret, *, id=None):  # noqa: A002 - as reports call it
    """Return what a later report says of a credential: its material, and its id where that stands beside it."""
    leaked = Leaked(id=id, secret=secret)
    return Suspect(scoped.kind, id or SEAL.fingerprint(secret), leaked, (Exposure("list", scoped.kind, leaked, "b"),))


def test_material_is_known_as_the_credential_that_had_it_with_its_id_also_when_that_is_dead(house):
    company, deployment = house
    stolen, secret = company.stolen(KEY)
    deployment.start([stolen], wanted=Strategy.REVOKE_ONLY)
    deployment.rest()
    present = deployment.enrolment.present("inc-1")
    for each in (suspect(stolen, secret), replace(suspect(stolen, secret), kind=None)):
        new, seen = present.split([each], SEAL.fingerprint, {})
        assert (new, list(seen)) == ([], ["inc-1.r1"])


def test_material_that_is_not_that_ids_may_be_anothers(house):
    company, deployment = house
    stolen, _ = company.stolen(KEY)
    _, other = company.plant(KEY, "somebody")
    deployment.start([replace(stolen, leaked=replace(stolen.leaked, secret=other))], wanted=Strategy.REVOKE_ONLY)
    deployment.rest()
    asked = suspect(stolen, other)
    new, _ = deployment.enrolment.present("inc-1").split([asked], SEAL.fingerprint, {})
    assert new == [asked]


def test_what_the_report_says_to_type_for_an_older_revision_is_the_yes_that_covers_it(house):
    company, deployment = house
    first, second, third = (company.stolen(TOKEN, owner=f"o{number}")[0] for number in range(3))
    digest = deployment.start([first], wanted=Strategy.REVOKE_ONLY).digest
    added(deployment, second)
    added(deployment, third)
    told = build(deployment.record())["incident"]["approvals"]
    assert told[0]["plan"] == digest
    commands = {one["command"].split()[-1] for each in told for one in each["wanted"] if not each["approved_at"]}
    assert commands == {deployment.record().plan_digest}
    assert deployment.enrolment.approve("inc-1", commands.pop(), by="bob")

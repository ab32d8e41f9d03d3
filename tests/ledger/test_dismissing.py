"""What a person dismisses runs no more, is waited for by nobody and stays in the report; it may be opened again."""

from __future__ import annotations

import contextlib
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some
from sqlalchemy import select, update

from rotator.errors import BadInput, NotAllowed
from rotator.flow.approval import Person, Policy, Role
from rotator.flow.exposure import Disposition
from rotator.flow.playbook_words import Strategy
from rotator.ledger import tables
from rotator.ledger.dismissing import Dismissing
from rotator.report.incident import build, exit_code
from tests.fakes.company import founded
from tests.fakes.deployment import broken_chains

KEY, TOKEN = "aws_iam_access_key", "acme_api_token"
R1, R2 = "inc-1.r1", "inc-1.r2"


def dismiss(deployment, of, as_=Disposition.CANARY):
    return deployment.dismissing.dismiss("inc-1", of, as_, "ann", "nobody uses it")


def reopen(deployment, of):
    return deployment.dismissing.reopen("inc-1", of, "ben", "it is real")


def declared(house, wanted=Strategy.REVOKE_ONLY):
    company, deployment = house
    stolen = [company.stolen(kind) for kind in (KEY, TOKEN)]
    plan = deployment.declare([each for each, _ in stolen], wanted=wanted)
    return company, deployment, plan, {each.ref: secret for each, secret in stolen}


def alive(company, stolen):
    return {ref.id for ref, secret in stolen.items() if company.opens(ref, secret)}


def named(deployment, run):
    return next(each.run.ref.id for each in deployment.record().runs if each.run.id == run)


def totals(deployment):
    return {name: count for name, count in build(deployment.record())["totals"].items() if count}


def test_what_is_dismissed_before_the_approval_never_begins_and_no_longer_keeps_the_incident_open(house):
    company, deployment, plan, stolen = declared(house)
    dismiss(deployment, R1)
    deployment.enrolment.approve("inc-1", plan.digest, by="test")
    deployment.rest()
    assert alive(company, stolen) == {named(deployment, R1)}
    assert totals(deployment) == {"credentials": 2, "proven_dead": 1, "dismissed": 1}
    report = build(deployment.record())
    assert exit_code(report) == 0
    [told] = [each["dismissed"] for each in report["credentials"] if each["dismissed"]]
    assert (told["as"], told["by"], told["reason"]) == ("canary", "ann", "nobody uses it")
    assert deployment.reading.incidents()[0].state == "all dead"
    assert not broken_chains(deployment)


def test_opened_again_it_waits_for_a_yes_of_its_own_and_the_old_digest_does_not_cover_it(house):
    company, deployment, plan, stolen = declared(house)
    dismiss(deployment, R1)
    told = reopen(deployment, R1)
    with pytest.raises(BadInput, match="revision 1 was added to"):
        deployment.enrolment.approve("inc-1", plan.digest, by="test")
    deployment.enrolment.approve("inc-1", told.digest, by="test")
    deployment.rest()
    assert alive(company, stolen) == set()
    assert totals(deployment) == {"credentials": 2, "proven_dead": 2}


def test_opened_again_after_the_approval_of_the_others_it_begins_once_it_is_approved(house):
    company, deployment, plan, stolen = declared(house)
    dismiss(deployment, R1)
    deployment.enrolment.approve("inc-1", plan.digest, by="test")
    told = reopen(deployment, R1)
    deployment.rest()
    assert alive(company, stolen) == {named(deployment, R1)}
    deployment.enrolment.approve("inc-1", told.digest, by="test")
    deployment.rest()
    assert alive(company, stolen) == set()


def test_a_run_at_work_gives_way_before_its_next_call_and_goes_on_where_it_was(house):
    company, deployment, plan, stolen = declared(house)
    deployment.enrolment.approve("inc-1", plan.digest, by="test")
    once = iter([R1])

    def meet(phase, what, _changes):
        if phase == "after" and what == "issuer.inspect" and (run := next(once, None)):
            assert dismiss(deployment, run).at_work

    company.world.meet = meet
    deployment.rest()
    assert named(deployment, R1) in alive(company, stolen)
    assert totals(deployment) == {"credentials": 2, "proven_dead": 1, "dismissed": 1}
    assert deployment.due.busy_until(1e9) is False
    reopen(deployment, R1)
    deployment.rest()
    assert alive(company, stolen) == set()
    assert totals(deployment) == {"credentials": 2, "proven_dead": 2}


def test_what_is_half_replaced_is_finished_or_undone_first(house):
    company, deployment, plan, _ = declared(house, wanted=Strategy.REPLACE_FIRST)
    deployment.enrolment.approve("inc-1", plan.digest, by="test")
    refused = []

    def meet(phase, what, _changes):
        if phase == "after" and what == "issuer.issue" and not refused:
            run = next(
                each.run.id for each in deployment.record().runs if any(one.state == "running" for one in each.steps)
            )
            with pytest.raises(BadInput) as error:
                dismiss(deployment, run)
            refused.append(str(error.value))

    company.world.meet = meet
    deployment.rest()
    assert "its replacement is half made: issue is running" in refused[0]
    assert "take it back first: rotator run undo" in refused[0]
    with pytest.raises(BadInput, match="has it proven dead: nothing is left to dismiss"):
        dismiss(deployment, R1)


def test_nobody_waits_to_deliver_for_a_reader_that_was_dismissed_and_again_for_one_that_is_open(house):
    company, deployment = house
    reader, _ = company.stolen(TOKEN)
    writer, _ = company.stolen(KEY)
    reads = replace(reader.custody, reads=("kv:ci/*",))
    plan = deployment.declare([replace(reader, custody=reads), writer])
    of = {each.run.kind: each.run.id for each in deployment.record().runs}
    told = dismiss(deployment, of[TOKEN], Disposition.FALSE_POSITIVE)
    deployment.enrolment.approve("inc-1", plan.digest, by="test")
    assert not told.at_work
    deployment.rest()
    assert totals(deployment) == {"credentials": 2, "proven_dead": 1, "dismissed": 1}
    deployment.enrolment.approve("inc-1", reopen(deployment, of[TOKEN]).digest, by="test")
    with deployment.database.read() as connection:
        reach = tables.reach
        assert set(connection.execute(select(reach.c.open).where(reach.c.run == of[TOKEN])).scalars()) == {tables.LIVES}


def test_a_person_must_open_it_again_before_anything_is_done_to_it_and_each_says_why(house):
    _, deployment, plan, _ = declared(house)
    deployment.enrolment.approve("inc-1", plan.digest, by="test")
    with pytest.raises(BadInput, match="a reason is needed"):
        deployment.dismissing.dismiss("inc-1", R1, Disposition.CANARY, "ann", " ")
    dismiss(deployment, R1)
    with pytest.raises(BadInput, match="it is dismissed already"):
        dismiss(deployment, R1)
    with pytest.raises(BadInput, match=r"first open it again: rotator exposure reopen inc-1 inc-1\.r1"):
        deployment.hands.decide(R1, "contain", skip=True, by="ann", reason="why not")
    reopen(deployment, R1)
    with pytest.raises(BadInput, match="it is not dismissed"):
        reopen(deployment, R1)
    [told] = build(deployment.record())["taken_back"]
    assert (told["as"], told["reopened_by"], told["reopened_reason"]) == ("canary", "ben", "it is real")


@pytest.mark.parametrize("approved_before", [False, True])
def test_what_one_incident_dismisses_another_still_waits_for_before_it_delivers_where_that_reads(
    house, approved_before
):
    company, deployment = house
    (reader, secret), (writer, _), (other, _) = (company.stolen(kind, owner=kind) for kind in (TOKEN, KEY, TOKEN))
    reader = replace(reader, custody=replace(reader.custody, reads=("kv:*",), deliver=(), consumers=()))
    other = replace(other, ref=company.plant(TOKEN, "other")[0])
    deployment.start([reader], wanted=Strategy.REVOKE_ONLY)
    deployment.stops.stop("inc-1", "ann", "not yet", [])
    plan = deployment.declare([reader, other], wanted=Strategy.REVOKE_ONLY, incident="inc-2")
    [run] = [each.run.id for each in deployment.record("inc-2").runs if each.run.ref == reader.ref]
    if approved_before:
        deployment.enrolment.approve("inc-2", plan.digest, by="test")
    deployment.dismissing.dismiss("inc-2", run, Disposition.FALSE_POSITIVE, "ann", "inc-1 has it")
    if not approved_before:
        deployment.enrolment.approve("inc-2", plan.digest, by="test")
    deployment.start([writer], incident="inc-3")
    deployment.rest(patience_s=600.0)
    assert company.opens(reader.ref, secret)
    assert deployment.record("inc-3").runs[0].run.replacement is None
    deployment.stops.lift("inc-1", "ann", "go on", [])
    deployment.rest()
    assert not company.opens(reader.ref, secret)
    assert deployment.record("inc-3").runs[0].run.replaced_at is not None


def test_what_another_incident_leans_on_for_its_replacement_is_not_dismissed(house):
    company, deployment = house
    first = company.stolen(KEY)[0]
    ref, secret = company.plant(KEY)
    second = replace(first, ref=ref, leaked=replace(first.leaked, id=ref.id, secret=secret))
    deployment.start([first])
    deployment.start([second], incident="inc-2", wanted=Strategy.REVOKE_ONLY)
    with pytest.raises(BadInput, match=r"also replaces that of inc-2\.r1, of the same owner"):
        dismiss(deployment, R1)
    deployment.rest()
    assert len(company.living(first.ref)) == 1


ACTS = some.sampled_from(["dismiss 1", "dismiss 2", "reopen 1", "reopen 2", "approve", "work"])


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(acts=some.lists(ACTS, min_size=3, max_size=9))
def test_in_whatever_order_people_act_totals_add_up_and_nothing_dismissed_runs(tmp_path_factory, acts):
    company, deployment, _, stolen = declared(founded(tmp_path_factory.mktemp("any")))
    asked_of = []

    def meet(_phase, _what, changes):
        if changes:
            asked_of.append(company.world.about)

    company.world.meet = meet
    for act in acts:
        what, _, number = act.partition(" ")
        before = {each.run.ref.id for each in deployment.record().runs if each.run.dismissed}
        asked_of.clear()
        refused = []
        try:
            if what == "work":
                deployment.rest()
            elif what == "approve":
                deployment.enrolment.approve("inc-1", deployment.record().plan_digest, by="test")
            else:
                (dismiss if what == "dismiss" else reopen)(deployment, f"inc-1.r{number}")
        except BadInput:
            refused.append(what)
        assert not before & set(asked_of)
        assert "approve" not in refused
        counted = build(deployment.record())["totals"]
        assert counted.pop("credentials") == sum(counted.values()) == 2
        shown = deployment.reading.progress("inc-1", deployment.world.now())
        assert (shown.dismissed, shown.dead) == (counted["dismissed"], counted["proven_dead"])
    for run in ("inc-1.r1", "inc-1.r2"):
        with contextlib.suppress(BadInput):
            reopen(deployment, run)
    deployment.enrolment.approve("inc-1", deployment.record().plan_digest, by="test")
    deployment.rest()
    assert alive(company, stolen) == set()
    assert totals(deployment) == {"credentials": 2, "proven_dead": 2}
    deployment.database.close()


def test_under_the_rule_only_who_may_approve_says_of_a_credential_that_it_needs_no_answer(house):
    company, deployment = house
    deployment.declare([company.stolen(KEY)[0]])
    people = {name: Person(name, frozenset({role})) for name, role in (("ann", Role.RESPONDER), ("bob", Role.APPROVER))}
    ruled = Dismissing(deployment.database, deployment.world.now, policy=Policy(people))
    for who in ("ann", "carl"):
        with pytest.raises(NotAllowed, match="ask bob"):
            ruled.dismiss("inc-1", "inc-1.r1", Disposition.FALSE_POSITIVE, who, "nothing to see")
    assert deployment.record().runs[0].run.dismissed is None
    ruled.dismiss("inc-1", "inc-1.r1", Disposition.FALSE_POSITIVE, "bob", "a made-up one of the docs")
    assert deployment.record().runs[0].run.dismissed is not None


def test_what_would_mint_over_another_incidents_replacement_is_not_opened_again(house):
    company, deployment = house
    stolen, _ = company.stolen(KEY)
    other, secret = company.plant(KEY)
    second = replace(stolen, ref=other, leaked=replace(stolen.leaked, id=other.id, secret=secret))
    deployment.start([stolen])
    dismiss(deployment, R1)
    deployment.start([second], incident="inc-2")
    deployment.rest(patience_s=600.0)
    delivered, _ = company.delivered(stolen.ref, stolen.custody.deliver[0])
    with pytest.raises(BadInput, match=r"inc-2\.r1 replaces"):
        reopen(deployment, R1)
    deployment.rest()
    assert deployment.record().runs[0].run.dismissed is not None
    assert company.delivered(stolen.ref, stolen.custody.deliver[0])[0] == delivered


def test_what_was_tried_and_failed_is_not_told_as_done(house):
    _, deployment, plan, _ = declared(house)
    deployment.enrolment.approve("inc-1", plan.digest, by="test")
    step = tables.step
    names = [each.name for each in deployment.record().runs[0].steps if each.undo]
    with deployment.database.write() as connection:
        of_run = update(step).where(step.c.run == R1, step.c.name.in_(names)).values(attempts=1, state="failed")
        connection.execute(of_run)
    told = dismiss(deployment, R1)
    assert (told.did, told.failed) == ((), tuple(dict.fromkeys(names)))
    assert names

"""Nothing new is made for a vendor that is paused, whichever plan says so, until it is let in or a person answers."""

from __future__ import annotations

from dataclasses import replace

import pytest

from rotator.claims import PAUSED
from rotator.errors import BadInput
from rotator.flow.playbook_words import Strategy
from rotator.flow.registry import Said, Sort
from rotator.flow.scope import Unresolved
from rotator.ledger import pauses
from rotator.ledger.answered import answered
from rotator.ledger.pauses import Pause, Pauses
from rotator.ledger.under_way import under_way
from rotator.ledger.vendors import Vendors
from rotator.report.incident import build
from tests.fakes.company import founded
from tests.fakes.deployment import broken_chains, emptied, sqlite

KEY = "aws_iam_access_key"
RUN = "inc-1.r1"
TASK = Unresolved(None, "acme", (), "nobody knows what it holds", "ask its owner")
NEW = ("issuer.issue", "store.promote")
MOMENTS = ("ledger.commit", "ledger.release", *NEW)
"""Before which a vendor is paused: after what the step asked of the ledger, and before what it does."""


def registered(deployment, *names):
    said = [Said(Sort.VENDOR, name, {"criticality": "high"}, "vendors.yaml") for name in names]
    Vendors(deployment.database, deployment.world.now).take(said, "ana")


def held(company, vendor="acme", owner="ci"):
    """Steal a credential that a vendor holds."""
    stolen, _ = company.stolen(KEY, owner)
    return replace(stolen, custody=replace(stolen.custody, vendor=vendor))


def paused(deployment, vendor="acme", incident="inc-9"):
    """Pause a vendor, by an incident that is a task for a person."""
    deployment.declare([], [TASK], incident=incident)
    return begun(deployment, vendor, incident)


def begun(deployment, vendor, incident, *holds):
    with deployment.database.write() as connection:
        given = Pause(vendor, 0, incident, deployment.world.now(), "ana", "breached", "[]", ("OSV-1",))
        return pauses.begin(connection, given, {}, holds)


def restored(deployment, vendor="acme"):
    with deployment.database.write() as connection:
        there = pauses.pause_of(connection, vendor, lock=True)
        pauses.restore(connection, there, "bob", "it is clean", deployment.world.now(), {})


def waits(deployment, run=RUN):
    """Return the steps of a run that wait for a pause."""
    of = next(each for each in deployment.record(run.rpartition(".")[0]).runs if each.run.id == run)
    return [step.name for step in of.steps if step.reason and step.reason.startswith(PAUSED)]


def made(company):
    return [entry["what"] for entry in company.world._state["log"] if entry["what"] in NEW]


def test_a_run_of_any_incident_makes_nothing_for_a_paused_vendor_and_goes_on_once_it_is_let_in(house):
    company, deployment = house
    registered(deployment, "acme")
    paused(deployment)
    deployment.start([held(company)])
    deployment.rest()
    assert made(company) == []
    assert waits(deployment) == ["issue"]
    assert deployment.record().runs[0].run.dead_at is not None
    assert not deployment.due.busy_until(0.0)

    restored(deployment)
    assert deployment.due.busy_until(0.0)
    deployment.rest()
    assert made(company) == list(NEW)
    assert broken_chains(deployment) == []


def test_a_vendor_may_be_paused_at_every_moment_of_a_replacement_and_is_given_nothing_new_from_then_on(tmp_path):
    database, tried = sqlite(tmp_path / "ledger.db"), []
    while NEW[1] not in tried:
        company, deployment = founded(tmp_path, database=emptied(database))
        registered(deployment, "acme")
        deployment.declare([], [TASK], incident="inc-9")
        deployment.start([held(company)], wanted=Strategy.REPLACE_FIRST)
        moments = []

        def meet(phase, what, _changes, moments=moments, company=company, deployment=deployment):
            if phase == "before" and what in MOMENTS:
                moments.append((what, made(company)))
                if len(moments) == len(tried) + 1:
                    begun(deployment, "acme", "inc-9")

        company.world.meet = meet
        deployment.rest()
        company.world.meet = lambda *_: None
        what, before = moments[len(tried)]
        # A call that is on its way when the pause is committed is not taken back.
        assert made(company) == [*before, *([what] if what in NEW else [])], moments
        restored(deployment)
        deployment.rest()
        assert made(company) == list(NEW)
        assert waits(deployment) == []
        tried.append(what)
    assert NEW[0] in tried
    assert tried.count("ledger.commit") > len(NEW)
    database.close()


def test_who_began_to_wait_as_the_vendor_was_let_in_is_woken_by_the_dispatcher(house):
    company, deployment = house
    registered(deployment, "acme")
    paused(deployment)
    deployment.start([held(company)])

    def meet(phase, what, _changes):
        if (phase, what) == ("after", "ledger.paused_vendor") and Pauses(deployment.database).paused():
            restored(deployment)

    company.world.meet = meet
    deployment.rest()
    assert made(company) == list(NEW)


class Died(BaseException):
    """The worker is gone."""


def test_what_was_minted_as_its_worker_died_is_looked_for_though_the_vendor_is_paused_since(house):
    company, deployment = house
    registered(deployment, "acme")
    deployment.declare([], [TASK], incident="inc-9")
    deployment.start([held(company)], wanted=Strategy.REPLACE_FIRST)

    def meet(phase, what, _changes):
        if (phase, what) == ("after", "issuer.issue"):
            raise Died

    company.world.meet = meet
    with pytest.raises(Died):
        deployment.rest()
    company.world.meet = lambda *_: None
    begun(deployment, "acme", "inc-9")
    deployment.rest(deployment.recover())
    assert not any("nobody could find out" in (row["reason"] or "") for row in deployment.rows("step"))
    restored(deployment)
    deployment.rest()
    assert deployment.record().runs[0].run.replaced_at is not None
    assert waits(deployment) == []


def test_what_a_pause_cuts_gets_nothing_new_though_its_plan_names_another_vendor(house):
    company, deployment = house
    registered(deployment, "acme", "beta")
    stolen = held(company, vendor="acme")
    deployment.start([stolen], wanted=Strategy.REVOKE_ONLY, incident="inc-9")
    begun(deployment, "beta", "inc-9", stolen.ref)
    deployment.start([stolen, held(company, vendor="acme", owner="web")], wanted=Strategy.CONTAIN_FIRST)
    deployment.rest()
    kept = [each.run.ref for each in deployment.record().runs if waits(deployment, each.run.id)]
    assert kept == [stolen.ref]
    assert made(company) == list(NEW)  # that of the other, which nobody cuts


def test_what_a_pause_cuts_gets_nothing_new_where_its_incident_was_merged_into_another(house):
    company, deployment = house
    registered(deployment, "acme", "beta")
    stolen = held(company, vendor="acme")
    deployment.declare([stolen], wanted=Strategy.REVOKE_ONLY, incident="inc-9")
    begun(deployment, "beta", "inc-9", stolen.ref)
    for source, target in (("inc-9", "inc-10"), ("inc-10", "inc-11")):
        deployment.declare([], [TASK], incident=target)
        deployment.enrolment.merge(source, target, "ana")
    deployment.start([stolen], wanted=Strategy.CONTAIN_FIRST)
    deployment.rest()
    assert (made(company), waits(deployment)) == ([], ["issue"])
    restored(deployment, "beta")
    deployment.rest()
    assert made(company) == list(NEW)


def test_nobody_skips_retries_or_releases_it_but_who_answers_for_that_vendor(house):
    company, deployment = house
    registered(deployment, "acme")
    paused(deployment)
    deployment.start([held(company)])
    deployment.rest()
    hands = deployment.hands
    acts = [
        lambda: hands.decide(RUN, "issue", skip=True, by="eve", reason="faster"),
        lambda: hands.decide(RUN, "issue", skip=False, by="eve", reason="faster"),
        lambda: hands.release(RUN, "issue", "eve", "faster"),
    ]
    for act in acts:
        with pytest.raises(BadInput, match=r"acme is paused: nothing new.*rotator vendor gates acme"):
            act()
    with pytest.raises(BadInput, match="beta"):
        hands.release_paused(RUN, "issue", "eve", "faster", "beta")
    with pytest.raises(BadInput, match="a secret seems to stand"):
        hands.release_paused(RUN, "issue", "eve", "ghp_" + "a1B2" * 9, "acme")

    assert "acme" in hands.release_paused(RUN, "issue", "eve", "their hands are tied", "acme")
    deployment.rest()
    assert made(company) == list(NEW)
    row = build(deployment.record())["credentials"][0]
    assert (row["risk_accepted"], row["risk_accepted_of"]) == ("eve: their hands are tied", ["the paused vendor acme"])
    assert deployment.evidence("inc-1")[-1]["accepts_paused"] == ["acme"]


def test_an_answer_for_one_pause_is_none_for_the_next(house):
    company, deployment = house
    registered(deployment, "acme")
    paused(deployment)
    deployment.start([held(company)])
    deployment.rest()
    deployment.hands.release_paused(RUN, "issue", "eve", "their hands are tied", "acme")
    restored(deployment)
    paused(deployment, incident="inc-10")
    deployment.rest()
    assert made(company) == []
    assert waits(deployment) == ["issue"]


def test_the_report_says_how_it_goes_on_the_safe_way_first(house):
    company, deployment = house
    registered(deployment, "acme")
    paused(deployment)
    deployment.start([held(company)])
    deployment.rest()
    (waiting,) = build(deployment.record())["credentials"][0]["next"]
    assert waiting["reason"] == "vendor_paused: acme"
    assert [each["command"] for each in waiting["ways"]] == [
        "rotator vendor gates acme",
        f"rotator hold release {RUN} issue --although-paused acme --reason …",
    ]


def test_a_vendor_is_paused_once_at_a_time_and_each_pause_is_kept_with_its_evidence(house):
    _, deployment = house
    registered(deployment, "acme", "beta")
    first = paused(deployment)
    with pytest.raises(BadInput, match=r"paused already, by ana in inc-9"):
        paused(deployment, incident="inc-10")
    restored(deployment)
    with pytest.raises(BadInput, match="not paused any more"), deployment.database.write() as connection:
        pauses.restore(connection, first, "eve", "once more", 1.0, {})
    second = begun(deployment, "acme", "inc-10")
    assert (first.number, second.number, second.notices) == (1, 2, ("OSV-1",))
    ledger = Pauses(deployment.database, deployment.world.now)
    assert ledger.paused() == {"acme"}
    assert ledger.of("beta") is None
    assert {each.number for each in ledger.every("acme")} == {1, 2}
    assert [each.restored_by for each in deployment.record("inc-9").pauses] == ["bob"]
    told = [each["act"] for each in deployment.evidence("vendor.acme")]
    assert told == ["vendor_registered", "vendor_paused", "vendor_restored", "vendor_paused"]
    assert [each["act"] for each in deployment.evidence("inc-9")][-2:] == ["vendor_paused", "vendor_restored"]
    told = [each["event"] for each in deployment.rows("notice") if each["event"].startswith("vendor")]
    assert told == ["vendor_paused", "vendor_restored", "vendor_paused"]


def test_what_its_incident_has_of_a_vendor_is_known_also_where_that_was_merged_into_another(house):
    company, deployment = house
    registered(deployment, "acme", "acme_2")
    stolen = held(company)
    begins = pauses.held_as("acme")
    said = replace(stolen.exposures[0], path=f"{begins}as somebody wrote it")
    other = replace(stolen.exposures[0], path=f"{pauses.held_as('acme_2')}{stolen.ref}", line=8)
    deployment.declare([replace(stolen, exposures=(said, other))], incident="inc-9")
    pause = begun(deployment, "acme", "inc-9")
    ledger = Pauses(deployment.database, deployment.world.now)
    told = {said.path, f"{begins}{stolen.ref}"}
    assert (ledger.told_under(pause), ledger.spoken_of(pause)) == ("inc-9", told)
    assert answered(deployment.database, {KEY, "another_kind"}) == [stolen.ref]
    assert answered(deployment.database, {"another_kind"}) == []

    deployment.declare([], [TASK], incident="inc-10")
    deployment.enrolment.merge("inc-9", "inc-10", "ana")
    assert (ledger.told_under(pause), ledger.spoken_of(pause)) == ("inc-10", told)
    with deployment.database.write() as connection:
        pauses.again(connection, pause, replace(pause, by="ben", reason="more news"), {"added": 0}, [stolen.ref])
    assert [each["act"] for each in deployment.evidence("vendor.acme")][-1] == "vendor_paused_again"


def test_what_runs_are_about_is_known_until_they_are_done(house):
    company, deployment = house
    stolen = held(company)
    deployment.start([stolen], wanted=Strategy.REVOKE_ONLY)
    assert under_way(deployment.database) == {stolen.ref}
    deployment.rest()
    assert under_way(deployment.database) == set()

"""A person's hand on a run: what it moves, what it refuses, and what the report and the world say afterwards."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from sqlalchemy import update

from rotator.errors import BadInput, Rejected, Uncertain
from rotator.flow.playbook_words import Strategy
from rotator.flow.proof import Evidence
from rotator.flow.scope import Lifeline
from rotator.flow.standing import CredentialState, state_of
from rotator.ledger import tables
from rotator.report.incident import build
from tests.fakes.company import CONSUMER, PROPAGATION_S
from tests.fakes.deployment import WEEK, broken_chains
from tests.fakes.store import FakeStore

KEY, DOORS = "aws_iam_access_key", "ssh_authorized_key"
RUN = "inc-1.r1"


def hold(company, stolen, secret):
    """Let the place keep the stolen credential as the rotator would have written it."""
    field = company.outside.provider(stolen.ref).secret_field
    document = json.dumps({"id": stolen.ref.id, field: secret.reveal()})
    for place in stolen.custody.deliver:
        company.outside.stores[place.connection].put(place.name, document)


def responded(house, kind=KEY, wanted=None, *, known=True):
    """Respond, up to the week before the destruction."""
    company, deployment = house
    stolen, secret = company.stolen(kind)
    if known:
        hold(company, stolen, secret)
    deployment.start([stolen], wanted=wanted)
    deployment.rest(patience_s=3600)
    return company, deployment, stolen, secret


def undone(deployment, name, run=RUN):
    return deployment.hands.undo(run, name, "ann", "the job broke", deployment.hands.undoing(run, name))


def told(deployment):
    [entry] = build(deployment.record())["credentials"]
    return entry


def acts(deployment):
    return [record["act"] for record in deployment.evidence("inc-1")]


def test_undoing_the_delivery_gives_consumers_the_old_one_back_and_says_so(house):
    company, deployment, stolen, secret = responded(house)
    replacement = company.holders()[CONSUMER]
    assert replacement != stolen.ref.id
    found = undone(deployment, "deliver")
    assert not found.resumes
    deployment.rest()
    assert company.holders() == {CONSUMER: stolen.ref.id}
    # It is as dead as it was: nobody resumed it.
    assert not company.opens(stolen.ref, secret)
    entry = told(deployment)
    assert (entry["state"], entry["replaced_at"], entry["converged_at"]) == ("proven_dead", "", "")
    assert f"{replacement} was issued and nobody holds it" in entry["open"][0]
    assert [(one["step"], one["by"], one["state"]) for one in entry["undone"]] == [("deliver", "undo_deliver", "done")]
    states = deployment.steps()
    assert (states["deliver"], states["destroy"], states["undo_converged"]) == ("done", "skipped", "done")
    assert acts(deployment) == ["declared", "approved", "undone"]
    assert broken_chains(deployment) == []


def test_undoing_the_containment_takes_all_back_and_never_calls_it_dead_again(house):
    company, deployment, stolen, secret = responded(house)
    replacement = company.holders()[CONSUMER]
    assert undone(deployment, "contain").resumes
    # From now on nobody may say that it is dead, though nothing was done yet.
    assert (told(deployment)["evidence"], told(deployment)["proven_dead_at"]) == ("none", "")
    deployment.rest()
    deployment.world.wait_until(deployment.world.now() + PROPAGATION_S)
    assert company.opens(stolen.ref, secret)
    assert company.living(stolen.ref) == {stolen.ref.id}
    assert company.holders() == {CONSUMER: stolen.ref.id}
    [record] = deployment.record().runs
    assert state_of(record.run, record.steps, record.proofs) is CredentialState.HELD
    assert (record.run.evidence, record.run.replaced_at, record.run.replacement) == (Evidence.NONE, None, None)
    assert "it was resumed (ann: the job broke)" in told(deployment)["open"][0]
    [knock] = [step for step in record.steps if step.name == "open_again"]
    assert knock.reason == "alive, says the issuer"  # its sealed secret was destroyed with the first proof
    done = [entry for entry in company.world._state["log"] if entry["at"] >= record.steps[-1].started_at - 600]
    order = [entry["what"] for entry in done if entry["what"] in {"store.demote", "issuer.revoke", "issuer.resume"}]
    assert order == ["issuer.resume", "store.demote", "issuer.revoke"]
    assert replacement not in company.living(stolen.ref)
    assert broken_chains(deployment) == []


def test_a_resumed_credential_is_a_living_reader_before_it_is_resumed(house):
    company, deployment = house
    reader, secret = company.stolen(KEY)
    hold(company, reader, secret)
    deployment.start([reading(reader, "kv")])
    deployment.rest(patience_s=3600)
    assert [row["open"] for row in deployment.rows("reach") if row["connection"] == "kv"] == [0]
    undone(deployment, "contain")
    assert [row["open"] for row in deployment.rows("reach") if row["connection"] == "kv"] == [1]
    deployment.rest()
    assert [row["open"] for row in deployment.rows("reach") if row["connection"] == "kv"] == [1]
    other, _ = company.stolen("acme_api_token", owner="shop")
    deployment.start([other], incident="inc-2")
    deployment.rest(patience_s=3600)
    [issue] = [step for step in deployment.record("inc-2").runs[0].steps if step.name == "issue"]
    assert (issue.state.value, issue.reason[:9]) == ("held", "leak_safe")


def reading(found, connection):
    """Say that the credential may read all of a connection."""
    return replace(found, custody=replace(found.custody, reads=(f"{connection}:*",)))


def test_keys_at_hosts_are_taken_back_host_by_host(house):
    company, deployment, stolen, secret = responded(house, DOORS)
    replacement = company.holders()[CONSUMER]
    found = undone(deployment, "install")
    assert [stretch.target for stretch in found.stretches] == ["", "web-1", "web-2"]
    deployment.rest()
    assert company.living(stolen.ref) == set()
    assert {f"{replacement}@web-1", f"{replacement}@web-2"} <= set(company.world.done("issuer.uninstall"))
    assert company.holders() == {CONSUMER: stolen.ref.id}
    assert not company.opens(stolen.ref, secret)
    assert told(deployment)["state"] == "proven_dead"
    with pytest.raises(BadInput, match="has no way back"):
        deployment.hands.undoing(RUN, "contain")
    assert broken_chains(deployment) == []


def test_consumers_of_a_place_that_named_nothing_known_are_told_and_asked_and_called_nothing(house):
    company, deployment, stolen, _ = responded(house, known=False)
    undone(deployment, "deliver")
    deployment.rest()
    [record] = deployment.record().runs
    [asked] = [step for step in record.steps if step.name == "undo_converged"]
    assert (asked.state.value, asked.facts["converged"]) == ("done", False)
    assert company.holders() == {CONSUMER: stolen.ref.id}


def test_what_was_destroyed_is_never_passed_and_an_undo_is_done_once(house):
    company, deployment, _, _ = responded(house)
    undone(deployment, "deliver")
    deployment.rest()
    with pytest.raises(BadInput, match="taken back already"):
        deployment.hands.undoing(RUN, "deliver")
    # An earlier step may still be undone: only what is left of it is.
    assert [step.name for step in deployment.hands.undoing(RUN, "issue").takes_back] == ["issue"]
    other, _ = company.stolen(KEY, owner="shop")
    deployment.start([other], incident="inc-2")
    deployment.rest(patience_s=2 * WEEK)
    with pytest.raises(BadInput, match="it would pass destroy"):
        deployment.hands.undoing("inc-2.r1", "contain")


def test_nothing_is_undone_while_a_worker_is_at_the_run_or_it_has_moved_on(house):
    _, deployment, _, _ = responded(house)
    shown = deployment.hands.undoing(RUN, "deliver")
    with deployment.database.write() as connection:
        connection.execute(update(tables.branch).where(tables.branch.c.run == RUN).values(holder="worker-9"))
    with pytest.raises(BadInput, match="a worker is at work"):
        deployment.hands.undo(RUN, "deliver", "ann", "why not", shown)
    with deployment.database.write() as connection:
        connection.execute(update(tables.branch).values(holder=None))
    with pytest.raises(BadInput, match="moved on"):
        deployment.hands.undo(RUN, "contain", "ann", "why not", shown)
    with pytest.raises(BadInput, match="no such run"):
        deployment.hands.undoing("inc-9.r1", "deliver")
    assert acts(deployment) == ["declared", "approved"]


def test_an_undo_that_fails_is_visible_and_can_be_done_again(house):
    company, deployment, stolen, _ = responded(house)

    def refuse(phase, what, _changes):
        if (phase, what) == ("before", "store.demote"):
            raise Rejected("access_denied")

    company.world.meet = refuse
    undone(deployment, "deliver")
    deployment.rest()
    entry = told(deployment)
    assert [(one["step"], one["state"]) for one in entry["next"]] == [("undo_deliver", "failed")]
    assert entry["next"][0]["command"] == f"rotator run retry {RUN} undo_deliver --reason …"
    with pytest.raises(BadInput, match="another undo is not finished"):
        deployment.hands.undoing(RUN, "contain")
    company.world.meet = lambda *_: None
    deployment.hands.decide(RUN, "undo_deliver", skip=False, by="ann", reason="mended")
    deployment.rest()
    assert company.holders() == {CONSUMER: stolen.ref.id}


def delivered_to_one_of_two(house):
    """Respond with two places, of which the second refuses what is delivered; the first one has it."""
    company, deployment = house
    stolen, secret = company.stolen(KEY, places=("kv", "kv-2"))
    hold(company, stolen, secret)

    def refuse(phase, what, _changes):
        if (phase, what) == ("before", "store.promote") and company.world.about.startswith("kv-2"):
            raise Rejected("denied")

    company.world.meet = refuse
    deployment.start([stolen])
    deployment.rest(patience_s=3600)
    company.world.meet = lambda *_: None
    assert deployment.steps()["deliver"] == "failed"
    return company, deployment, stolen


def read_at(company, stolen):
    """Return which credential the consumers of each place would read now."""
    return [company.delivered(stolen.ref, place)[0].id for place in stolen.custody.deliver]


@pytest.mark.parametrize("name", ["issue", "deliver"])
def test_a_delivery_that_reached_only_some_places_is_taken_back_everywhere(house, name):
    company, deployment, stolen = delivered_to_one_of_two(house)
    assert read_at(company, stolen)[0] != stolen.ref.id
    undone(deployment, name)
    deployment.rest()
    assert read_at(company, stolen) == [stolen.ref.id] * 2
    assert company.living(stolen.ref) == set() or name == "deliver"
    [record] = deployment.record().runs
    [back] = [step for step in record.steps if step.name == "undo_deliver"]
    assert (back.state.value, back.facts["given_back"]) == ("done", stolen.ref.id)
    assert broken_chains(deployment) == []


class Renumbering(FakeStore):
    """A store that gives what it promotes a number of its own, as a KV store does."""

    def promote(self, name, version, expected):
        document = self.read(name, version)
        if self.current(name) != expected:
            return super().promote(name, version, expected)
        self.put(name, document.reveal())
        return self.current(name)


def test_what_a_store_promoted_under_another_number_is_known_by_what_it_holds(house):
    company, _ = house
    company.outside.stores["kv"] = Renumbering(company.world, "kv")
    company, deployment, stolen = delivered_to_one_of_two(house)
    undone(deployment, "issue")
    deployment.rest()
    assert read_at(company, stolen) == [stolen.ref.id] * 2


def test_another_hands_value_stays_where_the_delivery_never_came(house):
    company, deployment, stolen = delivered_to_one_of_two(house)
    theirs = company.stolen(KEY, owner="another")[0].ref.id
    second = stolen.custody.deliver[1]
    company.outside.stores["kv-2"].put(second.name, json.dumps({"id": theirs, "secret": "theirs"}))
    undone(deployment, "issue")
    deployment.rest()
    assert '"theirs"' in company.outside.stores["kv-2"].consumed(second.name)
    assert deployment.steps()["undo_deliver"] == "done"


def test_a_delivery_that_failed_for_want_of_anything_to_deliver_holds_no_undo_up(house):
    company, deployment = house
    stolen, secret = company.stolen(KEY)
    hold(company, stolen, secret)

    def refuse(phase, what, _changes):
        if (phase, what) == ("before", "issuer.issue"):
            raise Rejected("denied")

    company.world.meet = refuse
    deployment.start([stolen])
    deployment.rest(patience_s=3600)
    for name in ("issue", "works", "deliver"):
        deployment.hands.decide(RUN, name, skip=True, by="ann", reason="there is none")
        deployment.rest(patience_s=3600)
    undone(deployment, "contain")
    deployment.rest()
    assert {state for name, state in deployment.steps().items() if name.startswith("undo_")} == {"done"}
    assert company.living(stolen.ref) == {stolen.ref.id}


def test_a_destruction_whose_answer_was_lost_is_never_passed(house):
    company, deployment, _, _ = responded(house)

    def lose(phase, what, _changes):
        if (phase, what) == ("after", "issuer.revoke"):
            raise Uncertain("timeout")

    company.world.meet = lose
    company.world.wait_until(company.world.now() + WEEK)
    worker = deployment.engine()
    for _ in range(2):  # it is sent, and looked at
        for branch, _lane in deployment.due.take_due(10):
            worker.advance(branch)
        company.world.wait_until(company.world.now() + 1)
    assert deployment.steps()["destroy"] == "pending"
    company.world.meet = lambda *_: None
    deployment.stops.stop("inc-1", "ann", "look first", ())
    for name in ("deliver", "issue", "contain", "destroy"):
        with pytest.raises(BadInput, match="nobody knows whether it was done"):
            deployment.hands.undoing(RUN, name)
    # A person who asked the issuer may say that it was not done: while it is pending, too.
    with pytest.raises(BadInput, match="no failed or held step"):
        deployment.hands.decide(RUN, "destroy", skip=False, by="ann", reason="again")
    deployment.hands.decide(RUN, "destroy", skip=True, by="ann", reason="the issuer still has it")
    assert [step.name for step in deployment.hands.undoing(RUN, "deliver").takes_back] == ["deliver"]


def test_a_credential_that_was_taken_back_may_be_answered_again(house):
    """It may read where its own replacement goes, and is no reader of an earlier incident any more."""
    company, deployment = house
    stolen, secret = company.stolen(KEY)
    stolen = reading(stolen, "kv")
    hold(company, stolen, secret)
    deployment.start([stolen])
    deployment.rest(patience_s=3600)
    undone(deployment, "contain")
    deployment.rest()
    deployment.world.wait_until(deployment.world.now() + PROPAGATION_S)
    again = deployment.reading.answered({stolen.ref: stolen.custody.deliver})
    assert again == {}
    deployment.start([stolen], incident="inc-2")
    deployment.rest(patience_s=3600)
    [record] = deployment.record("inc-2").runs
    assert (record.run.evidence, record.run.replaced_at is not None) == (Evidence.PROVEN, True)
    assert not company.opens(stolen.ref, secret)


def test_what_waits_for_its_time_is_released_and_not_retried(house):
    _, deployment, _, _ = responded(house, wanted=Strategy.REVOKE_ONLY)
    with pytest.raises(BadInput, match="rotator hold release"):
        deployment.hands.decide(RUN, "destroy", skip=False, by="ann", reason="now")
    [waits] = told(deployment)["next"]
    assert (waits["step"], waits["command"]) == ("destroy", f"rotator hold release {RUN} destroy --reason …")
    assert waits["due_at"]
    deployment.hands.release(RUN, "destroy", by="ann", reason="nobody investigates")
    deployment.rest(patience_s=3600)
    assert set(deployment.steps().values()) == {"done"}
    assert acts(deployment) == ["declared", "approved", "released"]
    with pytest.raises(BadInput, match="no held step"):
        deployment.hands.release(RUN, "destroy", by="ann", reason="again")


@pytest.fixture
def mutual(house):
    """Let a key wait because another stolen one, that cannot be stopped, may read its new secret."""
    company, deployment = house
    reader, _ = company.stolen("acme_api_token", owner="reader")
    reader = reading(reader, "kv")
    stolen, secret = company.stolen(KEY)

    def refuse(phase, what, _changes):
        if (phase, what) == ("before", "issuer.suspend") and company.world.about == reader.ref.id:
            raise Rejected("access_denied")

    company.world.meet = refuse
    deployment.start([reader, stolen])
    deployment.rest(patience_s=600)
    [waits] = [each for each in deployment.record().runs if each.run.ref == stolen.ref]
    return company, deployment, waits.run.id, stolen, secret


def test_a_named_person_accepts_the_risk_of_a_living_reader_and_the_report_says_so(mutual):
    company, deployment, run, stolen, secret = mutual
    assert deployment.steps(run)["issue"] == "held"
    entry = next(each for each in build(deployment.record())["credentials"] if each["run"] == run)
    assert entry["next"][0]["ways"][-1]["command"] == f"rotator hold release {run} issue --reason …"
    with pytest.raises(BadInput, match="accepts the risk"):
        deployment.hands.decide(run, "issue", skip=False, by="ann", reason="go on")
    deployment.hands.release(run, "issue", by="ann", reason="production is down")
    deployment.rest(patience_s=3600)
    assert deployment.steps(run)["converged"] == "done"
    assert not company.opens(stolen.ref, secret)
    entry = next(each for each in build(deployment.record())["credentials"] if each["run"] == run)
    assert entry["risk_accepted"] == "ann: production is down"
    [released] = [record for record in deployment.evidence("inc-1") if record["act"] == "released"]
    assert released["accepts_risk_of"] == [each["run"] for each in deployment.rows("reach") if each["open"]]
    assert broken_chains(deployment) == []


def test_who_comes_to_read_a_new_secret_after_a_risk_was_accepted_is_waited_for_again(mutual):
    company, deployment, run, _, _ = mutual
    later, secret = company.stolen("acme_api_token", owner="later")
    later = reading(later, "kv")

    def approve(phase, what, _changes):
        if (phase, what) == ("after", "issuer.issue"):
            company.world.meet = uncontained
            deployment.start([later], incident="inc-2")

    def uncontained(phase, what, _changes):
        if (phase, what) == ("before", "issuer.suspend"):
            raise Rejected("access_denied")

    said = deployment.hands.release(run, "issue", by="ann", reason="a bot of ours")
    [reader] = [each["run"] for each in deployment.rows("reach") if each["open"]]
    assert said.endswith(f"is accepted, of {reader} and of nobody later")
    company.world.meet = approve
    deployment.rest(patience_s=3600)
    [waits] = [record for record in deployment.record().runs if record.run.id == run]
    [deliver] = [step for step in waits.steps if step.name == "deliver"]
    assert company.opens(later.ref, secret)
    assert (deliver.state, [route.run for route in waits.routes]) == ("held", ["inc-2.r1"])
    assert "inc-2.r1" in deliver.reason
    assert reader not in deliver.reason
    deployment.hands.release(run, "deliver", by="bob", reason="that one too")
    deployment.rest(patience_s=3600)
    assert deployment.steps(run)["converged"] == "done"
    entry = next(each for each in build(deployment.record())["credentials"] if each["run"] == run)
    assert entry["risk_accepted"] == "ann: a bot of ours; bob: that one too"
    assert entry["risk_accepted_of"] == [reader, "inc-2.r1"]
    released = [record["accepts_risk_of"] for record in deployment.evidence("inc-1") if record["act"] == "released"]
    assert released == [[reader], ["inc-2.r1"]]
    assert broken_chains(deployment) == []


def test_a_death_says_nothing_of_sessions_that_a_person_left_uncut(house):
    company, deployment = house
    stolen, _ = company.stolen(KEY)

    def refuse(phase, what, _changes):
        if (phase, what) == ("before", "issuer.end_sessions"):
            raise Rejected("access_denied")

    company.world.meet = refuse
    deployment.start([stolen], wanted=Strategy.REVOKE_ONLY)
    for name in ("cut", "cut_again"):
        deployment.rest(patience_s=600)
        deployment.hands.decide(RUN, name, skip=True, by="ann", reason="the policy forbids it")
    deployment.rest(patience_s=600)
    entry = told(deployment)
    assert entry["state"] == "proven_dead"
    [left] = entry["open"]
    assert left.startswith("cut_again: skipped (ann: the policy forbids it)")
    assert company.sessions(stolen.ref) == 1


@pytest.fixture
def after_our_own(house):
    """Let a stolen key wait for the rotator's own one, which cannot be contained."""
    company, deployment = house
    own, _ = company.stolen("acme_api_token", owner="rotator")
    own = replace(own, ref=replace(own.ref, connection="acme-recovery"), lifeline=Lifeline("aws", ("aws",)))
    company.outside.providers["acme_api_token", "acme-recovery"] = company.outside.providers["acme_api_token", "acme"]
    stolen, secret = company.stolen(KEY)

    def refuse(phase, what, _changes):
        if (phase, what) == ("before", "issuer.suspend") and company.world.about == own.ref.id:
            raise Rejected("access_denied")

    company.world.meet = refuse
    return company, deployment, own, stolen, secret


def test_a_named_person_has_a_run_begin_before_the_rotators_own_is_replaced(after_our_own):
    company, deployment, own, stolen, secret = after_our_own
    plan = deployment.declare([own, stolen])
    [run] = [f"inc-1.r{place}" for place, each in enumerate(plan.runs, 1) if each.awaits]
    first = next(iter(deployment.steps(run)))
    with pytest.raises(BadInput, match="no held step"):  # nobody has approved it
        deployment.hands.release(run, first, by="ann", reason="now")
    deployment.enrolment.approve("inc-1", plan.digest, by="ann")
    deployment.rest(patience_s=3600)
    [waits] = next(each for each in build(deployment.record())["credentials"] if each["run"] == run)["next"]
    assert (waits["step"], waits["command"]) == (first, f"rotator hold release {run} {first} --reason …")
    with pytest.raises(BadInput, match="no held step"):
        deployment.hands.release(run, "destroy", by="ann", reason="not what it begins with")
    deployment.hands.release(run, first, by="ann", reason="the vendor is down")
    deployment.rest(patience_s=3600)
    assert not company.opens(stolen.ref, secret)
    entry = next(each for each in build(deployment.record())["credentials"] if each["run"] == run)
    [lifeline] = entry["awaits"]
    assert entry["gone_ahead"] == f"{lifeline}; accepted by ann: the vendor is down"
    # A thief who may read its new secret is another risk, which nobody accepted here.
    assert entry["risk_accepted"] == ""
    [released] = [record for record in deployment.evidence("inc-1") if record["act"] == "released"]
    assert (released["step"], released["goes_without"]) == (first, [lifeline])
    assert broken_chains(deployment) == []


@pytest.mark.parametrize("reason", ["", "  \n"])
def test_every_act_demands_a_reason(house, reason):
    _, deployment, _, _ = responded(house)
    shown = deployment.hands.undoing(RUN, "deliver")
    for act in (
        lambda: deployment.hands.decide(RUN, "destroy", skip=True, by="ann", reason=reason),
        lambda: deployment.hands.release(RUN, "destroy", by="ann", reason=reason),
        lambda: deployment.hands.undo(RUN, "deliver", "ann", reason, shown),
        lambda: deployment.stops.stop(None, "ann", reason, ()),
        lambda: deployment.stops.lift(None, "ann", reason, ()),
        lambda: deployment.gates.set("inc-1", "no_legal_hold", "ann", reason, is_open=False),
        lambda: deployment.gates.isolate("inc-1", "web-1", "ann", reason),
    ):
        with pytest.raises(BadInput, match="a reason is needed"):
            act()
    assert acts(deployment) == ["declared", "approved"]

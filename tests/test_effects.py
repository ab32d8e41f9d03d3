"""Each verb is one exchange with whom it concerns, and what came back is told as it was."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from rotator.credential import Secret
from rotator.effects import find_staged, perform, replacement_of, stage
from rotator.errors import Rejected, Unavailable, Uncertain
from rotator.flow.plan import Lane
from rotator.flow.playbook import ALLOWED, Strategy, Subject, Verb
from rotator.flow.run import Branch, BranchState, Run, Step, StepState, Work
from rotator.flow.scope import ConsumerAddress
from rotator.ports import Answer, Place, State
from tests.fakes.company import CONSUMER, KINDS, Company
from tests.fakes.consumer import FakeConsumer
from tests.fakes.world import World

PLACES = (Place("fake", "kv", "ci"), Place("fake", "kv-2", "ci"))
CAN = {
    "aws_iam_access_key": {Verb.SUSPEND, Verb.RESUME, Verb.END_SESSIONS, Verb.ISSUE},
    "acme_api_token": {Verb.SUSPEND, Verb.RESUME, Verb.ISSUE},
    "vault_token": {Verb.ISSUE},
    "ssh_authorized_key": {Verb.GENERATE, Verb.INSTALL, Verb.UNINSTALL, Verb.END_SESSIONS},
}
EVERYBODY = {Verb.PRESERVE, Verb.VERIFY, Verb.REVOKE, Verb.PROMOTE, Verb.DEMOTE, Verb.RELOAD}


@pytest.fixture
def company():
    return Company(World(), propagation_s=0.0)


def step(verb: Verb, subject: Subject = Subject.EXPOSED, target: str = "", **given_) -> Step:
    return Step(f"r.{verb}", "b", 100, verb.value, target, verb, subject, Lane.CONTAIN, attempts=1, **given_)


def work(company, kind: str, *done: Step, places=PLACES, consumers=(CONSUMER,)) -> tuple[Work, Secret]:
    ref, secret = company.plant(kind)
    told = tuple(ConsumerAddress("webhook", each) for each in consumers)
    run = Run("r", "inc-1", ref, kind, Strategy.CONTAIN_FIRST, "", 1.0, deliver=places, consumers=told)
    return Work(run, Branch("b", "r", 0, "", BranchState.OPEN, 1, 0, ""), done, {}), secret


def minted(company, kind: str = "aws_iam_access_key", **given_) -> tuple[Work, dict]:
    """Issue and stage a replacement; return the work that knows it, and its facts."""
    begun, _ = work(company, kind, **given_)
    issue = step(Verb.ISSUE, Subject.REPLACEMENT)
    facts = dict(perform(company.outside, begun, issue, None).facts)
    return replace(begun, steps=(replace(issue, state=StepState.DONE, facts=facts),)), facts


@pytest.mark.parametrize("kind", KINDS)
def test_what_a_kind_cannot_do_is_refused_and_changes_nothing(company, kind):
    begun, _ = work(company, kind)
    for verb in set(Verb) - CAN[kind] - EVERYBODY:
        for subject in ALLOWED[verb]:
            with pytest.raises(Rejected) as refusal:
                perform(company.outside, begun, step(verb, subject, "web-1"), None)
            assert refusal.value.reason == "unsupported"
    with company.world.open() as state:
        assert state["log"] == []


@pytest.mark.parametrize(
    ("verb", "subject"),
    [
        (Verb.VERIFY, Subject.REPLACEMENT),
        (Verb.VERIFY, Subject.CONSUMERS),
        (Verb.RELOAD, Subject.CONSUMERS),
        (Verb.REVOKE, Subject.REPLACEMENT),
    ],
)
def test_there_is_no_replacement_before_one_was_made(company, verb, subject):
    begun, _ = work(company, "vault_token")
    with pytest.raises(Rejected) as refusal:
        perform(company.outside, begun, step(verb, subject), None)
    assert refusal.value.reason == "no_replacement"
    assert company.living(begun.run.ref) == {begun.run.ref.id}


def test_the_exposed_one_is_knocked_with_its_material_or_asked_about_without(company):
    begun, secret = work(company, "aws_iam_access_key")
    knock = step(Verb.VERIFY)
    assert perform(company.outside, begun, knock, secret).verdict.answer is Answer.ACCEPTED
    assert perform(company.outside, begun, knock, Secret("another")).verdict.mismatch
    assert perform(company.outside, begun, knock, None).status.state is State.ACTIVE
    perform(company.outside, begun, step(Verb.SUSPEND), None)
    assert perform(company.outside, begun, knock, secret).verdict.answer is Answer.REJECTED
    assert perform(company.outside, begun, knock, None).status.state is State.SUSPENDED


def test_each_door_is_asked_and_closed_on_its_own(company):
    begun, secret = work(company, "ssh_authorized_key")
    perform(company.outside, begun, step(Verb.UNINSTALL, target="web-1"), None)
    answers = {
        door: perform(company.outside, begun, step(Verb.VERIFY, target=door), secret).verdict.answer
        for door in ("web-1", "web-2")
    }
    assert answers == {"web-1": Answer.REJECTED, "web-2": Answer.ACCEPTED}
    assert perform(company.outside, begun, step(Verb.PRESERVE, target="web-1"), None).status.state is State.ABSENT
    assert perform(company.outside, begun, step(Verb.END_SESSIONS, target="web-2"), None).facts == {"ended": "1"}


def test_preserving_keeps_what_the_issuer_says_and_asks_no_more_of_what_is_gone(company):
    begun, _ = work(company, "aws_iam_access_key")
    kept = perform(company.outside, begun, step(Verb.PRESERVE), None)
    assert (kept.facts["issuer_says"], kept.facts["last_used_at"], kept.facts["scopes"]) == ("active", "never", "read")
    perform(company.outside, begun, step(Verb.REVOKE), None)
    gone = perform(company.outside, begun, step(Verb.PRESERVE), None)
    assert (dict(gone.facts), gone.status.state) == ({"issuer_says": "absent"}, State.ABSENT)


def test_a_mint_is_staged_in_every_place_before_consumers_read_it_and_its_facts_hold_no_material(company):
    for place in PLACES:
        company.outside.stores[place.connection].put(place.name, '{"id": "old"}')
    begun, facts = minted(company)
    new = company.credential(facts["replacement"])
    assert set(facts["staged"]) == set(facts["previous"]) == {str(place) for place in PLACES}
    assert new["material"] not in json.dumps(facts)
    for place in PLACES:
        store = company.outside.stores[place.connection]
        assert store.consumed(place.name) == '{"id": "old"}'
        assert new["material"] in store.read(place.name, facts["staged"][str(place)]).reveal()
    assert replacement_of(begun).id == facts["replacement"]


def test_a_promotion_is_made_everywhere_and_can_be_taken_back(company):
    for place in PLACES:
        company.outside.stores[place.connection].put(place.name, '{"id": "old"}')
    begun, facts = minted(company)
    promote = step(Verb.PROMOTE, Subject.REPLACEMENT)
    for _ in range(2):
        promoted = perform(company.outside, begun, promote, None).facts
        assert {company.delivered(begun.run.ref, place)[0].id for place in PLACES} == {facts["replacement"]}
    done = replace(begun, steps=(*begun.steps, replace(promote, state=StepState.DONE, facts=promoted)))
    for _ in range(2):
        perform(company.outside, done, step(Verb.DEMOTE, Subject.REPLACEMENT), None)
        assert {company.delivered(begun.run.ref, place)[0].id for place in PLACES} == {"old"}


@pytest.mark.parametrize(
    ("error", "told"), [(Rejected, Rejected), (Unavailable, Unavailable), (Uncertain, Unavailable)]
)
def test_what_cannot_be_staged_is_revoked_again_and_the_error_says_whether_to_try_again(company, error, told):
    def refuse(phase, what, _changes):
        if (phase, what) == ("before", "store.stage"):
            raise error("no_room")

    begun, _ = work(company, "aws_iam_access_key")
    company.world.meet = refuse
    with pytest.raises(told) as raised:
        perform(company.outside, begun, step(Verb.ISSUE, Subject.REPLACEMENT), None)
    assert raised.value.reason == "store_failed"
    assert "no_room" in raised.value.detail
    assert company.living(begun.run.ref) == {begun.run.ref.id}


def test_what_can_neither_be_staged_nor_revoked_is_uncertain_and_named(company):
    def refuse(phase, what, _changes):
        if phase == "before" and what in {"store.stage", "issuer.revoke"}:
            raise Unavailable("down")

    begun, _ = work(company, "aws_iam_access_key")
    company.world.meet = refuse
    with pytest.raises(Uncertain) as raised:
        perform(company.outside, begun, step(Verb.ISSUE, Subject.REPLACEMENT), None)
    [orphan] = company.living(begun.run.ref) - {begun.run.ref.id}
    assert orphan in raised.value.detail


def test_each_attempt_at_a_mint_stages_apart_and_a_chosen_secret_is_rolled_forward(company):
    begun, _ = work(company, "aws_iam_access_key")
    first, second = step(Verb.ISSUE, Subject.REPLACEMENT), replace(step(Verb.ISSUE, Subject.REPLACEMENT), attempts=2)
    provider = company.outside.provider(begun.run.ref)
    made = perform(company.outside, begun, first, None).facts
    assert find_staged(company.outside, provider, begun.run, first).ref.id == made["replacement"]
    assert find_staged(company.outside, provider, begun.run, second) is None
    chosen, _ = work(company, "ssh_authorized_key")
    generate = step(Verb.GENERATE, Subject.REPLACEMENT)
    once = perform(company.outside, chosen, generate, None).facts
    again = perform(company.outside, chosen, replace(generate, attempts=2), None).facts
    assert once == again


def test_a_store_that_answers_something_else_than_was_staged_is_not_believed(company):
    begun, _ = work(company, "ssh_authorized_key")
    provider, generate = company.outside.provider(begun.run.ref), step(Verb.GENERATE, Subject.REPLACEMENT)
    stage(company.outside, provider, begun.run, generate, provider.generate(begun.run.ref))
    with pytest.raises(Rejected) as refusal:
        stage(company.outside, provider, begun.run, generate, provider.generate(begun.run.ref))
    assert refusal.value.reason == "read_back"


def test_a_document_that_rotator_did_not_write_is_not_taken_for_a_credential(company):
    begun, _ = work(company, "ssh_authorized_key")
    generate = step(Verb.GENERATE, Subject.REPLACEMENT)
    company.store.stage(PLACES[0].name, Secret('"canary"'), generate.id)
    with pytest.raises(Rejected) as refusal:
        perform(company.outside, begun, generate, None)
    assert refusal.value.reason == "foreign_document"
    assert "canary" not in str(refusal.value)


def test_every_consumer_is_told_also_when_one_fails(company):
    names = ("http://a", "http://b", "http://c")
    company.outside.consumers |= {name: FakeConsumer(company.world, name) for name in names}
    begun, facts = minted(company, consumers=names)
    perform(company.outside, begun, step(Verb.PROMOTE, Subject.REPLACEMENT), None)
    for error, told in (
        (Unavailable("down"), Unavailable),
        (Uncertain("lost"), Unavailable),
        (Rejected("no"), Rejected),
    ):

        def fail(phase, what, _changes, error=error):
            if (phase, what, company.world.about) == ("before", "consumer.reload", "http://b"):
                raise error

        company.world.meet = fail
        with company.world.open() as state:
            state["consumers"] = {}
        with pytest.raises(told) as raised:
            perform(company.outside, begun, step(Verb.RELOAD, Subject.CONSUMERS), None)
        assert (raised.value.reason, "1 of 3" in raised.value.detail) == (error.reason, True)
        assert company.holders() == {"http://a": facts["replacement"], "http://c": facts["replacement"]}


def test_consumers_say_what_they_hold_or_that_they_do_not_say(company):
    silent = FakeConsumer(company.world, "http://silent", silent=True)
    company.outside.consumers["http://silent"] = silent
    begun, facts = minted(company, consumers=(CONSUMER, "http://silent"))
    perform(company.outside, begun, step(Verb.PROMOTE, Subject.REPLACEMENT), None)
    perform(company.outside, begun, step(Verb.RELOAD, Subject.CONSUMERS), None)
    asked = perform(company.outside, begun, step(Verb.VERIFY, Subject.CONSUMERS), None)
    assert asked.using == {CONSUMER: facts["replacement"], "http://silent": None}

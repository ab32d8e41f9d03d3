"""A place that nobody can read follows the one beside it: written at promotion, and back at an undo."""

from __future__ import annotations

import json
from types import SimpleNamespace

import pytest

from rotator.claims import LostClaim
from rotator.credential import CredentialRef, Issued, Secret
from rotator.delivery import demote, find_staged, promote, replacement_secret, stage
from rotator.errors import BadInput, Rejected
from rotator.flow.playbook_words import Verb
from rotator.outside import Outside
from rotator.ports.connection import Connection
from rotator.ports.store import Place
from rotator.settings.configuration import Settings
from rotator.stores.github_actions_secret import connect
from tests.fakes.github_secrets import github_secrets
from tests.fakes.store import FakeStore
from tests.fakes.world import World

REF = CredentialRef("acme_api_token", "acme", "ci", "old")
ISSUED = Issued(REF.with_id("new"), Secret("canary-4d5e6f"))
OLD = json.dumps({"id": "old", "token": "old-secret"})
KEPT, BLIND = Place("vault_kv", "vault", "ci/token"), Place("github_actions_secret", "gh", "acme/shop:TOKEN#token")
PROVIDER = SimpleNamespace(secret_field="token")


class House:
    """One run that delivers to a readable place and to one that is not."""

    def __init__(self, github, deliver=(BLIND, KEPT)):
        self.github, self.facts = github, {}
        self.kept = FakeStore(World(), "vault")
        blind = connect(Connection("gh", "github", endpoint_url=github.address, credential=lambda: Secret(github.own)))
        self.world = SimpleNamespace(store=lambda place: blind if place == BLIND else self.kept)
        self.run = SimpleNamespace(deliver=deliver, ref=REF)
        self.step = SimpleNamespace(id="step-1", attempts=1, verb=Verb.ISSUE, facts={})
        self.work = SimpleNamespace(run=self.run, minted={}, facts_of=lambda verb: self.facts.get(verb, {}))

    def stage(self):
        self.work.minted = stage(self.world, PROVIDER, self.run, self.step, ISSUED, lambda: None)

    def promote(self, pulse=lambda: None):
        self.facts[Verb.PROMOTE] = promote(self.world, self.work, pulse)

    def demote(self):
        return demote(self.world, PROVIDER, self.work, lambda: None)

    @property
    def workflow(self):
        return self.github.workflow("acme/shop", "TOKEN")


@pytest.fixture
def house():
    with github_secrets() as fake:
        fake.repositories.add("acme/shop")
        yield House(fake)


def test_nothing_is_written_there_before_the_place_beside_it_is_promoted(house):
    house.kept.put("ci/token", OLD)
    house.github.put("acme/shop", "TOKEN", "old-secret")
    house.stage()
    assert house.workflow == "old-secret"
    found = find_staged(house.world, PROVIDER, house.run, house.step, lambda: None)
    assert [each.secret for each in found] == [ISSUED.secret]
    house.promote()
    assert house.workflow == "canary-4d5e6f"
    assert replacement_secret(house.world, PROVIDER, house.work) == (ISSUED.ref, ISSUED.secret)


def test_whoever_lost_the_claim_between_two_places_writes_to_no_other(house):
    """Who froze after the first may wake when all was taken back, or another incident has delivered there."""

    def lost():
        raise LostClaim

    house.github.put("acme/shop", "TOKEN", "of a later incident")
    house.stage()
    with pytest.raises(LostClaim):
        house.promote(pulse=lost)
    assert house.workflow == "of a later incident"


def test_the_facts_say_that_nothing_there_was_read_back(house):
    house.stage()
    house.promote()
    assert house.facts[Verb.PROMOTE]["not_read_back"] == {str(BLIND): "2026-01-01T00:00:01Z"}
    assert "canary" not in json.dumps([house.work.minted, house.facts[Verb.PROMOTE]])


def test_where_the_place_beside_it_was_changed_nothing_is_written(house):
    house.kept.put("ci/token", OLD)
    house.github.put("acme/shop", "TOKEN", "old-secret")
    house.stage()
    house.kept.put("ci/token", json.dumps({"id": "theirs", "token": "theirs"}))
    with pytest.raises(Rejected) as refusal:
        house.promote()
    assert refusal.value.reason == "store_changed"
    house.demote()
    assert house.workflow == "old-secret"


def test_an_undo_writes_again_what_the_place_beside_it_held_before(house):
    house.kept.put("ci/token", OLD)
    house.github.put("acme/shop", "TOKEN", "what nobody could read")
    house.stage()
    house.promote()
    assert house.demote() == {"given_back": "old"}
    assert house.workflow == "old-secret"
    house.demote()
    assert house.workflow == "old-secret"


def test_an_undo_takes_away_what_was_not_there_before(house):
    house.kept.put("ci/token", OLD)
    house.stage()
    house.promote()
    house.demote()
    assert house.workflow is None


def test_an_undo_that_cannot_give_back_what_nobody_could_read_says_so_and_leaves_it(house):
    house.github.put("acme/shop", "TOKEN", "what nobody could read")
    house.stage()
    house.promote()
    with pytest.raises(Rejected) as refusal:
        house.demote()
    assert refusal.value.reason == "cannot_be_given_back"
    assert house.workflow == "canary-4d5e6f"


def test_another_hands_document_in_the_place_beside_it_is_left_and_so_is_the_other(house):
    house.kept.put("ci/token", OLD)
    house.github.put("acme/shop", "TOKEN", "old-secret")
    house.stage()
    house.promote()
    house.kept.put("ci/token", json.dumps({"id": "theirs", "token": "theirs"}))
    house.demote()
    assert house.workflow == "canary-4d5e6f"


def test_alone_it_is_no_place_for_a_new_secret(house):
    house.run.deliver = (BLIND,)
    with pytest.raises(Rejected) as refusal:
        house.stage()
    assert refusal.value.reason == "no_readable_place"
    connections = [{"name": "gh", "family": "github", "credential": "env:GH"}]
    outside = Outside(Settings(connections=connections), {})
    with pytest.raises(BadInput) as refused:
        outside.check_places([BLIND], "deliver of x")
    assert str(refused.value).startswith(
        f"deliver of x: nobody can read back what is delivered to {BLIND} (name a place"
    )

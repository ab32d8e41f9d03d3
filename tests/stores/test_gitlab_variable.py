"""What is peculiar to GitLab's variables: masks, protection, scopes, and what jobs get meanwhile."""

from __future__ import annotations

import json

import pytest

from rotator import clock
from rotator.credential import Secret
from rotator.errors import Rejected, Unavailable, Uncertain
from rotator.ports.connection import Connection
from rotator.stores import gitlab_variable
from rotator.stores.gitlab_variable import connect
from tests.fakes.gitlab_variables import gitlab_variables

DOCUMENT = Secret('{"id": "new", "private_key": "-----BEGIN KEY-----\\ncanary 4d5e6f\\n"}')
OWNER = "acme/shop"


@pytest.fixture
def fake():
    with gitlab_variables() as running:
        running.owners |= {("projects", OWNER), ("groups", "acme")}
        yield running


def store(fake):
    return connect(Connection("gitlab", "gitlab", endpoint_url=fake.address, credential=lambda: Secret(fake.own)))


def delivered(fake, name):
    at = store(fake)
    before = at.current(name)
    return before, at.promote(name, at.stage(name, DOCUMENT, "step-1"), before)


def test_what_was_masked_and_protected_stays_so_and_an_undo_gives_all_of_it_back(fake):
    told = {"masked": True, "protected": True, "variable_type": "file", "description": "by hand"}
    fake.put(OWNER, "TOKEN", "by-hand-12345", **told)
    before, version = delivered(fake, f"{OWNER}:TOKEN")
    found = fake.kept["projects", OWNER, "TOKEN", "*"]
    assert {key: found[key] for key in told} == told
    assert json.loads(found["value"]) == json.loads(DOCUMENT.reveal())
    assert " " not in found["value"]
    store(fake).demote(f"{OWNER}:TOKEN", version, before)
    found = fake.kept["projects", OWNER, "TOKEN", "*"]
    assert (found["value"], {key: found[key] for key in told}) == ("by-hand-12345", told)


def test_a_new_variable_is_masked_and_protected(fake):
    delivered(fake, f"{OWNER}:TOKEN")
    found = fake.kept["projects", OWNER, "TOKEN", "*"]
    assert (found["masked"], found["protected"], found["raw"]) == (True, True, True)


def test_no_job_gets_what_waits_and_what_was_kept_is_masked(fake):
    fake.put(OWNER, "TOKEN", "by-hand-12345", environment_scope="production")
    name = f"{OWNER}:TOKEN@production"
    store(fake).stage(name, DOCUMENT, "step-1")
    assert fake.job(OWNER) == {}
    assert fake.job(OWNER, "production") == {"TOKEN": "by-hand-12345"}
    delivered(fake, name)
    assert json.loads(fake.job(OWNER, "production")["TOKEN"])["id"] == "new"
    assert [scope.rpartition("/")[2] for *_, scope in fake.kept] == ["production", "kept"]


def test_two_scopes_of_one_key_are_two_places(fake):
    for scope in ("production", "*"):
        fake.put(OWNER, "TOKEN", f"by-hand-{scope}", environment_scope=scope)
    before, version = delivered(fake, f"{OWNER}:TOKEN@production")
    assert fake.job(OWNER) == {"TOKEN": "by-hand-*"}
    store(fake).demote(f"{OWNER}:TOKEN@production", version, before)
    assert fake.job(OWNER, "production")["TOKEN"] in {"by-hand-production", "by-hand-*"}
    assert fake.kept["projects", OWNER, "TOKEN", "production"]["value"] == "by-hand-production"


def test_a_groups_variable_is_a_place_too(fake):
    delivered(fake, "groups/acme:TOKEN")
    assert json.loads(fake.job("acme", sort="groups")["TOKEN"])["id"] == "new"


def test_a_hidden_variable_is_refused_before_anything_is_written(fake):
    fake.put(OWNER, "TOKEN", "by-hand-12345", hidden=True, masked=True)
    with pytest.raises(Rejected) as refusal:
        store(fake).stage(f"{OWNER}:TOKEN", DOCUMENT, "step-1")
    assert refusal.value.reason == "hidden"
    assert len(fake.kept) == 1


def test_a_project_that_is_not_there_is_no_empty_place(fake):
    with pytest.raises(Rejected) as refusal:
        store(fake).current("acme/other:TOKEN")
    assert refusal.value.reason == "not_this_account"


def test_a_claim_keeps_others_out_until_it_is_stale(fake, monkeypatch):
    fake.put(OWNER, "TOKEN", "by-hand-12345")
    at, name = store(fake), f"{OWNER}:TOKEN"
    version, before = at.stage(name, DOCUMENT, "step-1"), at.current(name)
    scope = next(scope for *_, scope in fake.kept if scope != "*").rpartition("/")[0]
    claim = json.dumps({"by": "staged-of-another", "at": clock.now()})
    fake.put(OWNER, "TOKEN", claim, environment_scope=f"{scope}/claim")
    with pytest.raises(Unavailable) as raised:
        at.promote(name, version, before)
    assert raised.value.reason == "being_promoted"
    later = clock.now() + gitlab_variable._STALE_S + 60
    monkeypatch.setattr(gitlab_variable.clock, "now", lambda: later)
    with pytest.raises(Unavailable):
        at.promote(name, version, before)
    assert at.promote(name, version, before) == at.current(name)


@pytest.mark.parametrize("name", ["TOKEN", "acme/shop", "acme/shop:", "acme/shop:TO-KEN", ":TOKEN", "a b:TOKEN"])
def test_what_is_no_variables_name_is_a_refusal(fake, name):
    with pytest.raises(Rejected) as refusal:
        store(fake).current(name)
    assert refusal.value.reason == "bad_name"


def test_a_promotion_that_never_landed_is_not_done(fake, monkeypatch):
    """Somebody before GitLab says yes to the writing: with a page, or in JSON as GitLab would."""
    fake.put(OWNER, "TOKEN", "by-hand-12345")
    at = store(fake)
    name = f"{OWNER}:TOKEN"
    before = at.current(name)
    version = at.stage(name, DOCUMENT, "never-landed")
    served = fake.answer
    for said in ("<html>Please sign in again</html>", {"key": "TOKEN"}):
        yes = (200, said, {})
        monkeypatch.setattr(
            fake, "answer", lambda asked, at, yes=yes: yes if asked.method == "PUT" else served(asked, at)
        )
        with pytest.raises(Uncertain):
            at.promote(name, version, before)
        assert (at.current(name), at.staged(name, "never-landed")) == (before, version)
    monkeypatch.undo()
    assert at.promote(name, version, before) == at.current(name) != before

"""What is peculiar to a copy in Google's Secret Manager, on drongo."""

from __future__ import annotations

import pytest

from rotator.credential import Leaked, Secret
from rotator.errors import Unavailable
from rotator.ports.abilities import Issuing
from rotator.ports.provider import State
from tests.contracts.cases.gcp_secret_version import LOOKS, connected, plant, ref_of
from tests.fakes.door import a_door
from tests.fakes.gcp_grants import guarded
from tests.refused import reason_of
from tests.servers.drongo import drongo


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with drongo(tmp_path_factory.mktemp("drongo")) as running:
        yield running


@pytest.fixture
def provider(server):
    return connected(server)


def test_it_makes_no_new_value(provider):
    assert not isinstance(provider, Issuing)


def test_what_whoever_asks_for_latest_is_given_is_never_touched(server, provider):
    name = server.secret()
    ref = ref_of(name, server.add(name, b"the only one"))
    assert reason_of(lambda: provider.suspend(ref)) == "still_latest"
    assert reason_of(lambda: provider.revoke(ref)) == "still_latest"
    assert provider.inspect(ref).state is State.ACTIVE


def test_what_was_destroyed_is_never_enabled_again(server, provider):
    ref, _ = plant(server)
    provider.revoke(ref)
    assert reason_of(lambda: provider.resume(ref)) == "destroyed"
    assert provider.inspect(ref).state is State.ABSENT


def test_version_1_of_a_secret_that_was_made_again_is_another_one(server, provider):
    ref, _ = plant(server)
    earlier = ref.with_id(f"{ref.owner}:1:20200101T000000Z")
    provider.revoke(earlier)
    provider.suspend(earlier)
    assert provider.inspect(earlier).state is State.ABSENT
    assert provider.inspect(ref).state is State.ACTIVE


def test_a_version_is_named_by_its_value_or_by_its_number(server, provider):
    ref, value = plant(server)
    full = f"projects/{server.project}/secrets/{ref.owner}"
    for named in (ref.owner, full):
        assert provider.identify(Leaked(id=named, secret=value)) == ref
    for named in (f"{ref.owner}:1", f"{ref.owner}#1", f"{full}/versions/1", ref.id):
        assert provider.identify(Leaked(id=named)) == ref
    for leaked in (Leaked(id=ref.owner), Leaked(secret=value), Leaked(id="a/b", secret=value)):
        assert reason_of(lambda leaked=leaked: provider.identify(leaked)) == "unreadable"
    assert reason_of(lambda: provider.identify(Leaked(id=ref.owner, secret=Secret("other")))) == "unknown_credential"
    assert reason_of(lambda: provider.identify(Leaked(id=f"{ref.owner}:9"))) == "unknown_credential"


def test_another_projects_secret_is_refused_offline_and_a_projects_number_is_not(server, provider):
    ref, value = plant(server)
    elsewhere = Leaked(id=f"projects/other/secrets/{ref.owner}", secret=value)
    assert reason_of(lambda: provider.identify(elsewhere)) == "not_this_account"
    assert provider.identify(Leaked(id=f"projects/123456/secrets/{ref.owner}", secret=value)) == ref


def test_a_destroyed_version_is_not_listed(server, provider):
    ref, _ = plant(server)
    provider.revoke(ref)
    assert ref not in {each.ref for each in provider.discover()}


def test_an_empty_answer_of_somebody_else_is_neither_gone_nor_done(server):
    ref, _ = plant(server)
    with a_door() as door:
        door.says(200, {})
        between = connected(server, endpoint_url=door.address)
        for ask in (between.inspect, between.suspend, between.revoke):
            with pytest.raises(Unavailable):
                ask(ref)


def test_what_is_granted_on_one_secret_is_told_of_that_one_alone(server):
    (ref, _), (other, _) = plant(server), plant(server)
    with guarded(server.endpoint_url, server.project) as guard:
        here = f"projects/{server.project}/secrets/{ref.owner}"
        guard.grants.give("of-one", *LOOKS, "secretmanager.versions.disable", on=here)
        narrow = connected(server, endpoint_url=guard.address, credential=lambda: Secret("of-one"))
        said = {each.needs.partition(" ")[0]: each.granted for each in narrow.permissions(ref.owner)}
        assert {need for need, granted in said.items() if granted} == {*LOOKS, "secretmanager.versions.disable"}
        assert set(said.values()) == {True, False}
        assert {each.granted for each in narrow.permissions(other.owner)} == {False}
        assert {each.granted for each in narrow.permissions(None)} == {None}
        assert reason_of(lambda: narrow.suspend(other)) == "access_denied"
        narrow.suspend(ref)
        assert reason_of(lambda: narrow.resume(ref)) == "access_denied"


def test_of_a_secret_that_is_not_there_nothing_is_promised(server):
    with guarded(server.endpoint_url, server.project) as guard:
        said = connected(server, endpoint_url=guard.address).permissions("nobody-has-this")
    assert {each.granted for each in said} == {None}
    assert all("there is no secret nobody-has-this" in each.why for each in said)


def test_an_emulator_that_knows_no_such_question_says_nothing(provider):
    assert {each.granted for each in provider.permissions(None)} == {None}

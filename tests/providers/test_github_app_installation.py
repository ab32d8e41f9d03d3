"""What is peculiar to installed apps: only people stop them, and GitHub says which are suspended and by whom."""

from __future__ import annotations

import pytest

from rotator.credential import Leaked
from rotator.errors import Rejected
from rotator.ports.abilities import Restorable, Suspendable
from rotator.ports.provider import State
from tests.contracts.cases.github_app_installation import connected, plant
from tests.fakes.github_trust import fake_trust


@pytest.fixture(scope="module")
def server():
    with fake_trust() as running:
        yield running


@pytest.fixture
def provider(server):
    return connected(server.address)


def test_it_claims_nothing_that_github_lets_the_apps_owner_alone_do(provider):
    assert not isinstance(provider, Suspendable | Restorable)


def test_a_suspended_one_is_said_to_be_and_by_whom(server, provider):
    ref, _ = plant(server)
    (installed,) = server.installations[ref.owner]
    installed.update(suspended_at="2026-11-23T10:00:00Z", suspended_by={"login": "ada"})
    seen = provider.inspect(ref)
    assert (seen.state, seen.facts["suspended_by"]) == (State.SUSPENDED, "ada")
    assert [each.facts["state"] for each in provider.discover() if each.ref == ref] == ["suspended"]


def test_it_is_named_by_its_number_too_and_what_it_may_do_is_kept_with_its_page(server, provider):
    ref, _ = plant(server)
    number = server.installations[ref.owner][0]["id"]
    assert provider.identify(Leaked(id=f"{ref.owner}/{number}")) == ref
    kept = provider.preserve(ref)
    assert (kept["may"], kept["page"].rpartition("/")[2]) == ("contents: write, metadata: read", str(number))


def test_one_on_the_second_page_is_found(server, provider):
    organization = server.organization()
    last = [server.install(organization) for _ in range(101)][-1]
    assert provider.identify(Leaked(id=f"{organization}/{last['app_slug']}")).owner == organization


@pytest.mark.parametrize(
    ("told", "reason"),
    [("octo-org", "unreadable"), ("a/b/c", "unreadable"), ("not-an-owner-there/app", "not_this_account")],
)
def test_what_is_none_of_ours_is_not_named(provider, told, reason):
    with pytest.raises(Rejected) as refusal:
        provider.identify(Leaked(id=told))
    assert refusal.value.reason == reason


def test_a_connection_to_one_organization_answers_for_that_one_alone(server):
    ours, _ = plant(server)
    theirs, _ = plant(server)
    provider = connected(server.address, ours.owner)
    assert {each.ref for each in provider.discover()} == {ours}
    with pytest.raises(Rejected) as refusal:
        provider.identify(Leaked(id=theirs.id))
    assert refusal.value.reason == "not_this_account"


def test_an_app_that_is_called_otherwise_or_installed_anew_is_found_by_its_number(server, provider):
    ref, _ = plant(server)
    (installed,) = server.installations[ref.owner]
    installed.update(app_slug="vendor-new", id=installed["id"] + 5000)
    seen = provider.inspect(ref)
    assert (seen.state, seen.facts["trusts"]) == (State.ACTIVE, "vendor-new")
    assert provider.identify(Leaked(id=ref.id)) == ref
    other = server.install(ref.owner)
    other["app_slug"] = ref.id.partition("/")[2].partition(":")[0]
    server.uninstall(ref.owner, "vendor-new")
    assert provider.inspect(ref).state is State.ABSENT, "another app took the name"
    assert provider.inspect(ref.with_id(ref.id.partition(":")[0])).state is State.ACTIVE, "of before it was kept"

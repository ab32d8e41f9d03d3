"""What is special about GitLab's tokens, tried on a fake of the published behaviour."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import httpx2
import pytest

from rotator.credential import CredentialRef, Leaked, Secret
from rotator.errors import BadInput, Rejected, Unavailable, Uncertain
from rotator.ports.connection import Connection
from rotator.ports.provider import Answer, State
from rotator.providers.gitlab_token import connect
from tests.fakes.door import a_door
from tests.fakes.fault_proxy import fault_proxy
from tests.fakes.gitlab_tokens import fake_gitlab

KIND = "gitlab_token"
SORTS = ["user", "project", "group"]


@pytest.fixture(scope="module")
def server():
    with fake_gitlab() as running:
        yield running


def connected(server, address=None, own=None):
    return connect(Connection("gl", "gitlab", None, address or server.address, lambda: own or server.own), KIND)


@pytest.fixture
def provider(server):
    return connected(server)


def planted(server, sort, **told):
    number = server.user() if sort == "user" else server.place(sort)
    token, secret = server.plant(sort, number, **told)
    return CredentialRef(KIND, "gl", f"{sort}/{number}", str(token)), secret


def test_it_asks_gitlab_com_unless_told_another():
    assert connect(Connection("gl", "gitlab"), KIND)._gitlab.address == "https://gitlab.com"
    with pytest.raises(BadInput):
        connect(Connection("gl", "gitlab", endpoint_url="gitlab.com"), KIND)


@pytest.mark.parametrize("sort", SORTS)
def test_a_token_goes_its_whole_way_whoever_owns_it(server, provider, sort):
    ref, secret = planted(server, sort, scopes=["api", "read_registry"])
    assert provider.identify(Leaked(secret=secret)) == ref
    kept = provider.preserve(ref)
    issued = provider.issue(ref, f"marker of a {sort}", kept)
    assert provider.marked(ref, f"marker of a {sort}") == issued.ref
    assert provider.siblings(ref) == {ref, issued.ref}
    provider.revoke(ref)
    assert provider.verify(ref, secret).reason == "revoked"
    assert provider.verify(issued.ref, issued.secret).answer is Answer.ACCEPTED
    made = server.tokens[int(issued.ref.id)]
    assert (made["scopes"], made.get("access_level")) == (["api", "read_registry"], None if sort == "user" else 40)
    assert made["expires_at"] == (datetime.now(UTC).date() + timedelta(days=90)).isoformat()
    assert not any("rotate" in call for call in server.asked)


def test_a_bots_role_is_kept_when_gitlab_has_forgotten_its_token(server, provider):
    ref, _ = planted(server, "project", access_level=20)
    kept = provider.preserve(ref)
    provider.revoke(ref)
    assert server.tokens[int(provider.issue(ref, "m", kept).ref.id)]["access_level"] == 20
    with pytest.raises(Rejected) as refusal:
        provider.issue(ref, "m", {})
    assert refusal.value.reason == "nothing_to_copy"


def test_a_user_who_calls_himself_like_a_bot_is_still_a_user(server, provider):
    user = server.user("project_1_bot_of_mine")
    number, secret = server.plant("user", user)
    assert provider.identify(Leaked(secret=secret)) == CredentialRef(KIND, "gl", f"user/{user}", str(number))


def test_what_somebody_rotated_is_absent_and_its_successor_lives_on(server, provider):
    """The successor trap: asked for the old one once more, `rotate` would end the new one. It is never asked."""
    ref, secret = planted(server, "user")
    path = f"{server.address}/api/v4/personal_access_tokens/{ref.id}/rotate"
    own = {"PRIVATE-TOKEN": server.own.reveal()}
    rotated = httpx2.post(path, headers=own).json()
    successor = ref.with_id(str(rotated["id"]))
    before = len(server.asked)
    provider.revoke(ref)
    assert provider.inspect(ref).state is State.ABSENT
    assert provider.siblings(ref) == {successor}
    assert provider.verify(ref, secret).answer is Answer.REJECTED
    assert provider.verify(successor, Secret(rotated["token"])).answer is Answer.ACCEPTED
    assert not any("rotate" in call for call in server.asked[before:])
    httpx2.post(path, headers=own)  # the trap is real in the fake
    assert provider.verify(successor, Secret(rotated["token"])).answer is Answer.REJECTED


def test_a_lost_answer_is_looked_for_by_its_marker(server, provider):
    ref, _ = planted(server, "group")
    with fault_proxy(server.address) as proxy:
        proxy.lose_answer(0)
        with pytest.raises(Uncertain):
            connected(server, proxy.address).issue(ref, "lost", {"scopes": '["read_api"]', "access_level": "30"})
    found = provider.marked(ref, "lost")
    assert found is not None
    provider.revoke(found)
    assert provider.siblings(ref) == {ref}


def test_the_words_of_a_refusal_are_told_apart_and_none_names_the_number(server, provider):
    ref, secret = planted(server, "user")
    server.expire(int(ref.id))
    expired, unheard = provider.verify(ref, secret), provider.verify(ref, Secret("glpat-" + "x" * 20))
    assert (expired.reason, unheard.reason) == ("expired", "unauthorized")
    assert not expired.names_id
    assert not unheard.names_id
    assert provider.inspect(ref).state is State.ABSENT


def test_who_may_not_ask_for_itself_is_inconclusive_and_so_is_another_token(server, provider):
    ref, secret = planted(server, "user")
    _, other = planted(server, "user")
    assert provider.verify(ref, other).mismatch
    server.scopeless.add(int(ref.id))
    assert provider.verify(ref, secret).answer is Answer.INCONCLUSIVE


def test_a_token_of_another_user_is_not_touched_under_this_ones_name(server, provider):
    (ref, _), (other, secret) = planted(server, "user"), planted(server, "user")
    with pytest.raises(Rejected) as refusal:
        provider.revoke(ref.with_id(other.id))
    assert refusal.value.reason == "not_this_account"
    assert provider.verify(other, secret).answer is Answer.ACCEPTED


def test_who_is_no_administrator_is_told_so(server):
    ref, _ = planted(server, "user")
    _, weak = planted(server, "user")
    with pytest.raises(Rejected) as refusal:
        connected(server, own=weak).revoke(ref)
    assert refusal.value.reason == "permission_denied"


def test_its_own_token_is_known_by_its_number(server, provider):
    assert provider.own() == str(server.own_id)


def test_a_report_without_the_token_must_name_number_and_owner(provider):
    named = provider.identify(Leaked(id="7", owner="project/3"))
    assert (named.owner, named.id) == ("project/3", "7")
    with pytest.raises(Rejected):
        provider.identify(Leaked(id="7"))


PAGE = "<html>Please sign in</html>"


@pytest.mark.parametrize(
    ("status", "body"), [(200, PAGE), (200, {}), (200, []), (404, PAGE), (404, {"message": "no Route"})]
)
def test_what_somebody_in_between_answers_is_no_word_of_gitlab(server, provider, status, body):
    ref, secret = planted(server, "project")
    with a_door() as door:
        door.says(status, body)
        between = connected(server, door.address)
        for ask in (between.inspect, between.revoke, lambda _: between.identify(Leaked(secret=secret))):
            with pytest.raises((Rejected, Unavailable)) as refusal:
                ask(ref)
            assert refusal.value.reason in {"answer_unreadable", f"http_{status}"}
    assert provider.inspect(ref).state is State.ACTIVE


@pytest.mark.parametrize(
    "body", [{"message": "Unauthorized"}, {"error": "unauthorized", "message": "session expired"}, PAGE]
)
def test_a_gateways_401_is_no_death(server, body):
    ref, secret = planted(server, "user")
    with a_door() as door:
        door.says(401, body)
        assert connected(server, door.address).verify(ref, secret).answer is Answer.INCONCLUSIVE
        with pytest.raises(Unavailable):
            connected(server, door.address).identify(Leaked(secret=secret))


def test_a_yes_to_a_deletion_that_is_not_gitlabs_is_uncertain(server, monkeypatch):
    ref, _ = planted(server, "group")
    served = server.answer
    monkeypatch.setattr(
        server, "answer", lambda asked, at: (200, {"ok": True}, {}) if asked.method == "DELETE" else served(asked, at)
    )
    with pytest.raises(Uncertain):
        connected(server).revoke(ref)

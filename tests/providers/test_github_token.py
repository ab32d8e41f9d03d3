"""What is special about GitHub's tokens, tried on a fake of the published behaviour."""

from __future__ import annotations

import base64
import hashlib

import pytest

from rotator.credential import CredentialRef, Leaked, Secret
from rotator.errors import BadInput, Rejected, RotatorError, Unavailable
from rotator.flow.playbook_words import Strategy
from rotator.ports.abilities import ONE_OF_MANY
from rotator.ports.connection import Connection
from rotator.ports.provider import Answer
from rotator.providers.github_token import connect, hashed
from tests.fakes.deployment import PLAYBOOKS, Deployment, Outside, broken_chains, scoped, sqlite
from tests.fakes.door import a_door
from tests.fakes.fault_proxy import FAILED, LOST_ANSWER, fault_proxy
from tests.fakes.github_server import ANONYMOUS, HOUR_S, github_server
from tests.fakes.world import World

KIND = "github_token"
PREFIXES = ["ghp_", "gho_", "ghu_", "ghr_", "github_pat_"]


@pytest.fixture
def server():
    with github_server() as running:
        yield running


def connected(address, **more):
    return connect(Connection("github", "github", endpoint_url=address, **more), KIND)


@pytest.fixture
def provider(server):
    return connected(server.address)


def named(token, owner="dev"):
    return CredentialRef(KIND, "github", owner, hashed(token))


def revoked(provider, *tokens):
    return list(provider.revoke_all([(named(token), token) for token in tokens]))


def refusal(act):
    with pytest.raises(RotatorError) as raised:
        act()
    return raised.value


def test_it_asks_githubs_own_address_unless_told_another():
    assert connected(None)._github.address == "https://api.github.com"
    with pytest.raises(BadInput):
        connected("api.github.com")


def test_a_token_is_named_as_githubs_audit_log_names_it(server, provider):
    token = server.plant("dev")
    ref = provider.identify(Leaked(secret=token))
    digest = hashlib.sha256(token.reveal().encode()).digest()
    assert ref == CredentialRef(KIND, "github", "dev", base64.b64encode(digest).decode())


@pytest.mark.parametrize("prefix", PREFIXES)
def test_every_sort_of_token_that_githubs_call_takes_is_revoked(server, provider, prefix):
    token = server.plant("dev", prefix)
    assert provider.identify(Leaked(secret=token)).id == hashed(token)
    assert revoked(provider, token) == [None]
    assert not server.opens(token)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("ghp_tooShort", "unreadable"),
        ("github_pat_" + "a" * 40, "unreadable"),
        ("ghp_" + "a" * 30 + " " + "b" * 6, "unreadable"),
        ("a" * 40, "unreadable"),
        ("ghs_" + "a" * 36, "installation_token"),
    ],
)
def test_what_is_no_such_token_is_sent_to_nobody(server, provider, text, reason):
    assert refusal(lambda: provider.identify(Leaked(secret=Secret(text)))).reason == reason
    assert server.asked == []


def test_an_id_alone_is_not_enough_and_another_tokens_id_is_refused(server, provider):
    token = server.plant("dev")
    assert refusal(lambda: provider.identify(Leaked(id=hashed(token)))).reason == "needs_secret"
    assert refusal(lambda: provider.identify(Leaked(id="other", secret=token))).reason == "mispaired"
    assert server.asked == []


def test_a_token_that_github_does_not_know_is_not_taken_for_one_of_its(provider):
    token = Secret("ghp_" + "a" * 36)
    assert refusal(lambda: provider.identify(Leaked(secret=token))).reason == "unknown_credential"
    assert provider.verify(named(token), token).answer is Answer.REJECTED
    assert revoked(provider, token) == [None]


def test_a_gateways_401_is_not_githubs_word():
    token = Secret("ghp_" + "x" * 36)
    with a_door() as door:
        door.says(401, {"message": "Unauthorized"})
        assert refusal(lambda: connected(door.address).identify(Leaked(secret=token))).reason == "http_401"


def test_a_suspended_owner_is_no_dead_token(server, provider):
    token = server.plant("dev")
    server.suspended.add("dev")
    verdict = provider.verify(named(token), token)
    assert (verdict.answer, verdict.reason) == (Answer.INCONCLUSIVE, "http_403")
    assert refusal(lambda: provider.identify(Leaked(secret=token))).reason == "http_403"


def test_a_refresh_token_is_never_knocked_with_since_it_is_always_refused(server, provider):
    token = server.plant("dev", "ghr_")
    assert provider.identify(Leaked(secret=token)).owner == ""
    verdict = provider.verify(named(token, ""), token)
    assert (verdict.answer, verdict.reason) == (Answer.INCONCLUSIVE, "a_refresh_token_opens_no_door")
    assert server.asked == []


def test_another_material_is_no_answer_about_this_token(server, provider):
    token, other = server.plant("dev"), server.plant("dev")
    verdict = provider.verify(named(token), other)
    assert (verdict.answer, verdict.mismatch) == (Answer.INCONCLUSIVE, True)
    assert server.asked == []


def test_refused_knocks_use_up_none_of_the_calls_that_revoking_has(server, provider):
    dead = server.plant("dev")
    assert revoked(provider, dead) == [None]
    verdicts = {provider.verify(named(dead), dead).answer for _ in range(ANONYMOUS + 5)}
    assert verdicts == {Answer.REJECTED}
    assert revoked(provider, server.plant("dev")) == [None]


def test_used_up_calls_are_a_wait_until_githubs_hour_is_over(server, provider):
    for _ in range(ANONYMOUS):
        revoked(provider, server.plant("dev"))
    server.pass_time(600.0)
    token = server.plant("dev")
    error = refusal(lambda: revoked(provider, token))
    assert isinstance(error, Unavailable)
    assert (error.reason, error.retry_after) == ("throttled", HOUR_S - 600.0)
    server.pass_time(HOUR_S - 600.0)
    assert revoked(provider, token) == [None]
    assert not server.opens(token)


def test_a_thousand_go_at_once_and_more_are_refused_as_a_whole(server, provider):
    tokens = [server.plant("dev") for _ in range(1001)]
    error = refusal(lambda: revoked(provider, *tokens))
    assert (type(error), error.reason) == (Rejected, ONE_OF_MANY)
    assert all(map(server.opens, tokens))
    assert revoked(provider, *tokens[1:]) == [None] * 1000
    assert not any(map(server.opens, tokens[1:]))


def test_what_has_no_material_any_more_is_refused_alone(server, provider):
    token = server.plant("dev")
    lost, ours = provider.revoke_all([(named(server.plant("dev")), None), (named(token), token)])
    assert (lost.reason, ours) == ("needs_secret", None)
    assert server.revocations == [1]
    (lost,) = provider.revoke_all([(named(token), None)])
    assert lost.reason == "needs_secret"
    assert server.revocations == [1]
    assert refusal(lambda: provider.revoke(named(token))).reason == "needs_secret"


def test_the_rotators_own_token_is_never_sent_along(server):
    own = server.plant("rotator")
    provider = connected(server.address, credential=lambda: own)
    assert revoked(provider, server.plant("dev")) == [None]


@pytest.mark.parametrize(
    ("fault", "reason"), [(LOST_ANSWER, "Uncertain connection_lost"), (FAILED, "Uncertain http_500")]
)
def test_a_lost_answer_may_have_been_heard_and_asking_again_does_no_harm(server, fault, reason):
    token = server.plant("dev")
    with fault_proxy(server.address) as proxy:
        provider = connected(proxy.address)
        proxy.every(fault)
        error = refusal(lambda: revoked(provider, token))
        assert f"{type(error).__name__} {error.reason}" == reason
        assert server.opens(token) is not fault.acted
        proxy.pass_all()
        assert revoked(provider, token) == [None]
    assert not server.opens(token)


def test_the_playbook_waits_until_the_host_is_isolated_then_all_die_in_one_call(tmp_path):
    """GitHub works a revocation off after its answer: until then the knocks say that the token lives."""
    world = World()
    with github_server(delay_s=7.0) as server:
        provider = connected(server.address)
        deployment = Deployment(world, Outside({(KIND, "github"): provider}), sqlite(tmp_path / "ledger.db"))
        tokens = [server.plant(f"dev-{number % 3}") for number in range(40)]
        wait_until = world.wait_until

        def together(moment):
            server.pass_time(max(0.0, moment - world.now()))
            wait_until(moment)

        world.wait_until = together
        stolen = [scoped(provider.identify(Leaked(secret=token)), token) for token in tokens]
        deployment.start(stolen)
        deployment.rest()
        assert server.revocations == []
        assert all(map(server.opens, tokens))
        deployment.gates.set("inc-1", "host_isolated", "ann", "the cable is out", is_open=True)
        began = world.now()
        deployment.rest()
        assert server.revocations == [40]
        runs = deployment.record().runs
        assert {each.run.evidence for each in runs} == {"proven"}
        assert min(each.run.dead_at for each in runs) >= began + 7.0
        assert broken_chains(deployment) == []
        kept = str([deployment.rows(table) for table in ("run", "branch", "step", "evidence", "proof", "exposure")])
        assert not [token for token in tokens if token.reveal() in kept]
        deployment.database.close()


def test_it_is_only_ever_revoked_since_no_call_makes_another(provider):
    assert PLAYBOOKS[KIND].strategies == [Strategy.REVOKE_ONLY]
    assert not hasattr(provider, "issue")

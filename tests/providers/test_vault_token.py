"""What is special about Vault tokens, tried on a real OpenBao server."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor

import pytest

from rotator.credential import CredentialRef, Leaked, Secret
from rotator.errors import BadInput, Rejected, Unavailable, Uncertain
from rotator.families import vault_accessors
from rotator.ports.abilities import Issuing, SessionEnding, Suspendable
from rotator.ports.connection import Connection
from rotator.ports.provider import Answer, State
from rotator.practice.openbao import ROTATOR_POLICY, openbao
from rotator.providers.vault_token import connect
from tests.fakes.fault_proxy import fault_proxy
from tests.refused import reason_of
from tests.servers.vault_policies import QUESTION, assert_told_truly, lacking_one

MARKER = "rotator-run-7-issue"
POLICY = ROTATOR_POLICY.partition('path "secret')[0] + 'path "auth/token/roles" { capabilities = ["list"] }'


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with openbao(tmp_path_factory.mktemp("openbao")) as running:
        running.write_policy("app", 'path "secret/data/app/*" { capabilities = ["read"] }')
        yield running


@pytest.fixture(scope="module")
def proxy(server):
    with fault_proxy(server.address) as standing:
        yield standing


def connected(address: str, own: Secret, **more: object):
    return connect(Connection("vault", "vault", endpoint_url=address, credential=lambda: own, **more), "vault_token")


@pytest.fixture
def provider(server, proxy):
    proxy.pass_all()
    return connected(proxy.address, server.rotator.token)


def ref_of(planted, owner: str = "ci") -> CredentialRef:
    return CredentialRef("vault_token", "vault", owner, planted.accessor)


def lookup(server, accessor: str) -> dict:
    return server.call("POST", "auth/token/lookup-accessor", {"accessor": accessor})["data"]


def login(server, name: str) -> tuple[str, Secret]:
    """Let a person log in with a password; return the token's accessor and the token."""
    if "userpass/" not in server.call("GET", "sys/auth"):
        server.call("POST", "sys/auth/userpass", {"type": "userpass"})
    server.call("POST", f"auth/userpass/users/{name}", {"password": "p", "token_policies": "app"})
    auth = server.call("POST", f"auth/userpass/login/{name}", {"password": "p"})["auth"]
    return auth["accessor"], Secret(auth["client_token"])


def test_it_claims_no_more_than_vault_can(provider):
    assert isinstance(provider, Issuing)
    assert not isinstance(provider, Suspendable)
    assert not isinstance(provider, SessionEnding)


def test_an_empty_token_is_never_asked_for_as_the_server_would_name_the_asker(provider, proxy):
    for nothing in ("", " ", "s.with space inside it 1234567", "s.line\nbreak", "s.ünïcode"):
        assert reason_of(lambda text=nothing: provider.identify(Leaked(secret=Secret(text)))) == "unreadable"
    assert proxy.calls == []


def test_a_truncated_token_is_not_even_sent(provider, proxy, server):
    token = server.plant("app", "ci").token
    assert reason_of(lambda: provider.identify(Leaked(secret=Secret(token.reveal()[:-1])))) == "unreadable"
    assert proxy.calls == []


def test_an_accessor_alone_names_the_token(provider, server):
    planted = server.plant("app", "ci")
    assert provider.identify(Leaked(id=planted.accessor)) == ref_of(planted)
    assert reason_of(lambda: provider.identify(Leaked(id="A" * 24))) == "unknown_credential"


def test_an_accessor_names_what_is_left_of_a_token_cannot(provider, proxy, server):
    planted = server.plant("app", "ci")
    leaked = Leaked(id=planted.accessor, secret=Secret(planted.token.reveal()[:-6]))
    assert provider.identify(leaked) == ref_of(planted)
    assert proxy.calls == ["POST /v1/auth/token/lookup-accessor"]


def test_an_accessor_beside_another_tokens_material_is_mispaired(provider, server):
    one, other = server.plant("app", "ci"), server.plant("app", "ci")
    assert reason_of(lambda: provider.identify(Leaked(id=one.accessor, secret=other.token))) == "mispaired"
    verdict = provider.verify(ref_of(one), other.token)
    assert (verdict.answer, verdict.mismatch) == (Answer.INCONCLUSIVE, True)


def test_a_dead_token_whose_accessor_is_reported_too_is_unknown(provider, server):
    planted = server.plant("app", "ci")
    provider.revoke(ref_of(planted))
    leaked = Leaked(id=planted.accessor, secret=planted.token)
    assert reason_of(lambda: provider.identify(leaked)) == "unknown_credential"


def test_a_token_reported_for_another_server_or_account_is_not_sent(server, proxy):
    proxy.pass_all()
    token = server.plant("app", "ci").token
    mine = connected(proxy.address, server.rotator.token, account="prod")
    for elsewhere in (Leaked(secret=token, address="https://vault.example:8200"), Leaked(secret=token, account="dev")):
        assert reason_of(lambda leaked=elsewhere: mine.identify(leaked)) == "not_this_account"
    assert proxy.calls == []
    assert mine.identify(Leaked(secret=token, address=proxy.address, account="prod")).owner == "ci"


def test_a_batch_token_is_called_what_it_is(provider, server):
    auth = server.call("POST", "auth/token/create", {"policies": ["app"], "type": "batch", "ttl": "1h"})["auth"]
    assert reason_of(lambda: provider.identify(Leaked(secret=Secret(auth["client_token"])))) == "batch_token"


def test_tokens_without_a_name_are_owners_by_themselves(provider, server):
    one, other = server.plant("app"), server.plant("app")
    ref = provider.identify(Leaked(secret=one.token))
    assert ref.owner == one.accessor
    assert provider.siblings(ref) == {ref}
    issued = provider.issue(ref, MARKER, provider.preserve(ref))
    assert provider.siblings(ref) == {ref, issued.ref}
    assert provider.identify(Leaked(secret=other.token)) not in provider.siblings(ref)


def test_a_live_token_that_may_not_look_itself_up_is_not_taken_for_dead(provider, server):
    planted = server.plant("app", "narrow", no_default_policy=True)
    ref = ref_of(planted, "narrow")
    assert provider.verify(ref, planted.token).answer is Answer.ACCEPTED
    provider.revoke(ref)
    assert provider.verify(ref, planted.token).answer is Answer.REJECTED


def test_a_refusal_never_names_the_id_as_a_live_token_bound_elsewhere_gets_the_same(provider, server):
    server.call("POST", "auth/token/roles/bound", {"token_bound_cidrs": ["10.9.8.0/24"], "allowed_policies": "app"})
    auth = server.call("POST", "auth/token/create/bound", {"display_name": "bound"})["auth"]
    ref = CredentialRef("vault_token", "vault", "bound", auth["accessor"])
    verdict = provider.verify(ref, Secret(auth["client_token"]))
    assert (verdict.answer, verdict.names_id) == (Answer.REJECTED, False)
    assert provider.inspect(ref).state is State.ACTIVE
    assert provider.inspect(ref).facts["bound_cidrs"] == "10.9.8.0/24"


@pytest.mark.parametrize(
    ("status", "words"),
    [(503, "Vault is sealed"), (500, "internal error"), (502, "bad gateway"), (404, "no handler"), (307, "")],
)
def test_a_server_that_cannot_answer_proves_nothing(provider, proxy, server, status, words):
    planted = server.plant("app", "ci")
    proxy.answer(status, {"Location": "http://127.0.0.1:9/"}, json.dumps({"errors": [words]}).encode())
    verdict = provider.verify(ref_of(planted), planted.token)
    assert verdict.answer is Answer.INCONCLUSIVE
    assert len(proxy.calls) == 1  # a redirect is not followed with the token in hand


def test_vaults_words_for_an_invalid_token_are_a_refusal_too(provider, proxy, server):
    planted = server.plant("app", "ci")
    proxy.answer(403, body=b'{"errors": ["2 errors occurred:\\n\\t* permission denied\\n\\t* invalid token\\n\\n"]}')
    assert provider.verify(ref_of(planted), planted.token).answer is Answer.REJECTED


def test_revoking_takes_children_and_is_done_when_vault_says_invalid_accessor(provider, proxy, server):
    policy = 'path "auth/token/create" { capabilities = ["update"] }'
    server.write_policy("parent", policy)
    parent = server.plant("parent", "parent")
    child = connected(server.address, parent.token)._vault.change("POST", "auth/token/create", {"ttl": "1h"})
    provider.revoke(ref_of(parent, "parent"))
    assert provider.inspect(ref_of(parent).with_id(child.body["auth"]["accessor"])).state is State.ABSENT
    proxy.answer(403, body=b'{"errors": ["1 error occurred:\\n\\t* invalid accessor\\n\\n"]}')
    provider.revoke(ref_of(parent, "parent"))
    assert provider.inspect(ref_of(parent, "parent")).state is State.ABSENT


def test_a_replacement_has_the_rights_and_limits_of_the_exposed_after_that_is_gone(provider, server):
    limits = {"explicit_max_ttl": "72h", "num_uses": 5, "meta": {"team": "payments"}, "no_default_policy": True}
    planted = server.plant("app", "ci bot", **limits)
    ref = provider.identify(Leaked(secret=planted.token))
    kept = provider.preserve(ref)
    provider.revoke(ref)
    issued = provider.issue(ref, MARKER, kept)
    made = lookup(server, issued.ref.id)
    assert issued.ref.owner == ref.owner == "ci-bot"
    assert made["policies"] == ["app"]
    assert made["display_name"] == "token-ci-bot"
    assert (made["creation_ttl"], made["explicit_max_ttl"]) == (3600, 72 * 3600)
    assert made["num_uses"] == 6  # one for the knock before its delivery
    assert made["meta"] == {"team": "payments", "rotator_marker": MARKER}
    assert made["orphan"]


def test_a_periodic_and_a_single_minded_token_keep_their_nature(provider, server):
    periodic = provider.identify(Leaked(secret=server.plant("app", "periodic", period="24h").token))
    made = lookup(server, provider.issue(periodic, MARKER, provider.preserve(periodic)).ref.id)
    assert (made["period"], made["renewable"]) == (24 * 3600, True)
    fixed = provider.identify(Leaked(secret=server.plant("app", "fixed", renewable=False).token))
    assert not lookup(server, provider.issue(fixed, MARKER, provider.preserve(fixed)).ref.id)["renewable"]


def test_a_replacement_outlives_the_rotators_own_token(server):
    own = server.plant("rotator", "rotator-old")
    provider = connected(server.address, own.token)
    ref = provider.identify(Leaked(secret=server.plant("app", "ci").token))
    issued = provider.issue(ref, MARKER, provider.preserve(ref))
    server.call("POST", "auth/token/revoke-accessor", {"accessor": own.accessor})
    assert provider.verify(issued.ref, issued.secret).answer is Answer.ACCEPTED


def test_a_token_of_a_role_is_replaced_through_that_role(provider, server):
    role = {"allowed_policies": "app", "orphan": True, "token_period": "2h", "token_bound_cidrs": ["127.0.0.0/8"]}
    server.call("POST", "auth/token/roles/svc", role)
    auth = server.call("POST", "auth/token/create/svc", {"display_name": "svc"})["auth"]
    ref = provider.identify(Leaked(secret=Secret(auth["client_token"])))
    kept = provider.preserve(ref)
    provider.revoke(ref)
    issued = provider.issue(ref, MARKER, kept)
    made = lookup(server, issued.ref.id)
    assert (made["role"], made["creation_ttl"], made["bound_cidrs"]) == ("svc", 7200, ["127.0.0.0/8"])
    assert provider.verify(issued.ref, issued.secret).answer is Answer.ACCEPTED
    assert provider.marked(ref, MARKER) == issued.ref


def test_a_token_from_a_login_is_revoked_but_not_minted_behind_the_logins_back(provider, server):
    accessor, token = login(server, "bob")
    ref = provider.identify(Leaked(secret=token))
    assert (ref.owner, ref.id) == ("userpass-bob", accessor)
    assert reason_of(lambda: provider.issue(ref, MARKER, provider.preserve(ref))) == "login_token"
    provider.revoke(ref)
    assert provider.verify(ref, token).answer is Answer.REJECTED


def test_a_gone_token_of_which_nothing_was_preserved_cannot_be_copied(provider, server):
    planted = server.plant("app", "ci")
    provider.revoke(ref_of(planted))
    assert provider.preserve(ref_of(planted)) == {"state": "absent"}
    assert reason_of(lambda: provider.issue(ref_of(planted), MARKER, {})) == "nothing_to_copy"


def test_a_lost_issue_is_uncertain_and_found_by_its_marker(provider, proxy, server):
    ref = ref_of(server.plant("app", "lost"), "lost")
    kept = provider.preserve(ref)
    proxy.lose_answer(0)
    with pytest.raises(Uncertain) as lost:
        provider.issue(ref, MARKER, kept)
    assert lost.value.reason == "connection_lost"
    assert len(proxy.calls) == 1  # the client library did not mint again by itself
    proxy.pass_all()
    found = provider.marked(ref, MARKER)
    assert found is not None
    assert provider.siblings(ref) == {ref, found}


def test_a_root_token_is_replaced_only_by_one_who_is_root(server):
    root = server.call("POST", "auth/token/create-orphan", {"policies": ["root"], "display_name": "breakglass"})["auth"]
    for own, expected in ((server.rotator.token, "refused"), (server.root, None)):
        provider = connected(server.address, own)
        ref = provider.identify(Leaked(secret=Secret(root["client_token"])))
        kept = provider.preserve(ref)
        if expected:
            assert reason_of(lambda p=provider, r=ref, k=kept: p.issue(r, MARKER, k)) == expected
        else:
            assert lookup(server, provider.issue(ref, MARKER, kept).ref.id)["policies"] == ["root"]


def test_each_accessor_is_looked_up_once_in_the_processs_life(provider, proxy, server):
    ref = ref_of(server.plant("app", "counted"), "counted")
    provider.siblings(ref)
    proxy.pass_all()
    sister = server.plant("app", "counted")
    assert provider.siblings(ref) == {ref, ref_of(sister, "counted")}
    assert len(proxy.calls) == 2  # the list, and the new one
    provider.revoke(ref)
    assert provider.siblings(ref) == {ref_of(sister, "counted")}


def test_more_tokens_than_one_calls_time_allows_are_read_in_several(provider, server, monkeypatch):
    ref = ref_of(server.plant("app", "many"), "many")
    monkeypatch.setattr(vault_accessors, "BEGINS_S", -1.0)
    reader = vault_accessors.Accessors(provider._vault)
    monkeypatch.setattr(reader, "_lock", _Unlocked())
    with pytest.raises(Unavailable) as more:
        reader.read()
    assert more.value.reason == "accessors_not_all_read"
    monkeypatch.undo()
    assert ref.id in vault_accessors.Accessors(provider._vault).read()


class _Unlocked:
    def acquire(self, timeout: float) -> bool:
        return timeout < 0

    def release(self) -> None: ...


def test_without_sudo_on_the_list_siblings_are_refused_and_not_called_none(server):
    server.write_policy("half", 'path "auth/token/lookup*" { capabilities = ["update"] }')
    half = connected(server.address, server.plant("half", "half").token)
    ref = half.identify(Leaked(secret=server.plant("app", "ci").token))
    assert reason_of(lambda: half.siblings(ref)) == "permission_denied"
    assert reason_of(lambda: half.revoke(ref)) == "permission_denied"


def test_its_own_dead_token_is_told_apart_from_a_lack_of_rights(server):
    own = server.plant("rotator", "dead-rotator")
    provider = connected(server.address, own.token)
    server.call("POST", "auth/token/revoke-accessor", {"accessor": own.accessor})
    leaked = Leaked(secret=server.plant("app", "ci").token)
    assert reason_of(lambda: provider.identify(leaked)) == "own_credential_refused"


def test_its_own_token_may_be_the_document_that_a_rotation_delivered(server):
    document = json.dumps({"id": server.rotator.accessor, "token": server.rotator.token.reveal()})
    planted = server.plant("app", "ci")
    assert connected(server.address, Secret(document)).identify(Leaked(secret=planted.token)) == ref_of(planted)
    for broken in ('{"id": "x"}', "{not json"):
        provider = connected(server.address, Secret(broken))
        assert reason_of(lambda p=provider: p.identify(Leaked(secret=planted.token))) == "no_credential"


def test_its_own_rotated_token_is_picked_up_at_the_next_call(server):
    held = [server.plant("app", "too-narrow").token]
    provider = connect(
        Connection("vault", "vault", endpoint_url=server.address, credential=lambda: held[0]), "vault_token"
    )
    planted = server.plant("app", "ci")
    assert reason_of(lambda: provider.inspect(ref_of(planted))) == "permission_denied"
    held[0] = server.rotator.token
    assert provider.inspect(ref_of(planted)).state is State.ACTIVE


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ((429, "request path rate limit quota exceeded"), Unavailable("throttled")),
        ((503, "Vault is sealed"), Unavailable("sealed_or_standby")),
        ((500, "internal error"), Uncertain("server_error")),
        ((502, ""), Uncertain("server_error")),
        ((307, ""), Unavailable("redirected")),
        ((403, "1 error occurred:\n\t* permission denied\n\n"), Rejected("permission_denied")),
    ],
)
def test_each_answer_to_a_change_has_its_meaning(provider, proxy, server, answer, expected):
    ref = ref_of(server.plant("app", "ci"))
    status, words = answer
    proxy.answer(status, {"Location": "http://127.0.0.1:9/"}, json.dumps({"errors": [words]}).encode())
    with pytest.raises(type(expected)) as raised:
        provider.revoke(ref)
    assert raised.value.reason == expected.reason
    assert len(proxy.calls) == 1


def test_a_named_time_is_passed_on(provider, proxy, server):
    ref = ref_of(server.plant("app", "ci"))
    proxy.answer(429, {"Retry-After": "7"})
    with pytest.raises(Unavailable) as raised:
        provider.revoke(ref)
    assert raised.value.retry_after == 7


def test_an_echoed_token_does_not_reach_the_error(provider, proxy, server):
    planted = server.plant("app", "ci")
    proxy.answer(400, body=json.dumps({"errors": [f"cannot look up {planted.token.reveal()}"]}).encode())
    with pytest.raises(Rejected) as refusal:
        provider.identify(Leaked(secret=planted.token))
    assert planted.token.reveal() not in str(refusal.value)


def test_a_connection_without_an_address_is_one_clear_line(monkeypatch):
    monkeypatch.delenv("VAULT_ADDR", raising=False)
    with pytest.raises(BadInput, match="vault-prod: a vault connection needs an address"):
        connect(Connection("vault-prod", "vault"), "vault_token")


def test_siblings_are_right_for_32_threads_that_start_together(server):
    provider = connected(server.address, server.rotator.token)
    refs = [ref_of(server.plant("app", f"owner-{n}"), f"owner-{n}") for n in range(32)]
    with ThreadPoolExecutor(32) as pool:
        assert list(pool.map(provider.siblings, refs)) == [frozenset({ref}) for ref in refs]


def test_every_token_is_listed_with_its_owner_and_age(provider, server):
    planted = server.plant("app", "listed")
    facts = {each.ref: each.facts for each in provider.discover()}[ref_of(planted, "listed")]
    assert facts["created_at"] == lookup(server, planted.accessor)["issue_time"]
    assert (facts["state"], facts["path"]) == ("active", "auth/token/create")


def test_its_own_accessor_is_told_and_asked_once_for_each_token(server, proxy):
    first, second = server.rotator, server.plant("rotator", "rotator", ttl="1h")
    own = [first.token]
    connection = Connection("vault", "vault", endpoint_url=proxy.address, credential=lambda: own[0])
    proxy.pass_all()
    provider = connect(connection, "vault_token")
    assert [provider.own(), provider.own()] == [first.accessor] * 2
    own[0] = second.token
    assert [provider.own(), provider.own()] == [second.accessor] * 2
    assert len(proxy.calls) == 2


def test_its_own_token_is_told_where_none_is_configured(server, monkeypatch):
    monkeypatch.setenv("VAULT_TOKEN", server.rotator.token.reveal())
    assert connected(server.address, None).own() == server.rotator.accessor


def test_a_refused_token_of_its_own_is_an_error_and_not_remembered(server, proxy):
    proxy.pass_all()
    dead = server.plant("rotator", "rotator", ttl="1h")
    server.call("POST", "auth/token/revoke-accessor", {"accessor": dead.accessor})
    provider = connected(proxy.address, dead.token)
    assert [reason_of(provider.own) for _ in range(2)] == ["own_credential_refused"] * 2
    assert len(proxy.calls) == 2


@pytest.mark.parametrize("lacking", lacking_one(POLICY), ids=lambda each: each[0].replace("/", "."))
def test_without_one_capability_what_is_refused_is_told_and_the_rest_is_done(server, lacking):
    server.write_policy("lacking", lacking[1] + QUESTION)
    narrow = connected(server.address, server.plant("lacking", no_default_policy=True).token)
    server.call("POST", "auth/token/roles/asked", {"allowed_policies": "app"})
    made = server.call("POST", "auth/token/create/asked", {"policies": ["app"], "display_name": "of-a-role"})["auth"]
    exposed, of_a_role = (
        server.plant("app", "asked"),
        CredentialRef("vault_token", "vault", "of-a-role", made["accessor"]),
    )
    ref = ref_of(exposed, "asked")
    kept = {each: connected(server.address, server.rotator.token).preserve(each) for each in (ref, of_a_role)}
    acts = {
        "look": lambda: (
            narrow.own(),
            narrow.identify(Leaked(secret=exposed.token)),
            narrow.inspect(ref),
            narrow.siblings(ref),
        ),
        "preserve": lambda: narrow.preserve(ref),
        "issue": lambda: (
            [narrow.issue(each, MARKER, kept[each]) for each in kept],
            narrow.marked(ref, MARKER),
            narrow.preserve(ref),
        ),
        "revoke": lambda: narrow.revoke(ref),
    }
    assert assert_told_truly(narrow, ref.owner, acts) != {True}


def test_without_sudo_only_a_token_with_the_rotators_own_policies_is_minted_and_nobody_says_more(server):
    rules = ROTATOR_POLICY.replace('"update", "sudo"', '"update"')
    server.write_policy("without-sudo", rules)
    narrow = connected(server.address, server.plant("without-sudo").token)
    told = {each.needs: each for each in narrow.permissions(None)}
    assert told["update on auth/token/create-orphan"].granted
    assert told["sudo on auth/token/create-orphan"].granted is None
    assert reason_of(lambda: narrow.issue(ref_of(server.plant("app", "ci")), MARKER, {})) == "refused"
    assert narrow.issue(ref_of(server.plant("without-sudo", "ci")), MARKER, {}).secret


def test_a_token_with_the_policy_root_is_minted_for_a_root_token_alone_and_that_is_told(server):
    needs = "root on auth/token/create-orphan"
    narrow, root = (connected(server.address, own) for own in (server.rotator.token, server.root))
    assert [each.granted for each in narrow.permissions("root") if each.needs == needs] == [None]
    assert {each.granted for each in root.permissions("root")} == {True}
    ref = ref_of(server.plant("root", "root"), "root")
    assert reason_of(lambda: narrow.issue(ref, MARKER, {})) == "refused"
    assert root.issue(ref, MARKER, {}).secret

"""What a Vault server says of the rotator's own token: of one owner, of all there are, and of those nobody sees."""

from __future__ import annotations

from itertools import count

import pytest

from rotator.credential import Secret
from rotator.errors import Unavailable
from rotator.families import vault_permissions
from rotator.permissions import LOOK, Permission
from rotator.ports.connection import Connection
from rotator.practice.openbao import OpenBao, openbao
from rotator.providers import vault_token
from rotator.providers.vault_approle_secret_id import VaultAppRoleSecretId
from rotator.stores import vault_kv
from tests.contracts.cases.vault_approle_secret_id import KIND, POLICY, prepared
from tests.fakes.http_server import Request, listening
from tests.refused import reason_of

DESTROY = "auth/approle/role/{}/secret-id-accessor/destroy"
POLICIES = (f"other-{number}" for number in count(1))


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    with openbao(tmp_path_factory.mktemp("openbao")) as found:
        prepared(found)
        yield found


@pytest.fixture
def server(running):
    for role in ("one", "other"):
        running.call("POST", f"auth/approle/role/{role}", {})
    return running


def provider(address: str, own: Secret) -> VaultAppRoleSecretId:
    return VaultAppRoleSecretId(Connection("vault", "vault", endpoint_url=address, credential=lambda: own), KIND)


def bearer(server: OpenBao, rules: str, **properties: object) -> VaultAppRoleSecretId:
    name = next(POLICIES)
    server.write_policy(name, rules)
    return provider(server.address, server.plant(name, **properties).token)


def refused(told: list[Permission]) -> dict[str, str]:
    return {each.needs: each.why for each in told if each.granted is False}


def test_one_role_that_is_refused_is_refused_for_all_and_named(server):
    asked = bearer(server, POLICY + f'path "{DESTROY.format("other")}" {{ capabilities = ["read"] }}')
    assert {each.granted for each in asked.permissions("approle/one")} == {True}
    assert refused(asked.permissions("approle/other")) == {
        f"update on {DESTROY.format('other')}": "granted there: read"
    }
    assert refused(asked.permissions(None)) == {
        f"update on {DESTROY.format('+').replace('approle', '+', 1)}": (
            f"granted there: read (on {DESTROY.format('other')})"
        )
    }


def test_a_root_token_may_do_all_of_it(server):
    assert {each.granted for each in provider(server.address, server.root).permissions(None)} == {True}


def test_who_may_not_list_the_roles_is_told_nothing_of_all_and_everything_of_one(server):
    asked = bearer(server, POLICY.replace('path "auth/approle/role"  ', 'path "auth/approle/elsewhere"'))
    told = asked.permissions(None)
    assert not refused(told)
    assert {each.why for each in told if "+/secret-id" in each.needs} == {
        "which there are was not told: permission_denied"
    }
    assert {each.granted for each in asked.permissions("approle/one") if LOOK not in each.verbs} == {True}


def test_where_no_role_is_there_only_what_is_for_all_of_them_is_told(server):
    server.call("DELETE", "auth/approle/role/one")
    server.call("DELETE", "auth/approle/role/other")
    told = provider(server.address, server.root).permissions(None)
    assert {each.granted for each in told if "+/role/+" not in each.needs} == {True}
    assert {(each.granted, each.why) for each in told if "+/role/+" in each.needs} == {
        (None, "there is none to ask about")
    }


def test_a_token_that_may_not_ask_is_told_that_nobody_can_tell(server):
    told = bearer(server, POLICY, no_default_policy=True).permissions("approle/one")
    assert {(each.granted, each.why) for each in told} == {(None, "asking needs update on sys/capabilities-self")}


def test_a_token_of_limited_uses_is_asked_how_many_and_nothing_more(server):
    name = next(POLICIES)
    server.write_policy(name, POLICY)
    own = server.plant(name, num_uses=3)
    connected = Connection("vault", "vault", endpoint_url=server.address, credential=lambda: own.token)
    of_kinds = (
        VaultAppRoleSecretId(connected, KIND),
        vault_token.connect(connected, "vault_token"),
        vault_kv.connect(connected),
    )
    for left, asked, whose in zip((2, 1, 0), of_kinds, ("approle/one", None, "app/x"), strict=True):
        said = {(each.granted, each.why) for each in asked.permissions(whose)}
        assert said == {(None, f"the rotator's own token has {left} uses left, and each question spends one")}


def test_a_grant_says_what_it_leaves_out_and_no_parameter_is_promised(server):
    denied = f'path "{DESTROY.format("one")}" {{ capabilities = ["update"]\n denied_parameters = {{ "*" = [] }} }}'
    told = bearer(server, POLICY + denied).permissions("approle/one")
    assert {(each.granted, each.why) for each in told} == {(True, vault_permissions._AS_FAR_AS)}
    assert {each.why for each in provider(server.address, server.root).permissions("approle/one")} == {""}


def test_a_token_that_the_server_does_not_know_is_refused(server):
    unknown = provider(server.address, Secret("s.AAAAAAAAAAAAAAAAAAAAAAAA"))
    for whose in ("approle/one", None):
        assert reason_of(lambda whose=whose: unknown.permissions(whose)) == "own_credential_refused"


def test_what_is_no_owner_is_not_asked_about(server):
    for nobody in ("one", "../approle/one", "approle/"):
        assert (
            reason_of(lambda name=nobody: provider(server.address, server.root).permissions(name)) == "not_this_account"
        )


def test_more_roles_than_are_asked_about_at_once_leave_all_of_them_open(server, monkeypatch):
    monkeypatch.setattr(vault_permissions, "_MOST", 1)
    told = provider(server.address, server.root).permissions(None)
    assert {each.granted for each in told if "+" in each.needs} == {None}
    assert all("name an owner" in each.why for each in told if each.granted is None)


def test_hundreds_of_paths_are_asked_about_in_several_questions(server):
    for number in range(60):
        server.call("POST", f"auth/approle/role/many-{number}", {})
    try:
        assert {each.granted for each in provider(server.address, server.root).permissions(None)} == {True}
    finally:
        for number in range(60):
            server.call("DELETE", f"auth/approle/role/many-{number}")


@pytest.mark.parametrize("data", ["{}", '{"sys/auth": null}'])
def test_an_answer_that_names_no_capabilities_is_nobodys_yes(data):
    class Strange(Request):
        def answered(self, _sent: bytes) -> None:
            self.reply(200, f'{{"request_id": "1", "data": {data}}}'.encode())

    with listening(Strange) as address:
        asked = provider(address, Secret("s.AAAAAAAAAAAAAAAAAAAAAAAA"))
        with pytest.raises(Unavailable, match="answer_unreadable"):
            asked.permissions("approle/one")

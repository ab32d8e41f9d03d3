"""The composition root refuses what nobody would notice: a key that no part reads."""

import pytest
from pydantic import ValidationError

from rotator.bootstrap import Rotator
from rotator.errors import BadInput, Unavailable
from rotator.flow.budget import Limit
from rotator.flow.scope import ConsumerAddress
from rotator.outside import module_of
from rotator.settings.configuration import Settings
from rotator.settings.consumers import ConsumerSettings


def parts(tmp_path, **connection):
    settings = {"folder": tmp_path, "data_dir": tmp_path, "connections": [{"name": "a", **connection}]}
    return Rotator(Settings(**settings))


@pytest.mark.parametrize(
    ("connection", "line"),
    [
        (
            {"family": "aws", "endpoint_ur": "http://127.0.0.1:1"},
            "connection a: unknown key `endpoint_ur` (did you mean `endpoint_url`?)",
        ),
        (
            {"family": "vault", "zzz": 1},
            (
                "connection a: unknown key `zzz` (the family knows administrator, ca_file, hosts, known_hosts, mount, "
                "namespace, trusted_ca_keys, user)"
            ),
        ),
        ({"family": "awz"}, "connection a: there is no family called awz (did you mean `aws`?)"),
        ({"family": "nonesuch"}, "connection a: there is no family called nonesuch (see docs/configuration.md)"),
        ({"family": "ssh_errors"}, "connection a: there is no family called ssh_errors (see docs/configuration.md)"),
    ],
)
def test_a_key_or_a_family_that_nobody_knows_is_told_in_one_line(tmp_path, connection, line):
    with pytest.raises(BadInput) as refused:
        parts(tmp_path, **connection).connections  # noqa: B018 - reading them is the check
    assert str(refused.value) == line


def test_keys_of_the_family_are_handed_to_it(tmp_path):
    (found,) = parts(tmp_path, family="aws", region="eu-west-1").connections
    assert found.settings == {"region": "eu-west-1"}


def test_a_webhook_may_be_referred_to_and_is_read_at_each_call(tmp_path, monkeypatch):
    outside, address = parts(tmp_path, family="aws").outside, ConsumerAddress("webhook", "env:HOOK")
    for unusable in ("", "canary", "http://[canary"):
        monkeypatch.setenv("HOOK", unusable)
        with pytest.raises(Unavailable) as refused:
            outside.consumer(address)
        assert str(refused.value) == "consumer_address_unreadable: env:HOOK"
    monkeypatch.setenv("HOOK", "http://user:canary@127.0.0.1:1/canary")
    first = outside.consumer(address)
    assert first is outside.consumer(address)
    assert first.name == "env:HOOK"
    monkeypatch.setenv("HOOK", "http://127.0.0.1:2/")
    assert outside.consumer(address) is not first


@pytest.mark.parametrize("given", ["https://host/x?app=ci", "env:HOOK", "file:hook"])
def test_a_webhook_is_an_address_or_a_reference_to_one(given):
    assert ConsumerSettings(webhook=given).webhook == given


@pytest.mark.parametrize(
    "given", ["http://hook:canary@host/x", "http://hook@host", "host/x", "env:", "http://h:pw", "http://["]
)
def test_a_webhook_with_a_password_and_one_that_is_no_address_are_refused(given):
    with pytest.raises(ValidationError, match=r"env:NAME( or|,) file:PATH"):
        ConsumerSettings(webhook=given)


def budgeted(tmp_path, *connections):
    settings = {"folder": tmp_path, "data_dir": tmp_path, "connections": list(connections)}
    return Rotator(Settings(**settings))


def one(name, rate=None, account="1"):
    budget = {"calls_per_second": rate, "burst": 3} if rate else None
    return {"name": name, "family": "aws", "account": account, "budget": budget}


def test_connections_of_one_account_share_the_budget_that_one_of_them_states(tmp_path):
    parts = budgeted(tmp_path, one("a", 5), one("b"), one("c", 7, account="2"))
    assert [parts.account_of(name) for name in "abc"] == ["aws:1", "aws:1", "aws:2"]
    assert parts.limits == {"aws:1": Limit(5.0, 3), "aws:2": Limit(7.0, 3)}


def test_two_budgets_for_one_account_are_refused_in_one_line(tmp_path):
    with pytest.raises(BadInput) as refused:
        budgeted(tmp_path, one("a", 5), one("b", 6)).limits  # noqa: B018 - reading them is the check
    assert str(refused.value) == (
        "connection b: another connection of account 1 has another budget (they share one: write it the same, or once)"
    )


def serving(name, *kinds, budget=None, account=None):
    address = "http://127.0.0.1:9"
    given = {"name": name, "family": "http", "account": account, "kinds": list(kinds), "endpoint_url": address}
    return {**given, "budget": budget}


def test_what_an_issuer_publishes_is_the_budget_of_an_account_that_states_none(tmp_path):
    parts = budgeted(
        tmp_path,
        serving("one", "linode_token"),
        serving("several", "cloudflare_api_token", "discord_bot_token", "npm_token"),
        serving("own", "linode_token", budget={"calls_per_second": 9}),
        serving("none", "npm_token"),
        serving("shared_a", "cloudflare_api_token", account="1"),
        serving("shared_b", "linode_token", account="1"),
        serving("stated_a", "cloudflare_api_token", account="2"),
        serving("stated_b", "linode_token", account="2", budget={"calls_per_second": 9, "burst": 7}),
    )
    assert parts.limits == {
        parts.account_of("one"): Limit(3.0, 20),
        parts.account_of("several"): Limit(4.0, 10),  # the strictest of each: 4 and 20, 10 and 10
        parts.account_of("own"): Limit(9.0, 1),
        parts.account_of("shared_a"): Limit(3.0, 20),
        parts.account_of("stated_a"): Limit(9.0, 7),
    }


def test_an_entry_that_fits_nothing_for_a_misspelt_kind_is_told_before_the_night(tmp_path):
    found = {"match": {"provider": "aws_iam_acces_key", "owner": "ci"}}
    parts = Rotator(Settings(folder=tmp_path, data_dir=tmp_path, credentials=[found]))
    with pytest.raises(BadInput, match="did you mean `aws_iam_access_key`"):
        _ = parts.custodies


def test_a_connection_that_serves_a_misspelt_kind_is_told_before_the_night(tmp_path):
    parts = budgeted(tmp_path, serving("linode", "linode_tokn"))
    with pytest.raises(BadInput, match=r"connection linode: kinds: .*did you mean `linode_token`"):
        _ = parts.connections


def test_a_store_that_nobody_knows_is_told_with_the_one_that_was_meant():
    with pytest.raises(BadInput, match="did you mean `vault_kv`"):
        module_of("stores", "vualt_kv", "store")

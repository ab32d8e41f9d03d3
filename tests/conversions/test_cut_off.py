"""A conversion is cut off or refused at each call: it is done again or taken back, and nothing is left unknown."""

from __future__ import annotations

import json

import boto3
import pytest

from rotator import converting
from rotator.bootstrap import Rotator
from rotator.conversions import aws_iam_access_key
from rotator.credential import Leaked
from rotator.errors import BadInput, Rejected, RotatorError, Uncertain
from rotator.families.aws import Account, Exchange
from rotator.flow.registry import Said, Sort
from rotator.ledger import conversions
from rotator.settings.file import load
from tests.conversions.test_aws_iam_access_key import ASKED, policy
from tests.fakes.deployment import sqlite
from tests.fakes.vendors_paused import pause
from tests.servers.moto import moto_server

KIND = "aws_iam_access_key"
MAKES = ["create_open_id_connect_provider", "create_role", "attach_role_policy", "put_role_policy"]
CALLS = [*MAKES, "update_assume_role_policy"]


class CutOff(BaseException):
    """The process was killed."""


@pytest.fixture(scope="module")
def moto(tmp_path_factory):
    with moto_server(tmp_path_factory.mktemp("moto")) as server:
        yield server


@pytest.fixture(scope="module")
def iam(moto):
    keys = {"aws_access_key_id": moto.admin_id, "aws_secret_access_key": moto.admin_secret.reveal()}
    return boto3.client("iam", endpoint_url=moto.endpoint_url, region_name="us-east-1", **keys)


@pytest.fixture(scope="module")
def parts(moto, tmp_path_factory):
    tmp_path = tmp_path_factory.mktemp("rotator")
    own = {"aws_access_key_id": moto.admin_id, "aws_secret_access_key": moto.admin_secret.reveal()}
    (tmp_path / "own").write_text(json.dumps(own))
    (tmp_path / "own").chmod(0o600)
    text = f'endpoint_url = "{moto.endpoint_url}"\naccount = "{moto.account}"\ncredential = "file:own"\n'
    (tmp_path / "rotator.toml").write_text(f'[[connections]]\nname = "aws"\nfamily = "aws"\n{text}')
    found = Rotator(load(tmp_path / "rotator.toml"))
    found.__dict__["database"] = sqlite(tmp_path / "ledger.db")
    account = Account(found.settings.connection("aws"))
    with pytest.MonkeyPatch.context() as patch:  # a client of AWS takes longer to make than a conversion
        patch.setattr(aws_iam_access_key, "Account", lambda _: account)
        yield found
    found.database.close()


@pytest.fixture
def converts(moto, iam, parts):
    """Give who converts a key of a new user, whose issuer nobody trusts yet, and how it stands at AWS."""
    arns = [each["Arn"] for each in iam.list_policies(Scope="Local")["Policies"]]
    arn = (
        arns[0]
        if arns
        else iam.create_policy(PolicyName="p", PolicyDocument=json.dumps(policy("s3:*")))["Policy"]["Arn"]
    )

    class Conversion:
        def __init__(self, name, issuer=""):
            user, self.key, _ = moto.plant(name)
            iam.attach_user_policy(UserName=user, PolicyArn=arn)
            iam.put_user_policy(UserName=user, PolicyName="own", PolicyDocument=json.dumps(policy("sqs:*")))
            iam.tag_user(UserName=user, Tags=[{"Key": "team", "Value": "web"}])
            self.role, self.host = f"role-{name}", issuer or f"{name}.example.com"

        def prepare(self):
            asked = {**ASKED, "role": self.role, "issuer": f"https://{self.host}"}
            return converting.prepare(parts, KIND, self.key, "aws", asked, "ana")

        def undo(self):
            return converting.undo(parts, KIND, self.key, "aws", "eva")

        def unfinished(self):
            return [each for each in conversions.unfinished(parts.database) if each.id == self.key]

        def there(self):
            """Return what of it is at AWS, in the words of the evidence."""
            every = [each["Arn"] for each in iam.list_open_id_connect_providers()["OpenIDConnectProviderList"]]
            found = [f"OIDC provider {each}" for each in every if each.endswith(f"/{self.host}")]
            if self.role not in {each["RoleName"] for each in iam.list_roles()["Roles"]}:
                return found
            attached = iam.list_attached_role_policies(RoleName=self.role)["AttachedPolicies"]
            written = iam.list_role_policies(RoleName=self.role)["PolicyNames"]
            found += [f"role {self.role}", *(f"{each['PolicyArn']} at {self.role}" for each in attached)]
            return [*found, *(f"policy {each} in {self.role}" for each in written)]

        def effect(self):
            [statement] = iam.get_role(RoleName=self.role)["Role"]["AssumeRolePolicyDocument"]["Statement"]
            return statement["Effect"]

        def tags(self):
            return {each["Key"]: each["Value"] for each in iam.get_role(RoleName=self.role)["Role"]["Tags"]}

    return Conversion


@pytest.fixture
def ends_at(monkeypatch):
    """Give who has a call end otherwise: cut off behind it, or refused in its place."""
    plain = Exchange.change

    def ends(operation, error, *, behind):
        def change(self, service, called, /, **parameters):
            if called != operation:
                return plain(self, service, called, **parameters)
            if behind:
                plain(self, service, called, **parameters)
            raise error

        monkeypatch.setattr(Exchange, "change", change)

    yield ends
    monkeypatch.setattr(Exchange, "change", plain)


def test_what_was_cut_off_as_asked_otherwise_is_taken_back_by_the_next_command(converts, ends_at, by_then):
    one = converts("otherwise")
    ends_at("attach_role_policy", CutOff(), behind=True)
    with pytest.raises(CutOff):
        one.prepare()
    ends_at("", None, behind=False)
    [before] = one.unfinished()
    abandoned = one.role
    one.role += "-2"
    earlier = one.prepare()["earlier"]
    assert {each["left"] for each in earlier} == {"who asked for it may be at it still"}
    assert [each.things for each in one.unfinished()] == [before.things]
    by_then()
    assert {each["what"]: each["left"] for each in one.prepare()["earlier"]} == {
        each["what"]: "" for each in before.things
    }
    one.role, now = abandoned, one.role
    assert [each for each in one.there() if abandoned in each] == []
    one.role = now
    assert (one.effect(), one.unfinished()) == ("Allow", [])


def name_of(operation, *more):
    return "-".join((*operation.split("_")[:2], *more))


@pytest.mark.parametrize(("operation", "behind"), [(MAKES[0], False), *((each, True) for each in CALLS)])
def test_who_is_killed_at_a_call_is_carried_on_or_taken_back_and_all_is_known(
    converts, ends_at, by_then, operation, behind
):
    for goes_on in (True, False):
        one = converts(name_of(operation, str(behind), str(goes_on)))
        ends_at(operation, CutOff(), behind=behind)
        with pytest.raises(CutOff):
            one.prepare()
        [unfinished] = one.unfinished()
        known = [each["what"] for each in unfinished.things]
        assert set(one.there()) <= set(known), "nothing is there that nobody knows of"
        if f"role {one.role}" in one.there() and operation != CALLS[-1]:
            assert one.effect() == "Deny", "nobody is let in by a role that lacks policies"
        ends_at("", None, behind=False)
        if goes_on:
            made = one.prepare()["facts"]
            assert (sorted(one.there()), one.effect()) == (sorted(known), "Allow")
            assert one.prepare()["facts"] == made, "once more makes nothing"
            assert one.tags() == {"team": "web", "rotator-converted-from": one.role.removeprefix("role-")}
        else:
            absent = set(known) - set(one.there())
            assert {each["what"] for each in one.undo() if each["left"]} == absent, "which may be on its way"
            assert [each["what"] for each in one.unfinished()[:1] for each in each.things] == [
                each for each in known if each in absent
            ]
            by_then()
            if absent:
                assert {each["left"] for each in one.undo()} == {""}
            assert one.there() == []
        assert one.unfinished() == []


@pytest.mark.parametrize("operation", CALLS)
def test_who_is_refused_at_a_call_leaves_nothing_behind(converts, ends_at, operation):
    one = converts(name_of(operation))
    ends_at(operation, Rejected("access_denied"), behind=False)
    with pytest.raises(RotatorError, match="access_denied"):
        one.prepare()
    assert (one.there(), one.unfinished()) == ([], [])


@pytest.mark.parametrize("said_by", ["the registry", "the pause alone"])
def test_nothing_is_prepared_for_what_a_paused_vendor_holds(converts, parts, said_by):
    one = converts(said_by.replace(" ", "-"))
    vendor = one.role
    holds = [{"owner": one.role.removeprefix("role-")}] if said_by == "the registry" else []
    parts.vendors.take([Said(Sort.VENDOR, vendor, {"holds": holds}, "vendors.yaml")], "ana")
    held = () if holds else (parts.outside.provider_of(KIND, "aws").identify(Leaked(id=one.key, connection="aws")),)
    pause(parts, vendor, f"inc-{vendor}", held=held)
    with pytest.raises(BadInput, match=r"is paused.*nothing new is made for it"):
        one.prepare()
    assert (one.there(), one.unfinished()) == ([], [])


def test_who_is_refused_takes_nothing_from_who_prepared_the_same_meanwhile(converts, monkeypatch):
    one = converts("meanwhile")
    plain, prepared = Exchange.change, []

    def change(self, service, called, /, **parameters):
        if called != CALLS[-1]:
            return plain(self, service, called, **parameters)
        monkeypatch.setattr(Exchange, "change", plain)
        one.prepare()
        prepared.extend(one.there())
        raise Rejected("access_denied")

    monkeypatch.setattr(Exchange, "change", change)
    with pytest.raises(RotatorError, match="access_denied"):
        one.prepare()
    assert (one.effect(), one.there(), one.unfinished()) == ("Allow", prepared, [])


def test_what_was_prepared_in_another_spelling_of_its_issuer_is_not_taken_back(converts, ends_at):
    one = converts("spelt")
    ends_at(CALLS[-1], CutOff(), behind=True)
    with pytest.raises(CutOff):
        one.prepare()
    ends_at("", None, behind=False)
    one.host += "/"
    one.prepare()
    with pytest.raises(BadInput, match="never ended"):
        one.undo()
    assert one.effect() == "Allow"


def test_what_others_need_by_now_is_kept_and_what_may_land_late_is_not_taken_back_at_once(converts, ends_at, by_then):
    first, second = converts("first", "shared.example.com"), converts("second", "shared.example.com")
    ends_at("attach_role_policy", Uncertain("timed_out"), behind=True)
    with pytest.raises(Uncertain, match="say the same again, or take it back by --undo"):
        first.prepare()
    assert first.unfinished()
    ends_at("", None, behind=False)
    second.prepare()
    assert any("may come until" in each["left"] for each in first.undo())
    [provider] = first.there()
    assert provider.endswith("/shared.example.com")
    assert first.unfinished()
    by_then()
    first.undo()
    assert (first.unfinished(), second.effect()) == ([], "Allow")


def test_what_was_prepared_for_another_key_of_the_user_is_not_taken_back(converts, iam, ends_at):
    """A user may have two, and both are given the same role."""
    one = converts("two-keys")
    ends_at("attach_role_policy", CutOff(), behind=True)
    with pytest.raises(CutOff):
        one.prepare()
    ends_at("", None, behind=False)
    first, one.key = one.key, iam.create_access_key(UserName="two-keys")["AccessKey"]["AccessKeyId"]
    one.prepare()
    one.key = first
    with pytest.raises(BadInput, match="never ended"):
        one.undo()
    assert (one.effect(), one.unfinished()) == ("Allow", [])


@pytest.mark.parametrize("operation", [MAKES[0], CALLS[-1]])
def test_what_was_made_as_its_vendor_was_paused_is_taken_back(converts, parts, monkeypatch, operation):
    one, plain = converts(name_of(operation, "paused")), Exchange.change
    held = (parts.outside.provider_of(KIND, "aws").identify(Leaked(id=one.key, connection="aws")),)

    def change(self, service, called, /, **parameters):
        if called == operation:
            parts.vendors.take([Said(Sort.VENDOR, one.role, {"holds": []}, "vendors.yaml")], "ana")
            pause(parts, one.role, f"inc-{one.role}", held=held)
        return plain(self, service, called, **parameters)

    monkeypatch.setattr(Exchange, "change", change)
    with pytest.raises(BadInput, match=r"is paused.*nothing new is made for it"):
        one.prepare()
    assert (one.there(), one.unfinished()) == ([], [])

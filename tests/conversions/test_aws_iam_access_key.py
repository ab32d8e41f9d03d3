"""An access key becomes a role with what its user may do, that one job's token may assume: on an emulator of AWS."""

from __future__ import annotations

import json

import boto3
import pytest

from rotator.conversions import Notes
from rotator.conversions.aws_iam_access_key import Conversion
from rotator.credential import CredentialRef, Secret
from rotator.errors import BadInput, Rejected
from rotator.ports.connection import Connection
from rotator.ports.provider import Answer
from rotator.providers.aws_iam_access_key import SESSIONS_POLICY, connect
from tests.servers.moto import moto_server

ASKED = {
    "role": "deploys-web",
    "issuer": "https://token.actions.githubusercontent.com",
    "subject": "repo:acme/web:ref:refs/heads/main",
    "audience": "sts.amazonaws.com",
}


NOTES = Notes(lambda _: None, lambda _thing, _now: None)


def policy(action):
    return {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": action, "Resource": "*"}]}


@pytest.fixture(scope="module")
def moto(tmp_path_factory):
    with moto_server(tmp_path_factory.mktemp("moto")) as server:
        yield server


@pytest.fixture(scope="module")
def iam(moto):
    return boto3.client(
        "iam",
        endpoint_url=moto.endpoint_url,
        region_name="us-east-1",
        aws_access_key_id=moto.admin_id,
        aws_secret_access_key=moto.admin_secret.reveal(),
    )


@pytest.fixture
def connection(moto):
    own = json.dumps({"aws_access_key_id": moto.admin_id, "aws_secret_access_key": moto.admin_secret.reveal()})
    return Connection("aws", "aws", moto.account, moto.endpoint_url, lambda: Secret(own))


def converted(connection, ref, **changed):
    return Conversion(connection, lambda _: connection).prepare(ref, {**ASKED, **changed}, NOTES)


def test_the_role_has_what_the_user_has_and_the_key_dies_by_itself(moto, iam, connection):
    user, key, secret = moto.plant("web")
    arn = iam.create_policy(PolicyName="reads", PolicyDocument=json.dumps(policy("s3:GetObject")))["Policy"]["Arn"]
    iam.attach_user_policy(UserName=user, PolicyArn=arn)
    iam.put_user_policy(UserName=user, PolicyName="own", PolicyDocument=json.dumps(policy("sqs:SendMessage")))
    iam.put_user_policy(UserName=user, PolicyName=SESSIONS_POLICY, PolicyDocument=json.dumps(policy("s3:PutObject")))
    iam.create_group(GroupName="team")
    iam.put_group_policy(GroupName="team", PolicyName="all", PolicyDocument=json.dumps(policy("sns:Publish")))
    iam.add_user_to_group(GroupName="team", UserName=user)
    ref = CredentialRef("aws_iam_access_key", "aws", user, key)
    first = converted(connection, ref)
    assert converted(connection, ref) == first, "who was cut off does it again"
    role = iam.get_role(RoleName="deploys-web")["Role"]
    assert first["made"] == role["Arn"]
    [statement] = role["AssumeRolePolicyDocument"]["Statement"]
    assert statement["Condition"]["StringEquals"] == {
        "token.actions.githubusercontent.com:aud": "sts.amazonaws.com",
        "token.actions.githubusercontent.com:sub": "repo:acme/web:ref:refs/heads/main",
    }
    assert statement["Principal"]["Federated"].endswith(":oidc-provider/token.actions.githubusercontent.com")
    assert iam.get_open_id_connect_provider(OpenIDConnectProviderArn=statement["Principal"]["Federated"])
    attached = iam.list_attached_role_policies(RoleName="deploys-web")["AttachedPolicies"]
    assert [each["PolicyArn"] for each in attached] == [arn]
    written = iam.list_role_policies(RoleName="deploys-web")["PolicyNames"]
    assert sorted(written) == ["all", "own", "team.all"], "not what ended the user's sessions"
    kept = iam.get_role_policy(RoleName="deploys-web", PolicyName="team.all")["PolicyDocument"]
    assert kept == policy("sns:Publish") == json.loads(first["inline_policies"])["team.all"]
    provider = connect(connection, "aws_iam_access_key")
    assert provider.verify(ref, secret).answer is Answer.ACCEPTED
    provider.revoke(ref)
    assert provider.verify(ref, secret).answer is Answer.REJECTED


def test_a_role_of_others_and_one_with_another_trust_are_left_alone(moto, iam, connection):
    user, key, _ = moto.plant("shop")
    ref = CredentialRef("aws_iam_access_key", "aws", user, key)
    iam.create_role(RoleName="old", AssumeRolePolicyDocument=json.dumps(policy("sts:AssumeRole")))
    with pytest.raises(Rejected, match="a role old is there"):
        converted(connection, ref, role="old")
    converted(connection, ref, role="mine")
    with pytest.raises(Rejected, match="a role mine is there"):
        converted(connection, ref, role="mine", subject="repo:acme/other:ref:refs/heads/main")
    assert "another" not in json.dumps(iam.get_role(RoleName="mine")["Role"]["AssumeRolePolicyDocument"])


def test_a_role_that_may_do_more_than_the_user_does_now_is_told_and_left(moto, iam, connection):
    user, key, _ = moto.plant("less")
    ref = CredentialRef("aws_iam_access_key", "aws", user, key)
    iam.put_user_policy(UserName=user, PolicyName="was", PolicyDocument=json.dumps(policy("s3:*")))
    converted(connection, ref, role="more")
    iam.delete_user_policy(UserName=user, PolicyName="was")
    with pytest.raises(Rejected, match=f"has what {user} has not: was"):
        converted(connection, ref, role="more")
    bound = iam.create_policy(PolicyName="bound", PolicyDocument=json.dumps(policy("s3:Get*")))["Policy"]["Arn"]
    iam.put_role_permissions_boundary(RoleName="more", PermissionsBoundary=bound)
    with pytest.raises(Rejected, match="its boundary is not that of"):
        converted(connection, ref, role="more")


def test_every_policy_of_a_group_comes_along_however_long_its_name_and_one_that_means_a_user_is_told(
    moto, iam, connection
):
    user, key, _ = moto.plant("long")
    ref, group = CredentialRef("aws_iam_access_key", "aws", user, key), "g" * 127
    own = {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "*", "Resource": "*"}]}
    means = {**own["Statement"][0], "Condition": {"StringNotEquals": {"aws:UserName": "ana"}}}
    iam.create_group(GroupName=group)
    iam.add_user_to_group(GroupName=group, UserName=user)
    iam.put_group_policy(GroupName=group, PolicyName="a", PolicyDocument=json.dumps(own))
    iam.put_group_policy(GroupName=group, PolicyName="b", PolicyDocument=json.dumps(policy("s3:*")))
    assert "without" not in converted(connection, ref, role="long")
    assert len(set(iam.list_role_policies(RoleName="long")["PolicyNames"]) - {"all"}) == 2
    document = json.dumps({**own, "Statement": [means]})
    arn = iam.create_policy(PolicyName="means", PolicyDocument=document)["Policy"]["Arn"]
    iam.attach_user_policy(UserName=user, PolicyArn=arn)
    with pytest.raises(BadInput, match="would lose aws:username"):
        converted(connection, ref, role="longer")
    with pytest.raises(iam.exceptions.NoSuchEntityException):
        iam.get_role(RoleName="longer")
    assert converted(connection, ref, role="long", without="aws:username")["without"] == "aws:username"


@pytest.mark.parametrize(
    ("changed", "what"),
    [({"subject": "repo:acme/*"}, "compared whole"), ({"issuer": "http://gitlab"}, "an https:// address")],
)
def test_whom_it_would_trust_too_widely_is_refused_before_anything_is_made(connection, changed, what):
    with pytest.raises(BadInput, match=what):
        converted(connection, CredentialRef("aws_iam_access_key", "aws", "web", "AKIA"), **changed)

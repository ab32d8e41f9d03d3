"""What is peculiar to sessions: all the older ones of a principal end together, and who AWS is cannot be the knock."""

from __future__ import annotations

import json
import time

import boto3
import pytest

from rotator.credential import CredentialRef, Leaked, Secret
from rotator.errors import Rejected, Unavailable
from rotator.ports.abilities import Issuing, Suspendable
from rotator.ports.connection import Connection
from rotator.ports.provider import Answer, State
from rotator.practice.ministack import ministack
from rotator.providers.aws_sts_session import POLICY, connect
from tests.contracts.cases.aws_sts_session import ANYONE, NAME, SERVICES, connection, session_of
from tests.servers import scripted_aws as scripted

ALL = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
PARTS = ("ASIAQAAAAAAABCDEFGHI", "canary/wJalrXUtnFEMI/K7MDENG", "IQoJb3JpZ2luX2VjEXAMPLETOKEN==")
ENV = 'export AWS_ACCESS_KEY_ID={}\nexport AWS_SECRET_ACCESS_KEY={}\nexport AWS_SESSION_TOKEN="{}"\n'.format(*PARTS)


@pytest.fixture(scope="module")
def stack(tmp_path_factory):
    with ministack(tmp_path_factory.mktemp("ministack"), SERVICES) as server:
        yield server


@pytest.fixture
def provider(stack):
    return connect(connection(stack), NAME)


@pytest.fixture
def endpoint():
    with scripted.scripted_aws() as running:
        yield running


@pytest.fixture
def told(endpoint):
    own = Secret(json.dumps({"aws_access_key_id": "AKIAOWNOWNOWNOWNOWNO", "aws_secret_access_key": "own" * 12}))
    return connect(connection_to(endpoint.endpoint_url, own), NAME)


def connection_to(address, own):
    return Connection("aws-test", "aws", "123456789012", address, lambda: own)


def planted(stack, role) -> tuple[CredentialRef, Secret]:
    key_id, parts = session_of(stack, role)
    return CredentialRef(NAME, "aws-test", f"role/{role}", key_id), parts


def whoami(arn: str) -> scripted.Answer:
    said = f"<Arn>{arn}</Arn><UserId>AROA:x</UserId><Account>123456789012</Account>"
    return scripted.Answer(200, f"<GetCallerIdentityResponse>{said}</GetCallerIdentityResponse>")


def denial(message: str, code: str = "AccessDeniedException") -> scripted.Answer:
    body = json.dumps({"__type": f"com.amazon.coral.service#{code}", "Message": message})
    return scripted.Answer(400, body, {"Content-Type": "application/x-amz-json-1.0"})


def test_it_claims_no_more_than_aws_can(provider):
    assert not isinstance(provider, Issuing | Suspendable)


def test_every_older_session_of_the_role_ends_and_a_new_one_lives(stack, provider):
    (ref, parts), (other, others) = planted(stack, "shared"), planted(stack, "shared")
    bystander, theirs = planted(stack, "bystander")
    provider.end_sessions(ref)
    assert provider.verify(ref, parts).answer is Answer.REJECTED
    assert provider.verify(other, others).answer is Answer.REJECTED
    assert provider.verify(bystander, theirs).answer is Answer.ACCEPTED
    patience = time.monotonic() + 10.0
    while provider.verify(*planted(stack, "shared")).answer is not Answer.ACCEPTED:
        assert time.monotonic() < patience


def test_who_it_is_is_told_to_a_denied_session_too(stack, provider):
    ref, parts = planted(stack, "told")
    provider.end_sessions(ref)
    assert provider.identify(Leaked(secret=parts)) == ref
    assert provider.verify(ref, parts).reason == "explicit_deny"


def test_each_session_that_was_cut_stays_named_and_no_other_is(stack, provider):
    (first, _), (second, _), (third, _) = (planted(stack, "named") for _ in range(3))
    provider.end_sessions(first)
    provider.end_sessions(second)
    states = [provider.inspect(ref).state for ref in (first, second, third)]
    assert states == [State.SUSPENDED, State.SUSPENDED, State.ACTIVE]
    stack.iam.delete_role_policy(RoleName="named", PolicyName=POLICY)
    assert provider.inspect(first).state is State.ACTIVE


def test_a_denial_by_somebody_elses_policy_proves_nothing(stack, provider):
    ref, parts = planted(stack, "denied")
    deny = {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "*", "Resource": "*"}]}
    stack.iam.put_role_policy(RoleName="denied", PolicyName="theirs", PolicyDocument=json.dumps(deny))
    verdict = provider.verify(ref, parts)
    assert (verdict.answer, verdict.reason) == (Answer.INCONCLUSIVE, "denied_by_another_policy")


def test_a_users_session_ends_by_a_policy_of_the_user_and_its_key_works_on(stack, provider):
    user, key_id, secret = stack.plant()
    stack.iam.put_user_policy(UserName=user, PolicyName="all", PolicyDocument=json.dumps(ALL))
    sts = boto3.client(
        "sts",
        region_name=stack.region,
        endpoint_url=stack.endpoint_url,
        aws_access_key_id=key_id,
        aws_secret_access_key=secret.reveal(),
    )
    parts = Secret(json.dumps(sts.get_session_token()["Credentials"], default=str))
    ref = provider.identify(Leaked(secret=parts))
    assert ref.owner == f"user/{user}"
    assert provider.verify(ref, parts).answer is Answer.ACCEPTED
    provider.end_sessions(ref)
    assert provider.verify(ref, parts).answer is Answer.REJECTED
    assert sts.get_session_token()["Credentials"]["AccessKeyId"].startswith("ASIA")


def test_the_rotators_own_session_is_never_among_those_that_it_denies(stack):
    stack.iam.create_role(RoleName="rotator", AssumeRolePolicyDocument=json.dumps(ANYONE))
    stack.iam.put_role_policy(RoleName="rotator", PolicyName="all", PolicyDocument=json.dumps(ALL))
    own_id, own = session_of(stack, "rotator")
    made = json.loads(own.reveal())
    fields = {
        "aws_access_key_id": made["AccessKeyId"],
        "aws_secret_access_key": made["SecretAccessKey"],
        "aws_session_token": made["SessionToken"],
    }
    acting = connect(connection(stack, credential=lambda: Secret(json.dumps(fields))), NAME)
    ref, parts = planted(stack, "rotator")
    assert acting.own() == own_id
    with pytest.raises(Rejected) as refusal:
        acting.end_sessions(ref)
    assert refusal.value.reason == "own_principal"
    assert acting.verify(ref, parts).answer is Answer.ACCEPTED
    acting.end_sessions(planted(stack, "another")[0])


@pytest.mark.parametrize(
    "text",
    [
        json.dumps({"Credentials": dict(zip(("AccessKeyId", "SecretAccessKey", "SessionToken"), PARTS, strict=True))}),
        json.dumps({"AccessKeyId": PARTS[0], "SecretAccessKey": PARTS[1], "Token": PARTS[2]}),
        "[ci]\naws_access_key_id = {}\naws_secret_access_key = {}\naws_session_token = {}\n".format(*PARTS),
        ENV,
    ],
)
def test_the_parts_are_read_however_they_were_written(told, endpoint, text):
    endpoint.script["GetCallerIdentity"] = whoami("arn:aws:sts::123456789012:assumed-role/deploy/i-0abc")
    ref = told.identify(Leaked(secret=Secret(text)))
    assert (ref.owner, ref.id) == ("role/deploy", PARTS[0])


@pytest.mark.parametrize(
    ("leaked", "reason"),
    [
        (Leaked(id=PARTS[0]), "unreadable"),
        (Leaked(id=PARTS[0], secret=Secret(PARTS[1])), "unreadable"),
        (Leaked(id="ASIAANOTHERANOTHER00", secret=Secret(ENV)), "mispaired"),
        (Leaked(secret=Secret(ENV.replace("ASIA", "AKIA"))), "unreadable"),
        (Leaked(secret=Secret(ENV), account="999999999999"), "not_this_account"),
    ],
)
def test_what_is_no_whole_session_of_ours_is_sent_to_nobody(told, endpoint, leaked, reason):
    with pytest.raises(Rejected) as refusal:
        told.identify(leaked)
    assert refusal.value.reason == reason
    assert PARTS[1] not in str(refusal.value)
    assert endpoint.asked == []


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (whoami("arn:aws:sts::123456789012:federated-user/bob"), "needs_owner"),
        (whoami("arn:aws:sts::123456789012:assumed-role/AWSReservedSSO_Admin_0123/bob"), "identity_center"),
        (whoami("arn:aws:iam::123456789012:root"), "root_session"),
        (scripted.Answer(403, scripted.error("ExpiredToken")), "expired"),
        (scripted.Answer(403, scripted.error("InvalidClientTokenId")), "unknown_credential"),
    ],
)
def test_what_no_policy_of_a_role_or_user_ends_is_left_to_a_person(told, endpoint, answer, reason):
    endpoint.script["GetCallerIdentity"] = answer
    with pytest.raises(Rejected) as refusal:
        told.identify(Leaked(secret=Secret(ENV)))
    assert refusal.value.reason == reason


def test_whose_a_federated_session_is_a_report_may_say(told, endpoint):
    endpoint.script["GetCallerIdentity"] = whoami("arn:aws:sts::123456789012:federated-user/bob")
    assert told.identify(Leaked(secret=Secret(ENV), owner="user/broker")).owner == "user/broker"


@pytest.mark.parametrize(
    ("answer", "verdict"),
    [
        (denial("User: x is not authorized with an explicit deny in a service control policy"), "denied_elsewhere"),
        (denial("You shall not pass"), "http_400"),
        (denial("The token expired", "ExpiredTokenException"), "expired_token"),
        (denial("no", "UnrecognizedClientException"), "unknown_token"),
        (denial("no", "InvalidSignatureException"), "signature_does_not_match"),
        (denial("Signature expired: now", "InvalidSignatureException"), "clock_skewed"),
        (scripted.Answer(418, "<html>"), "http_418"),
    ],
)
def test_only_what_is_about_this_session_is_a_refusal(told, endpoint, answer, verdict):
    endpoint.script["DescribeLimits"] = answer
    found = told.verify(CredentialRef(NAME, "aws-test", "role/deploy", PARTS[0]), Secret(ENV))
    assert found.reason == verdict
    refused = found.answer is Answer.REJECTED
    assert refused is (verdict in {"expired_token", "unknown_token"})
    assert not found.names_id


@pytest.mark.parametrize("answer", [denial("later", "ThrottlingException"), scripted.Answer(503, "busy")])
def test_a_door_that_says_later_is_unavailable(told, endpoint, answer):
    endpoint.script["DescribeLimits"] = answer
    with pytest.raises(Unavailable):
        told.verify(CredentialRef(NAME, "aws-test", "role/deploy", PARTS[0]), Secret(ENV))

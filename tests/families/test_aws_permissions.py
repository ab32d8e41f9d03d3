"""What the rotator may do at AWS: tried on ministack, which weighs policies; AWS's published answers where it has none.

ministack's simulation is that of its own door, for users and roles without a path. It reads neither a permissions
boundary nor an organization's policies nor conditions that lack a value; those answers are AWS's, as published, and an
endpoint says them as told.
"""

from __future__ import annotations

import functools
import json
import secrets

import pytest

from rotator.credential import CredentialRef, Secret
from rotator.errors import Rejected, RotatorError, Unavailable
from rotator.permissions import LOOK
from rotator.ports.connection import Connection
from rotator.practice.ministack import ministack
from rotator.providers import aws_iam_access_key, aws_secret, aws_ssm_parameter, aws_sts_session
from rotator.stores import aws_secrets_manager
from rotator.stores import aws_ssm_parameter as parameter_store
from tests.contracts.cases.aws_iam_access_key import LOOKING, allowed, as_user, connection
from tests.servers import scripted_aws as scripted

ASKING = ("iam:SimulatePrincipalPolicy", "iam:GetUser", "secretsmanager:DescribeSecret")

SINGLED_OUT = "granted, unless a policy denies it for some of them: {}"


@pytest.fixture(scope="module")
def stack(tmp_path_factory):
    with ministack(tmp_path_factory.mktemp("ministack"), "iam,sts,secretsmanager,ssm") as server:
        yield server


@pytest.fixture(scope="module")
def endpoint():
    with scripted.scripted_aws() as listening:
        yield listening


@pytest.fixture
def told(endpoint):
    endpoint.script, endpoint.asked = {"GetUser": answer("GetUser", f"<User><Arn>{CI}</Arn></User>")}, []
    return endpoint


def keys(connected: Connection) -> aws_iam_access_key.AwsIamAccessKey:
    return aws_iam_access_key.connect(connected, "aws_iam_access_key")


def said(permissions, verb: str) -> set[tuple[bool | None, str]]:
    return {(each.granted, each.why) for each in permissions if verb in each.verbs}


def planted(server) -> CredentialRef:
    user, key_id, _ = server.plant()
    return CredentialRef("aws_iam_access_key", "aws-test", user, key_id)


ACTS = {
    "issue": lambda provider, ref: provider.issue(ref, "marker", {}),
    "end_sessions": lambda provider, ref: provider.end_sessions(ref),
    "suspend": lambda provider, ref: provider.suspend(ref),
    "revoke": lambda provider, ref: provider.revoke(ref),
}


def refused_when_tried(act, provider, ref) -> bool:
    try:
        act(provider, ref)
    except RotatorError as error:
        return error.reason == "access_denied"
    return False


@pytest.mark.parametrize(
    ("verb", "action"),
    [
        ("issue", "iam:CreateAccessKey"),
        ("end_sessions", "iam:PutUserPolicy"),
        ("suspend", "iam:UpdateAccessKey"),
        ("revoke", "iam:DeleteAccessKey"),
    ],
)
def test_what_is_granted_for_one_user_works_on_him_and_is_refused_on_another(stack, verb, action):
    ours, theirs = planted(stack), planted(stack)
    own = f"arn:aws:iam::{stack.account}:user/{ours.owner}"
    provider = keys(as_user(stack, allowed(*LOOKING), allowed(action, on=own)))
    assert said(provider.permissions(ours.owner), verb) == {(True, "")}
    assert said(provider.permissions(theirs.owner), verb) == {(False, "no policy allows it")}
    assert said(provider.permissions(None), verb) == {(None, "not granted for all of them: name an owner")}
    assert not refused_when_tried(ACTS[verb], provider, ours)
    assert refused_when_tried(ACTS[verb], provider, theirs)


def test_what_is_denied_is_told_whatever_else_allows_it_and_of_all_users_too(stack):
    ref = planted(stack)
    deny = {"Effect": "Deny", "Action": "iam:CreateAccessKey", "Resource": "*"}
    provider = keys(as_user(stack, allowed("*"), deny))
    for whose in (ref.owner, None):
        assert said(provider.permissions(whose), "issue") == {(False, "denied by a policy")}
    assert said(provider.permissions(ref.owner), "revoke") == {(True, "")}
    assert said(provider.permissions(None), "revoke") == {(None, SINGLED_OUT.format("name an owner"))}
    assert refused_when_tried(ACTS["issue"], provider, ref)
    assert not refused_when_tried(ACTS["revoke"], provider, ref)


def test_what_is_denied_for_some_users_is_not_said_to_be_granted_for_all(stack):
    ref = planted(stack)
    some = f"arn:aws:iam::{stack.account}:user/{ref.owner[:6]}*"
    provider = keys(as_user(stack, allowed("*"), {"Effect": "Deny", "Action": "iam:DeleteAccessKey", "Resource": some}))
    assert said(provider.permissions(ref.owner), "revoke") == {(False, "denied by a policy")}
    assert said(provider.permissions(None), "revoke") == {(None, SINGLED_OUT.format("name an owner"))}
    assert refused_when_tried(ACTS["revoke"], provider, ref)


@pytest.mark.parametrize(
    "permitted",
    [
        aws_secrets_manager.connect,
        parameter_store.connect,
        lambda connected: aws_secret.connect(connected, "aws_secret"),
        lambda connected: aws_ssm_parameter.connect(connected, "aws_ssm_parameter"),
    ],
)
def test_of_all_names_at_once_no_name_is_said_to_be_granted(stack, permitted):
    answers = permitted(as_user(stack, allowed("*"))).permissions(None)
    assert {each.needs for each in answers if each.granted} <= {"ssm:DescribeParameters on *"}
    assert {each.granted for each in answers} <= {None, True}


def test_who_may_not_ask_is_told_what_asking_needs(stack):
    ref = planted(stack)
    provider = keys(as_user(stack, allowed("iam:Get*", "iam:List*", "iam:DeleteAccessKey")))
    answers = provider.permissions(ref.owner)
    assert {each.granted for each in answers} == {None}
    (why,) = {each.why for each in answers}
    assert why.startswith(f"asking needs iam:SimulatePrincipalPolicy on arn:aws:iam::{stack.account}:user/user-")


def test_whose_path_nobody_tells_is_said_to_be_granted_nothing(stack):
    ref = planted(stack)
    own = f"arn:aws:iam::{stack.account}:user/{ref.owner}"
    asking = allowed("iam:SimulatePrincipalPolicy", "iam:DeleteAccessKey")
    answers = keys(as_user(stack, asking, allowed("iam:CreateAccessKey", on=own))).permissions(ref.owner)
    mend = f"iam:GetUser would tell which path {ref.owner} has"
    assert said(answers, "revoke") == {(None, SINGLED_OUT.format(mend))}
    assert said(answers, "issue") == {(None, f"not granted for all of them: {mend}")}


def test_the_root_user_cannot_be_asked_about(stack):
    answers = keys(connection(stack)).permissions(planted(stack).owner)
    assert {each.granted for each in answers} == {None}
    assert {each.why for each in answers} == {"IAM simulates users and roles alone, and the rotator acts as root"}


def test_an_owner_who_is_not_there_is_said_so(stack):
    with pytest.raises(Rejected) as refusal:
        keys(as_user(stack, allowed("*"))).permissions("nobody")
    assert refusal.value.reason == "not_found"


def session(server, role: str, **limits: str) -> Connection:
    """Let the rotator in by a session of a role that may do everything."""
    anyone = [{"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:*"}]
    server.iam.create_role(RoleName=role, AssumeRolePolicyDocument=json.dumps({"Statement": anyone}))
    policy = json.dumps({"Version": "2012-10-17", "Statement": [allowed("*")]})
    server.iam.put_role_policy(RoleName=role, PolicyName="all", PolicyDocument=policy)
    arn = f"arn:aws:iam::{server.account}:role/{role}"
    made = server.client("sts").assume_role(RoleArn=arn, RoleSessionName="rotator", **limits)["Credentials"]
    fields = {"AccessKeyId": "access_key_id", "SecretAccessKey": "secret_access_key", "SessionToken": "session_token"}
    own = Secret(json.dumps({f"aws_{name}": made[field] for field, name in fields.items()}))
    return connection(server, credential=lambda: own)


def test_of_a_roles_session_the_role_is_asked_about_and_what_is_not_seen_is_said(stack):
    ref = planted(stack)
    provider = keys(session(stack, f"rotator-{secrets.token_hex(4)}"))
    unseen = "to the role: a policy of this session alone, if it has one, is not seen"
    assert said(provider.permissions(ref.owner), "revoke") == {(True, unseen)}
    assert not refused_when_tried(ACTS["revoke"], provider, ref)
    narrowed = json.dumps({"Version": "2012-10-17", "Statement": [allowed(*LOOKING)]})
    provider = keys(session(stack, f"rotator-{secrets.token_hex(4)}", Policy=narrowed))
    assert said(provider.permissions(planted(stack).owner), "revoke") == {(True, unseen)}
    assert refused_when_tried(ACTS["revoke"], provider, planted(stack))


def test_of_all_sessions_roles_and_users_are_asked_about(stack):
    provider = aws_sts_session.connect(as_user(stack, allowed("*")), "aws_sts_session")
    answers = provider.permissions(None)
    assert {(each.granted, each.why) for each in answers} == {(None, SINGLED_OUT.format("name an owner"))}
    assert {"iam:PutRolePolicy on role/*", "iam:PutUserPolicy on user/*"} <= {each.needs for each in answers}
    owner = f"user/{planted(stack).owner}"
    of_users = {each.needs.replace("user/*", owner) for each in answers if each.needs.endswith("user/*")}
    assert {each.needs for each in provider.permissions(owner)} == of_users


def secret(server, **how: str) -> str:
    name = f"app/{secrets.token_hex(6)}"
    server.client("secretsmanager").create_secret(Name=name, SecretString="first", **how)
    return name


def test_a_secrets_own_policy_decides_too_and_only_a_denial_of_ours_is_sure(stack):
    name, client = secret(stack), stack.client("secretsmanager")
    may_all, looks = as_user(stack, allowed("*")), as_user(stack, allowed(*LOOKING))
    deny = {"Effect": "Deny", "Action": "secretsmanager:UpdateSecretVersionStage", "Resource": "*"}
    denied = as_user(stack, allowed("*"), deny)
    assert said(aws_secret.connect(may_all, "aws_secret").permissions(name), "suspend") == {(True, "")}
    statement = {"Effect": "Deny", "Principal": "*", "Action": "secretsmanager:PutSecretValue", "Resource": "*"}
    policy = {"Version": "2012-10-17", "Statement": [statement]}
    client.put_resource_policy(SecretId=name, ResourcePolicy=json.dumps(policy))
    unseen = (None, "the secret's own policy decides too, and IAM does not simulate it")
    for connected in (may_all, looks):
        assert said(aws_secrets_manager.connect(connected).permissions(name), "promote") == {unseen}
        with pytest.raises(Rejected):
            aws_secrets_manager.connect(connected).stage(name, Secret("{}"), "token")
    answers = aws_secrets_manager.connect(denied).permissions(name)
    assert said(answers, "demote") == {unseen, (False, "denied by a policy")}


def test_a_secret_whose_own_policy_nobody_may_read_is_nobodys_to_tell(stack):
    may = as_user(stack, allowed(*ASKING, "secretsmanager:PutSecretValue"))
    answers = aws_secrets_manager.connect(may).permissions(secret(stack))
    why = "secretsmanager:GetResourcePolicy would tell whether it has a policy of its own, which decides too"
    assert said(answers, "promote") == {(None, why)}


def test_a_secret_that_is_not_there_yet_must_be_made_too(stack):
    name, deny = f"new/{secrets.token_hex(6)}", {"Effect": "Deny", "Action": "secretsmanager:CreateSecret"}
    made = aws_secrets_manager.connect(as_user(stack, allowed("*")))
    assert {each.granted for each in made.permissions(name)} == {True}
    assert made.stage(name, Secret("{}"), "token")
    unmade = aws_secrets_manager.connect(as_user(stack, allowed("*"), {**deny, "Resource": "*"}))
    other = f"new/{secrets.token_hex(6)}"
    assert {each.needs for each in unmade.permissions(other) if each.granted is False} == {
        f"secretsmanager:CreateSecret on secret:{other}",
        f"secretsmanager:CreateSecret on secret:{other}-AAAAAA",
    }
    with pytest.raises(Rejected):
        unmade.stage(other, Secret("{}"), "token")


def test_what_is_under_a_key_of_its_own_needs_the_key_and_nobody_can_tell_of_that(stack):
    everything = as_user(stack, allowed("*"))
    key = "0a1b2c3d-0000-4000-8000-0a1b2c3d4e5f"
    name, parameter = secret(stack, KmsKeyId=key), f"/app/{secrets.token_hex(6)}"
    stack.client("ssm").put_parameter(Name=parameter, Value="first", Type="SecureString", KeyId=key)
    asked = [
        (aws_secrets_manager.connect(everything).permissions(name), "promote", True),
        (aws_secret.connect(everything, "aws_secret").permissions(name), LOOK, True),
        (parameter_store.connect(everything).permissions(parameter), "promote", True),
        (aws_ssm_parameter.connect(everything, "aws_ssm_parameter").permissions(parameter), LOOK, True),
    ]
    for answers, verb, granted in asked:
        decrypt = [each for each in answers if each.needs == f"kms:Decrypt on key/{key}"]
        assert [(verb in each.verbs, each.granted) for each in decrypt] == [(True, None)]
        assert {each.granted for each in answers if "kms:" not in each.needs} == {granted}


def test_a_parameter_needs_the_names_beside_it(stack):
    name = f"/app/{secrets.token_hex(6)}"
    stack.client("ssm").put_parameter(Name=name, Value="first", Type="SecureString")
    on = f"arn:aws:ssm:us-east-1:{stack.account}:parameter{name}"
    change = ("ssm:PutParameter", "ssm:DeleteParameter")
    short = parameter_store.connect(as_user(stack, allowed(*LOOKING), allowed(*change, on=on)))
    beside = f"parameter{name}.rotator-*"
    assert {(each.needs, each.why) for each in short.permissions(name) if not each.granted} == {
        (f"{action} on {beside}", f"not granted for all of them: grant it on {beside}") for action in change
    }
    with pytest.raises(Rejected):
        short.stage(name, Secret("{}"), "token")
    enough = parameter_store.connect(as_user(stack, allowed(*LOOKING), allowed(*change, on=f"{on}*")))
    assert {each.granted for each in enough.permissions(name)} == {True}
    enough.promote(name, enough.stage(name, Secret("{}"), "token"), "1")


CI = "arn:aws:iam::111122223333:user/division/ci"
ROTATOR = "arn:aws:iam::111122223333:user/rotator"
SESSION = "arn:aws:sts::111122223333:assumed-role/rotator/i-0a1b2c3d"
ACTIONS = ("CreateAccessKey", "DeleteAccessKey", "GetAccessKeyLastUsed", "ListAccessKeys", "ListAttachedUserPolicies")
ACTIONS += ("ListGroupsForUser", "ListUserPolicies", "PutUserPolicy", "UpdateAccessKey")
OPEN = "<MissingContextValues><member>aws:SourceIp</member></MissingContextValues>"
BY = "<MatchedStatements><member><SourcePolicyId>quarantine</SourcePolicyId></member></MatchedStatements>"


def answer(action: str, body: str) -> scripted.Answer:
    return scripted.Answer(200, f"<{action}Response><{action}Result>{body}</{action}Result></{action}Response>")


def evaluated(decision: str, more: str = "", actions=ACTIONS) -> str:
    return "".join(
        f"<member><EvalActionName>iam:{each}</EvalActionName><EvalResourceName>*</EvalResourceName>"
        f"<EvalDecision>{decision}</EvalDecision>{more}</member>"
        for each in actions
    )


def simulated(members: str, rest: str = "<IsTruncated>false</IsTruncated>") -> scripted.Answer:
    return answer("SimulatePrincipalPolicy", f"<EvaluationResults>{members}</EvaluationResults>{rest}")


def specific(decision: str, more: str = "") -> str:
    told = f"<EvalResourceName>{CI}</EvalResourceName><EvalResourceDecision>{decision}</EvalResourceDecision>{more}"
    return f"<ResourceSpecificResults><member>{told}</member></ResourceSpecificResults>"


def limited(by: str, allows: str) -> str:
    told = {"Organizations": "OrganizationsDecisionDetail", "PermissionsBoundary": "PermissionsBoundaryDecisionDetail"}
    return f"<{told[by]}><AllowedBy{by}>{allows}</AllowedBy{by}></{told[by]}>"


@functools.cache
def let_in_as(caller: str, endpoint_url: str):  # noqa: ARG001 - who is asked once for each
    own = Secret(json.dumps({"aws_access_key_id": "AKIAOWNOWNOWNOWNOWNO", "aws_secret_access_key": "canary"}))
    return keys(Connection("aws-test", "aws", "111122223333", endpoint_url, lambda: own))


def asked_of(told, caller: str = ROTATOR):
    identity = f"<Arn>{caller}</Arn><UserId>AIDA</UserId><Account>111122223333</Account>"
    told.script["GetCallerIdentity"] = answer("GetCallerIdentity", identity)
    return let_in_as(caller, told.endpoint_url).permissions("ci")


@pytest.mark.parametrize(
    ("members", "granted", "why"),
    [
        (evaluated("allowed"), True, ""),
        (evaluated("allowed", specific("allowed")), True, ""),
        (evaluated("allowed", limited("Organizations", "true")), True, ""),
        (evaluated("implicitDeny"), False, "no policy allows it"),
        (evaluated("explicitDeny", BY), False, "denied by quarantine"),
        (evaluated("allowed", specific("explicitDeny", BY)), False, "denied by quarantine"),
        (
            evaluated("implicitDeny", limited("PermissionsBoundary", "false")),
            False,
            "its permissions boundary does not allow it",
        ),
        (
            evaluated("allowed", specific("allowed", limited("PermissionsBoundary", "false"))),
            False,
            "its permissions boundary does not allow it",
        ),
        (evaluated("allowed", OPEN), None, "depends on aws:SourceIp, which only a real call shows"),
        (evaluated("implicitDeny", OPEN), None, "depends on aws:SourceIp, which only a real call shows"),
        (evaluated("explicitDeny", specific("explicitDeny", OPEN)), None, "depends on aws:SourceIp, which only"),
        (evaluated("implicitDeny", limited("Organizations", "false")), None, "a service control policy refuses it"),
        (evaluated("perhaps"), None, "IAM's answer is none of those that it publishes"),
        (evaluated("allowed", actions=[]), None, "IAM's answer does not speak of it"),
    ],
)
def test_each_published_answer_comes_to_what_it_says(told, members, granted, why):
    told.script["SimulatePrincipalPolicy"] = simulated(members)
    answers = asked_of(told)
    assert {each.granted for each in answers} == {granted}
    assert all(each.why.startswith(why) for each in answers)
    assert all(each.why for each in answers if not each.granted)


class InTurn(dict):
    """A script whose lists are said one after the other."""

    def __getitem__(self, action):
        found = super().__getitem__(action)
        return found.pop(0) if isinstance(found, list) else found


def test_all_actions_are_asked_about_in_one_call_and_its_pages_are_read_to_the_end(told):
    told.script = InTurn(told.script)
    first = simulated(evaluated("allowed", actions=ACTIONS[:4]), "<IsTruncated>true</IsTruncated><Marker>m1</Marker>")
    told.script["SimulatePrincipalPolicy"] = [first, simulated(evaluated("allowed", actions=ACTIONS[4:]))]
    assert {each.granted for each in asked_of(told)} == {True}
    pages = [each for each in told.asked if each["Action"] == "SimulatePrincipalPolicy"]
    assert [each.get("Marker") for each in pages] == [None, "m1"]
    (page, _) = pages
    assert {page[f"ActionNames.member.{n}"] for n in range(1, len(ACTIONS) + 1)} == {f"iam:{each}" for each in ACTIONS}
    assert (page["PolicySourceArn"], page["ResourceArns.member.1"]) == (ROTATOR, CI)
    assert page["ContextEntries.member.1.ContextKeyName"] == "aws:RequestedRegion"
    assert page["ContextEntries.member.1.ContextKeyValues.member.1"] == "us-east-1"
    assert {each["Action"] for each in told.asked} <= {"GetCallerIdentity", "GetUser", "SimulatePrincipalPolicy"}


@pytest.mark.parametrize(
    ("found", "principal"),
    [
        (answer("GetRole", f"<Role><Arn>{ROTATOR.replace('user/', 'role/division/')}</Arn></Role>"), "role/division/"),
        (scripted.Answer(403, scripted.error("AccessDenied")), "role/"),
    ],
)
def test_a_session_is_asked_about_by_its_role_and_the_roles_path(told, found, principal):
    told.script |= {"GetRole": found, "SimulatePrincipalPolicy": simulated(evaluated("implicitDeny"))}
    assert {each.granted for each in asked_of(told, SESSION)} == {False}
    assert told.asked[-1]["PolicySourceArn"] == ROTATOR.replace("user/", principal)


def test_a_federated_session_cannot_be_asked_about(told):
    answers = asked_of(told, "arn:aws:sts::111122223333:federated-user/rotator")
    assert {each.granted for each in answers} == {None}
    assert "SimulatePrincipalPolicy" not in {each["Action"] for each in told.asked}


@pytest.mark.parametrize(
    ("status", "code", "why"),
    [
        (403, "AccessDenied", f"asking needs iam:SimulatePrincipalPolicy on {ROTATOR}"),
        (404, "NoSuchEntity", f"IAM finds no {ROTATOR}: asking needs iam:GetRole on it, which tells its path"),
        (400, "InvalidInput", "IAM does not simulate it (refused)"),
    ],
)
def test_a_question_that_is_refused_leaves_it_open(told, status, code, why):
    told.script["SimulatePrincipalPolicy"] = scripted.Answer(status, scripted.error(code))
    assert {(each.granted, each.why) for each in asked_of(told)} == {(None, why)}


@pytest.mark.parametrize(
    ("asked", "said", "kind", "reason"),
    [
        ("SimulatePrincipalPolicy", (400, "Throttling"), Unavailable, "throttled"),
        ("SimulatePrincipalPolicy", (500, "PolicyEvaluation"), Unavailable, "server_error"),
        ("SimulatePrincipalPolicy", (403, "InvalidClientTokenId"), Rejected, "own_credential_refused"),
        ("GetUser", (404, "NoSuchEntity"), Rejected, "not_found"),
        ("GetRole", (400, "ValidationError"), Rejected, "refused"),
    ],
)
def test_where_nobody_could_be_asked_it_is_an_error(told, asked, said, kind, reason):
    told.script[asked] = scripted.Answer(said[0], scripted.error(said[1]))
    with pytest.raises(kind) as error:
        asked_of(told, SESSION if asked == "GetRole" else ROTATOR)
    assert error.value.reason == reason

"""What is peculiar to AWS access keys, on both emulators and against an endpoint that says what they never say."""

from __future__ import annotations

import json
import threading
import traceback
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import boto3
import botocore.auth
import pytest
from botocore.exceptions import ClientError

from rotator import clock
from rotator.credential import CredentialRef, Leaked, Secret
from rotator.errors import Rejected, Unavailable, Uncertain
from rotator.families import aws
from rotator.ports.connection import Connection
from rotator.ports.provider import Answer, State
from rotator.practice.ministack import ministack
from rotator.providers.aws_iam_access_key import SESSIONS_POLICY, AwsIamAccessKey, account_of, connect
from tests.servers import scripted_aws as scripted
from tests.servers.moto import moto_server

NAME = "aws_iam_access_key"
CANARY = "canary+wJalrXUtnFEMI/K7MDENG/bPxRfiCY000"
OWN = Secret(json.dumps({"aws_access_key_id": "AKIAOWNOWNOWNOWNOWNO", "aws_secret_access_key": CANARY}))


def provider(server, **changed) -> AwsIamAccessKey:
    document = {"aws_access_key_id": server.admin_id, "aws_secret_access_key": server.admin_secret.reveal()}
    own = Secret(json.dumps(document))
    fields = {"account": server.account, "endpoint_url": server.endpoint_url, "credential": lambda: own, **changed}
    return connect(Connection("aws-test", "aws", **fields), NAME)


def planted(server, owner=None) -> tuple[CredentialRef, Secret]:
    user, key_id, secret = server.plant(owner)
    return CredentialRef(NAME, "aws-test", user, key_id), secret


@pytest.fixture(scope="module")
def moto(tmp_path_factory):
    with moto_server(tmp_path_factory.mktemp("moto")) as server:
        yield server


@pytest.fixture(scope="module")
def stack(tmp_path_factory):
    with ministack(tmp_path_factory.mktemp("ministack")) as server:
        yield server


@pytest.fixture(params=["moto", "stack"])
def server(request):
    return request.getfixturevalue(request.param)


@pytest.fixture
def endpoint():
    with scripted.scripted_aws() as running:
        yield running


@pytest.fixture
def told(endpoint) -> AwsIamAccessKey:
    connection = Connection("aws-test", "aws", "123456789012", endpoint.endpoint_url, lambda: OWN)
    return connect(connection, NAME)


REF = CredentialRef(NAME, "aws-test", "ci", "AKIAQAAAAAAABCDEFGHI")


# ── whose key it is ──────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "leaked",
    [
        Leaked(secret=Secret(CANARY)),
        Leaked(id="AKIA", secret=Secret(CANARY)),
        Leaked(id="AKIAQAAAAAAABCDEF\r\nX-Evil: 1"),
        Leaked(id="ASIAQAAAAAAABCDEFGHI"),
    ],
)
def test_what_does_not_name_a_users_key_is_unreadable_and_nobody_is_asked(told, endpoint, leaked):
    with pytest.raises(Rejected) as refusal:
        told.identify(leaked)
    assert refusal.value.reason == "unreadable"
    assert CANARY not in str(refusal.value)
    assert endpoint.asked == []


def test_an_id_nobody_knows_is_unknown(server):
    with pytest.raises(Rejected) as refusal:
        provider(server).identify(Leaked(id=REF.id))
    assert refusal.value.reason == "unknown_credential"


def test_a_deleted_key_is_unknown(server):
    ref, _ = planted(server)
    server.iam.delete_access_key(UserName=ref.owner, AccessKeyId=ref.id)
    with pytest.raises(Rejected) as refusal:
        provider(server).identify(Leaked(id=ref.id))
    assert refusal.value.reason == "unknown_credential"


@pytest.mark.parametrize(
    "act",
    [
        lambda p: p.identify(Leaked(id=REF.id)),
        lambda p: p.inspect(REF),
        lambda p: p.revoke(REF),
        lambda p: p.revoke(CredentialRef(NAME, "aws-test", "admin", REF.id)),
    ],
)
def test_not_found_in_the_wrong_account_is_neither_absent_nor_revoked(server, act):
    with pytest.raises(Rejected) as refusal:
        act(provider(server, account="999999999999"))
    assert refusal.value.reason == "not_this_account"


def test_not_found_of_a_user_that_is_gone_counts_as_revoked(server):
    p = provider(server)
    p.revoke(REF)
    assert p.inspect(REF).state is State.ABSENT
    assert p.siblings(REF) == frozenset()


def test_a_report_that_names_another_account_is_believed(told, endpoint):
    with pytest.raises(Rejected) as refusal:
        told.identify(Leaked(id=REF.id, account="999999999999"))
    assert refusal.value.reason == "not_this_account"
    assert endpoint.asked == []


@pytest.mark.parametrize(
    ("key_id", "account"),
    [
        ("AKIASP2TPHJSQH3FJRUX", "171436882533"),
        ("AKIAIOSFODNN7EXAMPLE", None),  # minted before ids held the account
        ("AKIA2A8CCE8EEB5E4ED9", None),  # 8 and 9 are no letters of base 32: an emulator's
    ],
)
def test_the_account_is_read_from_an_id_that_holds_it(key_id, account):
    assert account_of(key_id) == account


def test_an_emulators_id_reads_as_the_account_it_was_minted_in_only_by_chance():
    # moto can mint an id as AWS does, from the number; it is the reference for the arithmetic.
    from moto.iam.utils import generate_access_key_id_from_account_id  # noqa: PLC0415

    for number in ("000000000000", "000000000001", "123456789012", "999999999999"):
        assert account_of(generate_access_key_id_from_account_id(number, "AKIA")) == number


@pytest.mark.parametrize("act", ["identify", "inspect", "suspend", "revoke"])
def test_at_aws_itself_a_foreign_id_is_refused_offline(act):
    # No endpoint is named and there is no network here: an attempt to call would be Unavailable, not this.
    p = connect(Connection("aws-prod", "aws", "123456789012", credential=lambda: OWN), NAME)
    ref = CredentialRef(NAME, "aws-prod", "ci", "AKIASP2TPHJSQH3FJRUX")
    with pytest.raises(Rejected) as refusal:
        getattr(p, act)(Leaked(id=ref.id) if act == "identify" else ref)
    assert refusal.value.reason == "not_this_account"


# ── what the door says ───────────────────────────────────────────────────────────────────────────────────────────────


def test_a_wrong_secret_of_a_living_key_is_a_mismatch_and_no_refusal(server):
    ref, secret = planted(server)
    verdict = provider(server).verify(ref, Secret(secret.reveal()[:-1]))
    assert (verdict.answer, verdict.mismatch, verdict.names_id) == (Answer.INCONCLUSIVE, True, False)
    assert verdict.request_id


def test_a_deleted_key_is_refused_by_its_id_whatever_the_secret(server):
    ref, secret = planted(server)
    p = provider(server)
    p.revoke(ref)
    for material in (secret, Secret(secret.reveal()[:-1])):
        verdict = p.verify(ref, material)
        assert (verdict.answer, verdict.reason, verdict.names_id) == (Answer.REJECTED, "invalid_client_token_id", True)
        assert verdict.request_id


def test_an_inactive_key_is_refused_by_its_id(stack):
    ref, secret = planted(stack)
    p = provider(stack)
    p.suspend(ref)
    assert p.verify(ref, secret).names_id


def test_the_key_alone_is_knocked_with_not_our_own(server):
    ref, secret = planted(server)
    p = provider(server, credential=lambda: OWN)
    assert p.verify(ref, secret).answer is Answer.ACCEPTED


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (scripted.Answer(200, "<html>Sign in to the hotel's network</html>"), "not_the_issuer"),
        (scripted.Answer(403, scripted.error("AccessDenied")), "access_denied"),
        (scripted.Answer(403, scripted.error("SignatureDoesNotMatch", "Signature expired: 2026")), "clock_skewed"),
        (scripted.Answer(403, scripted.error("SignatureDoesNotMatch", "Signature not yet current")), "clock_skewed"),
        (scripted.Answer(400, "nonsense"), "http_400"),
    ],
)
def test_an_answer_that_is_about_something_else_proves_nothing(told, endpoint, answer, reason):
    endpoint.script["GetCallerIdentity"] = answer
    verdict = told.verify(REF, Secret(CANARY))
    assert (verdict.answer, verdict.reason, verdict.mismatch) == (Answer.INCONCLUSIVE, reason, False)


@pytest.mark.parametrize(
    ("answer", "reason", "retry_after"),
    [
        (scripted.Answer(400, scripted.error("Throttling"), {"Retry-After": "7"}), "throttled", 7.0),
        (scripted.Answer(429, "slow down"), "throttled", None),
        (scripted.Answer(503, scripted.error("ServiceUnavailable")), "busy", None),
        (scripted.Answer(500, scripted.error("InternalFailure")), "server_error", None),
        (scripted.Answer(0), "answer_lost", None),
    ],
)
def test_a_door_that_does_not_answer_is_unavailable(told, endpoint, answer, reason, retry_after):
    endpoint.script["GetCallerIdentity"] = answer
    with pytest.raises(Unavailable) as error:
        told.verify(REF, Secret(CANARY))
    assert (error.value.reason, error.value.retry_after) == (reason, retry_after)
    assert CANARY not in "".join(traceback.format_exception(error.value))
    assert len(endpoint.asked) == 1


# ── minting ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_third_key_is_refused_by_the_quota(moto):
    ref, _ = planted(moto)
    p = provider(moto)
    p.issue(ref, "run-1", {})
    with pytest.raises(Rejected) as refusal:
        p.issue(ref, "run-1", {})
    assert refusal.value.reason == "quota"
    both = p.siblings(ref)
    assert len(both) == 2
    assert all(each.id in refusal.value.detail for each in both)
    assert f"{ref.id} (exposed, active, last used never)" in refusal.value.detail
    assert "by hand" in refusal.value.detail


def test_a_full_quota_is_told_as_it_was_when_nobody_says_which_keys_fill_it(told, endpoint):
    endpoint.script["CreateAccessKey"] = scripted.Answer(409, scripted.error("LimitExceeded", "Cannot exceed quota"))
    endpoint.script["ListAccessKeys"] = scripted.Answer(500)
    with pytest.raises(Rejected) as refusal:
        told.issue(REF, "run-1", {})
    assert (refusal.value.reason, "Cannot exceed quota" in refusal.value.detail) == ("quota", True)


def test_the_keys_of_every_user_are_listed_with_age_and_last_use(server):
    ref, _ = planted(server)
    second, _ = planted(server, ref.owner)
    server.iam.update_access_key(UserName=ref.owner, AccessKeyId=ref.id, Status="Inactive")
    found = {each.ref: each.facts for each in provider(server).discover()}
    assert (found[ref]["state"], found[second]["state"]) == ("suspended", "active")
    assert {"created_at", "last_used_at"} <= set(found[ref])


@pytest.mark.parametrize(
    "answer",
    [
        scripted.Answer(0),
        scripted.Answer(500, scripted.error("ServiceFailure")),
        scripted.Answer(502, "bad gateway"),
        scripted.Answer(200, f"<CreateAccessKeyResponse><SecretAccessKey>{CANARY}"),
        scripted.Answer(200, "<html>Sign in to the hotel's network</html>"),
    ],
)
def test_a_mint_whose_answer_is_lost_is_uncertain_and_never_repeated_by_itself(told, endpoint, answer):
    endpoint.script["CreateAccessKey"] = answer
    with pytest.raises(Uncertain) as error:
        told.issue(REF, "run-1", {})
    assert CANARY not in "".join(traceback.format_exception(error.value))
    assert [asked["Action"] for asked in endpoint.asked] == ["CreateAccessKey"]


def test_a_mint_that_was_put_off_is_unavailable(told, endpoint):
    endpoint.script["CreateAccessKey"] = scripted.Answer(400, scripted.error("Throttling"))
    with pytest.raises(Unavailable) as error:
        told.issue(REF, "run-1", {})
    assert error.value.reason == "throttled"
    assert len(endpoint.asked) == 1


# ── what is kept, and what is cut ────────────────────────────────────────────────────────────────────────────────────


def test_last_use_and_rights_are_kept(moto):
    ref, secret = planted(moto)
    p = provider(moto)
    assert p.preserve(ref)["last_used_at"] == "never"
    p.verify(ref, secret)
    kept = p.preserve(ref)
    assert kept["last_used_at"].startswith("20")
    assert (kept["last_used_service"], kept["inline_policies"]) == ("sts", "all")
    assert p.inspect(ref).facts["created_at"].startswith("20")


def test_older_sessions_are_denied_by_one_policy_whose_moment_moves_on(server):
    ref, secret = planted(server)
    p = provider(server)
    facts = [p.end_sessions(ref), p.end_sessions(ref)]
    names = [name for name in server.iam.list_user_policies(UserName=ref.owner)["PolicyNames"] if name != "all"]
    assert names == [SESSIONS_POLICY]
    (statement,) = server.iam.get_user_policy(UserName=ref.owner, PolicyName=SESSIONS_POLICY)["PolicyDocument"][
        "Statement"
    ]
    assert (statement["Effect"], statement["Action"], statement["Resource"]) == ("Deny", "*", "*")
    assert statement["Condition"] == {"DateLessThan": {"aws:TokenIssueTime": facts[1]["denies_sessions_issued_before"]}}
    assert facts[0]["denies_sessions_issued_before"] <= facts[1]["denies_sessions_issued_before"]
    assert p.verify(ref, secret).answer is Answer.ACCEPTED  # a key's own requests carry no issue time


def test_a_session_made_with_the_stolen_key_is_cut_while_the_replacement_works(stack):
    ref, secret = planted(stack)
    allowed = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
    stack.iam.put_user_policy(UserName=ref.owner, PolicyName="all", PolicyDocument=json.dumps(allowed))
    p = provider(stack)
    issued = p.issue(ref, "run-1", {})

    def client(service, key_id, material, token=None):
        return boto3.client(
            service,
            region_name=stack.region,
            endpoint_url=stack.endpoint_url,
            aws_access_key_id=key_id,
            aws_secret_access_key=material,
            aws_session_token=token,
        )

    session = client("sts", ref.id, secret.reveal()).get_session_token()["Credentials"]
    thief = client("secretsmanager", session["AccessKeyId"], session["SecretAccessKey"], session["SessionToken"])
    assert thief.list_secrets()["SecretList"] == []
    p.end_sessions(ref)
    with pytest.raises(ClientError, match="explicit deny"):
        thief.list_secrets()
    assert client("secretsmanager", issued.ref.id, issued.secret.reveal()).list_secrets()["SecretList"] == []


def test_sessions_are_cut_by_the_issuers_clock_when_ours_is_behind(told, endpoint):
    ahead = datetime.now(UTC).replace(microsecond=0) + timedelta(minutes=3)
    date = {"Date": format_datetime(ahead, usegmt=True)}
    endpoint.script["PutUserPolicy"] = scripted.Answer(200, "<PutUserPolicyResponse/>", date)
    facts = told.end_sessions(REF)
    moments = [
        json.loads(asked["PolicyDocument"])["Statement"][0]["Condition"]["DateLessThan"]["aws:TokenIssueTime"]
        for asked in endpoint.asked
    ]
    assert moments[-1] == facts["denies_sessions_issued_before"] == f"{ahead:%Y-%m-%dT%H:%M:%SZ}"
    assert len(moments) == 2


@pytest.mark.parametrize("act", ["inspect", "siblings", "preserve"])
def test_a_strange_answer_to_a_question_is_unavailable(told, endpoint, act):
    for action in ("ListAccessKeys", "ListAttachedUserPolicies"):
        endpoint.script[action] = scripted.Answer(200, "<html>Sign in to the hotel's network</html>")
    with pytest.raises(Unavailable) as error:
        getattr(told, act)(REF)
    assert error.value.reason == "answer_unreadable"


@pytest.mark.parametrize("act", ["suspend", "resume"])
def test_a_page_is_no_yes_to_a_change(told, endpoint, act):
    endpoint.script["UpdateAccessKey"] = scripted.Answer(200, "<html>Sign in to the hotel's network</html>")
    with pytest.raises(Uncertain) as error:
        getattr(told, act)(REF)
    assert error.value.reason == "answer_unreadable"


HALF = {"Content-Length": "4000", "Connection": "close"}


@pytest.mark.parametrize(("act", "kind"), [("siblings", Unavailable), ("revoke", Uncertain)])
def test_half_an_answer_is_no_answer(told, endpoint, act, kind):
    """The vendor's library takes half a list of keys for an empty one."""
    endpoint.script["ListAccessKeys"] = scripted.Answer(200, "<ListAccessKeysResponse><ListAccessKeysResult>", HALF)
    endpoint.script["DeleteAccessKey"] = scripted.Answer(200, "<DeleteAccessKeyResponse>", HALF)
    with pytest.raises(kind):
        getattr(told, act)(REF)


def test_half_an_answer_to_a_knock_is_no_answer(told, endpoint):
    endpoint.script["GetCallerIdentity"] = scripted.Answer(200, "<GetCallerIdentityResponse><Arn>arn:", HALF)
    with pytest.raises(Unavailable):
        told.verify(REF, Secret(CANARY))


def test_a_signature_refused_for_its_time_is_tried_again(told, endpoint):
    body = scripted.error("SignatureDoesNotMatch", "Signature expired: 20261122T010000Z is now earlier than …")
    endpoint.script["UpdateAccessKey"] = scripted.Answer(403, body)
    with pytest.raises(Unavailable) as error:
        told.suspend(REF)
    assert error.value.reason == "clock_skewed"


def test_calls_are_signed_by_the_clock_that_nobody_sets(monkeypatch):
    """That it is asked by the vendor's library, and what that is good for: tests/faults/test_clock.py."""
    monkeypatch.setattr(clock.now, "begins_at", clock.now.begins_at - 7200.0)
    signed_at = botocore.auth.get_current_datetime(remove_tzinfo=False)
    assert abs(signed_at.timestamp() - clock.now()) < 60.0


def test_an_endpoint_that_is_no_address_is_said_so():
    p = connect(Connection("aws-test", "aws", endpoint_url="localhost", credential=lambda: OWN), NAME)
    with pytest.raises(Rejected) as refusal:
        p.inspect(REF)
    assert refusal.value.reason == "invalid_endpoint"


# ── our own credential, clients and deadline ─────────────────────────────────────────────────────────────────────────


def test_our_own_refused_credential_is_told_from_the_exposed_one(server):
    ref, _ = planted(server)
    with pytest.raises(Rejected) as refusal:
        provider(server, credential=lambda: OWN).inspect(ref)
    assert refusal.value.reason == "own_credential_refused"
    assert CANARY not in "".join(traceback.format_exception(refusal.value))


def test_without_permission_it_is_said_what_is_missing(stack):
    ref, _ = planted(stack)
    _, key_id, secret = stack.plant()
    own = Secret(json.dumps({"aws_access_key_id": key_id, "aws_secret_access_key": secret.reveal()}))
    with pytest.raises(Rejected) as refusal:
        provider(stack, credential=lambda: own).suspend(ref)
    assert refusal.value.reason == "access_denied"
    assert "iam:UpdateAccessKey" in refusal.value.detail


def test_the_documents_rotator_delivers_serve_as_its_own_credential(stack):
    user, key_id, secret = stack.plant()
    allowed = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "iam:*", "Resource": "*"}]}
    stack.iam.put_user_policy(UserName=user, PolicyName="all", PolicyDocument=json.dumps(allowed))
    first = CredentialRef(NAME, "aws-test", user, key_id)
    held = [Secret(json.dumps({"aws_access_key_id": key_id, "aws_secret_access_key": secret.reveal()}))]
    p = provider(stack, credential=lambda: held[0])
    issued = p.issue(first, "run-1", {})
    held[0] = issued.document(p.secret_field)
    p.revoke(first)
    assert p.siblings(first) == {issued.ref}


def test_one_client_of_a_service_is_made_for_all_threads(stack, monkeypatch):
    made = []
    real = boto3.Session.client

    def counted(session, service, **settings):
        made.append(service)
        return real(session, service, **settings)

    monkeypatch.setattr(boto3.Session, "client", counted)
    p, (ref, secret) = provider(stack), planted(stack)
    made.clear()
    together = threading.Barrier(16)

    def use(_):
        together.wait()
        p.inspect(ref)
        return p.verify(ref, secret).answer

    with ThreadPoolExecutor(16) as pool:
        assert set(pool.map(use, range(16))) == {Answer.ACCEPTED}
    assert sorted(made) == ["iam", "sts"]


def test_a_method_of_several_calls_keeps_within_the_deadline_of_one(stack, monkeypatch):
    ref, _ = planted(stack)
    p = provider(stack)
    clock = iter(range(0, 100, 3))
    monkeypatch.setattr(aws.time, "monotonic", lambda: float(next(clock)))
    with pytest.raises(Unavailable) as error:
        p.preserve(ref)
    assert error.value.reason == "out_of_time"


def test_its_own_key_is_told_offline_the_default_chains_included(told, endpoint, stack, monkeypatch):
    assert told.own() == "AKIAOWNOWNOWNOWNOWNO"
    assert endpoint.asked == []
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", stack.admin_id)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", stack.admin_secret.reveal())
    monkeypatch.delenv("AWS_SESSION_TOKEN", raising=False)
    chained = provider(stack, credential=lambda: None)
    ref, _ = planted(stack)
    assert chained.identify(Leaked(id=ref.id)) == ref
    assert chained.own() == stack.admin_id

"""What was made with an exposed key since is found, whatever was made with that in turn, and each says how."""

from __future__ import annotations

from rotator.access.persistence import Acts, minted
from rotator.flow.exposure import Certainty
from tests.access.logs import EXPOSED, KEY, record, told


def made(*records, ways=None):
    return minted(Acts(told(*records)), {KEY: EXPOSED}, ways)


def new_key(hours, user, name, key=KEY, **given):
    answer = {"accessKey": {"userName": user, "accessKeyId": name, "status": "Active"}}
    return record(hours, "CreateAccessKey", key, requestParameters={"userName": user}, responseElements=answer, **given)


def test_a_key_that_was_made_is_exposed_with_the_way_to_it():
    [found] = made(new_key(1, "backup", "AKIANEW"), ways={KEY: ("seen in ci.log",)}).exposures
    assert (found.rule, found.leaked.id, found.leaked.owner) == ("aws_iam_access_key", "AKIANEW", "backup")
    assert found.leaked.account == "123456789012"
    assert found.certainty is Certainty.REACHABLE
    assert found.via == (
        "seen in ci.log",
        f"{KEY} made the call CreateAccessKey for backup at 2026-03-24T11:00:00Z (trail.json, record 1)",
    )


def test_what_was_made_before_or_refused_or_by_others_is_not():
    found = made(
        new_key(-1, "a", "AKIA1"), new_key(1, "b", "AKIA2", errorCode="AccessDenied"), new_key(1, "c", "AKIA3", "AKIAX")
    )
    assert (found.exposures, found.unresolved) == ((), ())


def test_what_was_made_with_what_was_made_is_followed_to_the_end_in_whatever_order_it_is_logged():
    session = {"credentials": {"accessKeyId": "ASIA1", "expiration": "Mar 24, 2026, 1:00:00 PM"}}
    role = {"roleArn": "arn:aws:iam::123456789012:role/admin", "roleSessionName": "x"}
    user = {"user": {"userName": "eve", "arn": "arn:aws:iam::123456789012:user/eve"}}
    found = made(
        new_key(5, "eve", "AKIA2", "ASIA9", userIdentity={"arn": "arn:aws:iam::123456789012:user/eve"}),
        new_key(3, "ops", "AKIA1", "ASIA1", userIdentity={"arn": "arn:aws:sts::1:assumed-role/admin/x"}),
        record(2, "AssumeRole", requestParameters=role, responseElements=session),
        record(2.5, "AssumeRole", requestParameters=role, responseElements={"credentials": {"accessKeyId": "ASIA2"}}),
        record(4, "CreateUser", "AKIA1", requestParameters={"userName": "eve"}, responseElements=user),
        new_key(6, "ci", KEY, "AKIA2"),
    )
    assert [each.leaked.id for each in found.exposures] == ["AKIA1", "AKIA2", KEY]
    ways = {each.leaked.id: len(each.via) for each in found.exposures}
    assert (ways["AKIA1"], ways["AKIA2"]) == (3, 5)
    keys = {each.key: each for each in found.unresolved}
    assert set(keys) == {"AssumeRole arn:aws:iam::123456789012:role/admin", "CreateUser eve"}
    assert "2 times from 2026-03-24T12:00:00Z" in keys["AssumeRole arn:aws:iam::123456789012:role/admin"].reason
    assert "36 hours" in keys["AssumeRole arn:aws:iam::123456789012:role/admin"].mend


def test_doors_and_rights_and_blinded_logs_are_left_to_a_person():
    trust = {"roleName": "deploy", "policyDocument": "{}"}
    found = made(
        record(1, "UpdateAssumeRolePolicy", requestParameters=trust),
        record(
            2, "AttachUserPolicy", requestParameters={"userName": "ci", "policyArn": "arn:aws:iam::aws:policy/Admin"}
        ),
        record(3, "StopLogging", requestParameters={"name": "main"}),
        record(4, "ListUsers"),
    )
    assert [each.key for each in found.unresolved] == [
        "UpdateAssumeRolePolicy deploy",
        "AttachUserPolicy ci, arn:aws:iam::aws:policy/Admin",
        "StopLogging main",
    ]
    assert all(each.mend and each.exposures[0].via for each in found.unresolved)


def test_a_password_is_its_users_and_an_answer_without_an_id_is_left_to_a_person():
    found = made(
        record(1, "CreateLoginProfile", requestParameters={"userName": "eve"}),
        record(2, "CreateServiceSpecificCredential", requestParameters={"userName": "eve"}),
    )
    [password] = found.exposures
    assert (password.rule, password.leaked.id, password.leaked.owner) == ("aws_console_password", "eve", "eve")
    assert [each.key for each in found.unresolved] == ["CreateServiceSpecificCredential eve"]

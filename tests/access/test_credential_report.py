"""The credential report names no key: one is told only where its user and its making leave no doubt."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from rotator.access.credential_report import uses
from rotator.credential import CredentialRef
from rotator.errors import BadInput
from tests.access.logs import read

HEAD = (
    "user,arn,user_creation_time,password_enabled,password_last_used,password_last_changed,password_next_rotation,"
    "mfa_active,access_key_1_active,access_key_1_last_rotated,access_key_1_last_used_date,access_key_1_last_used_region,"
    "access_key_1_last_used_service,access_key_2_active,access_key_2_last_rotated,access_key_2_last_used_date,"
    "access_key_2_last_used_region,access_key_2_last_used_service,cert_1_active,cert_1_last_rotated,cert_2_active,"
    "cert_2_last_rotated"
)
NONE = "false,N/A,N/A,N/A,N/A"
ONE = "true,2025-01-02T03:04:05+00:00,2026-03-24T10:15:00+00:00,us-east-1,s3"
TWO = "true,2025-06-02T03:04:05+00:00,N/A,N/A,N/A"


def user(name, first=NONE, second=NONE):
    arn = f"arn:aws:iam::123456789012:user/{name}"
    return f"{name},{arn},2024-01-01T00:00:00+00:00,false,N/A,N/A,N/A,false,{first},{second},false,N/A,false,N/A"


def report(*rows):
    return read(report_text(*rows), "report.csv")


def report_text(*rows):
    return "\n".join([HEAD, *rows]).encode()


def key(owner, name):
    return CredentialRef("aws_iam_access_key", "aws", owner, name)


def at(text):
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


def test_a_users_only_key_is_told_by_the_user():
    found = uses(report(user("<root_account>"), user("ci", ONE)), {key("ci", "AKIA1"): None, key("web", "AKIA2"): None})
    assert set(found) == {"AKIA1"}
    assert found["AKIA1"].last_used_at == at("2026-03-24T10:15:00")
    assert [each.agent for each in found["AKIA1"].sources] == ["s3 in us-east-1"]
    assert found["AKIA1"].told_by == ("report.csv",)


def test_one_of_two_is_told_by_when_it_was_made_and_a_key_that_was_never_used_has_no_users():
    rows = report(user("ci", ONE, TWO))
    assert uses(rows, {key("ci", "AKIA1"): None}) == {}
    found = uses(rows, {key("ci", "AKIA2"): at("2025-06-02T03:04:06")})
    assert (found["AKIA2"].last_used_at, found["AKIA2"].sources) == (None, ())


@pytest.mark.parametrize("text", ["user,arn\nci,x", "", "a", HEAD + "\nci,x"])
def test_what_is_no_report_is_refused(text):
    with pytest.raises(BadInput):
        read(text.encode())

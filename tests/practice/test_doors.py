"""The independent check tells an open door from a shut one, and neither from no clear answer."""

from __future__ import annotations

import pytest

from rotator.practice import doors
from rotator.practice.doors import Answer
from rotator.practice.ministack import ministack
from rotator.practice.openbao import openbao
from rotator.practice.process import free_port


@pytest.fixture(scope="module")
def aws(tmp_path_factory):
    with ministack(tmp_path_factory.mktemp("aws")) as server:
        yield server


@pytest.fixture(scope="module")
def vault(tmp_path_factory):
    with openbao(tmp_path_factory.mktemp("vault")) as server:
        yield server


@pytest.mark.parametrize("shut", ["inactive", "deleted"])
def test_an_aws_key_opens_until_it_is_shut(aws, shut):
    owner, key_id, secret = aws.plant()
    assert doors.aws(aws.endpoint_url, key_id, secret.reveal()).answer is Answer.OPENED
    if shut == "inactive":
        aws.iam.update_access_key(UserName=owner, AccessKeyId=key_id, Status="Inactive")
    else:
        aws.iam.delete_access_key(UserName=owner, AccessKeyId=key_id)
    assert doors.aws(aws.endpoint_url, key_id, secret.reveal()).answer is Answer.REFUSED


def test_a_wrong_secret_says_nothing_about_the_key(aws):
    _, key_id, secret = aws.plant()
    knock = doors.aws(aws.endpoint_url, key_id, secret.reveal()[:-1] + "x")
    assert (knock.answer, knock.said) == (Answer.UNCLEAR, "SignatureDoesNotMatch")


def test_a_vault_token_opens_until_it_is_revoked(vault):
    planted = vault.plant("default")
    assert doors.vault(vault.address, planted.token.reveal()).answer is Answer.OPENED
    vault.call("POST", "auth/token/revoke-accessor", {"accessor": planted.accessor})
    assert doors.vault(vault.address, planted.token.reveal()).answer is Answer.REFUSED


def test_a_door_behind_which_nobody_lives_is_not_called_shut():
    nobody = f"http://127.0.0.1:{free_port()}"
    assert doors.vault(nobody, "s.any").answer is Answer.UNCLEAR
    assert doors.acme(nobody, "acme_any").answer is Answer.UNCLEAR
    assert doors.aws(nobody, "AKIA1", "any").answer is Answer.UNCLEAR

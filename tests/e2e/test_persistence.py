"""What a thief made with a stolen key and token is asked of their issuers, and stands in the plan with its way."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from rotator.credential import Secret
from tests.e2e.company import AWS, VAULT


def test_what_issuers_tell_was_made_with_the_stolen_is_in_the_plan_and_what_they_cannot_tell_too(found_company):
    found = found_company(AWS, VAULT)
    key, token = found.victim(AWS).use, found.victim(VAULT).use
    since = (datetime.now(UTC) - timedelta(seconds=5)).isoformat()
    aws = found.servers.aws
    policy = '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}'
    aws.iam.put_user_policy(UserName=key.owner, PolicyName="everything", PolicyDocument=policy)
    stolen = replace(aws, admin_id=key.document["id"], admin_secret=Secret(key.document["aws_secret_access_key"]))
    # The emulator's trail has the names of calls to this service, and none of IAM's.
    stolen.client("secretsmanager").put_resource_policy(SecretId=key.name, ResourcePolicy=policy)
    made = found.servers.vault.plant("default", token.owner)
    found.rotator("incident", "declare", found.leak(), "--title", "Stolen", "--exposed-at", since).ended(0)
    plan = found.rotator("plan", "last", "-o", "json").ended(0).report["planned"]
    [also] = [each for each in plan["credentials"] if each["id"] == made.accessor]
    assert "vault shows a token" in also["included"][0]
    assert "was seen in" in also["included"][0]
    [door] = [each for each in plan["manual"] if each["id"].startswith("PutResourcePolicy")]
    assert key.document["id"] in door["included"][0]
    asked = " ".join(plan["asked"])
    assert "aws (CloudTrail in us-east-1) tells of 1 made with" in asked
    assert "vault (its tokens) tells of 1 made with" in asked
    assert "it cannot tell" in asked
    shown = found.rotator("plan", "last").ended(0)
    assert "What issuers were asked of what was made with them since" in shown.out


def test_an_issuer_that_may_not_be_asked_stops_no_plan(found_company):
    found = found_company(AWS)
    iam = found.servers.aws.iam
    own = json.loads((found.folder / "rotator-credentials" / "aws.json").read_text())["aws_access_key_id"]
    user = iam.get_access_key_last_used(AccessKeyId=own)["UserName"]
    [policy] = iam.list_user_policies(UserName=user)["PolicyNames"]
    document = json.dumps(iam.get_user_policy(UserName=user, PolicyName=policy)["PolicyDocument"])
    narrow = document.replace('"cloudtrail:LookupEvents"', '"cloudtrail:ListTrails"')
    iam.put_user_policy(UserName=user, PolicyName=policy, PolicyDocument=narrow)
    try:
        said = found.rotator(
            "incident", "declare", found.leak(), "--title", "x", "--exposed-at", "2026-01-01T00:00:00Z"
        )
    finally:
        iam.put_user_policy(UserName=user, PolicyName=policy, PolicyDocument=document)
    assert "aws cannot tell what was made with aws_iam_access_key" in " ".join(said.ended(0).err.split())
    plan = found.rotator("plan", "last", "-o", "json").ended(0).report["planned"]
    assert [each["id"] for each in plan["credentials"]] == [found.victim(AWS).id]

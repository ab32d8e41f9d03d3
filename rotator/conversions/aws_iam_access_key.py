"""An access key of an IAM user becomes a role that a job assumes with its own OIDC token, for an hour at a time.

The role gets what the user has: the policies attached to it and to its groups, its own policies, its boundary. Whose
token may assume it is one audience and one subject, compared whole. Source: IAM user guide, "Create a role for OpenID
Connect federation". The rotator's own credential needs iam:GetUser, ListAttachedUserPolicies, ListUserPolicies,
GetUserPolicy, ListGroupsForUser, ListAttachedGroupPolicies, ListGroupPolicies, GetGroupPolicy, GetPolicy,
GetPolicyVersion, GetRole, ListAttachedRolePolicies, ListRolePolicies, GetOpenIDConnectProvider,
CreateOpenIDConnectProvider, AddClientIDToOpenIDConnectProvider, CreateRole, AttachRolePolicy, PutRolePolicy, TagRole.
What others wrote into policies of resources for the user by its name says nothing of the role.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from rotator.credential import CredentialRef
from rotator.errors import BadInput, Rejected
from rotator.families.aws import Account
from rotator.families.aws_sessions import SESSIONS_POLICY
from rotator.ports import Connection

ASKS: Mapping[str, str] = {
    "role": "what the new role is called",
    "issuer": "who signs the job's token: https://token.actions.githubusercontent.com, or your GitLab's address",
    "subject": "the `sub` of that token, whole: repo:acme/web:ref:refs/heads/main",
    "audience": "the `aud` of that token: sts.amazonaws.com",
}
_TAG = "rotator-converted-from"
_OF_A_USER = "aws:username"
_LONGEST = 128


def prepare(
    issuer: Connection,
    ref: CredentialRef,
    asked: Mapping[str, str],
    connection: Callable[[str], Connection],  # noqa: ARG001 - all of it is in this one account
) -> Mapping[str, str]:
    """Make the OIDC provider where it is not there, and the role with all that the user may do.

    Safe to call again. Raises Rejected for a role of that name that this did not make, or whose trust is another.
    Nothing says that a job can assume it: that is seen when one does.
    """
    if "*" in asked["subject"] or "?" in asked["subject"]:
        raise BadInput("a subject is compared whole", "subject", "write the `sub` of one job's token; convert again")
    host = asked["issuer"].removeprefix("https://").rstrip("/")
    if not asked["issuer"].startswith("https://") or not host:
        raise BadInput("an issuer is an https:// address", "issuer", ASKS["issuer"])
    account = Account(issuer)
    rights = _rights(account, ref.owner)
    arn = _provider(account, host, asked["audience"])
    trust = _trust(arn, host, asked)
    made = _role(account, asked["role"], trust, ref.owner, rights)
    exchange = account.exchange()
    for policy in rights["attached"]:
        exchange.change("iam", "attach_role_policy", RoleName=asked["role"], PolicyArn=policy)
    exchange = account.exchange()
    for name, document in rights["inline"].items():
        text = json.dumps(document, sort_keys=True)
        exchange.change("iam", "put_role_policy", RoleName=asked["role"], PolicyName=name, PolicyDocument=text)
    return {
        "made": made,
        "trust": json.dumps(trust, sort_keys=True),
        "attached_policies": ", ".join(rights["attached"]),
        "inline_policies": json.dumps(rights["inline"], sort_keys=True),
        "boundary": rights["boundary"],
        **(
            {"look_at": f"a policy speaks of {_OF_A_USER}, which no role has"}
            if _speaks_of_users(account, rights)
            else {}
        ),
    }


def _rights(account: Account, user: str) -> dict[str, Any]:
    """Return what the user may do: by policies attached to it and to its groups, and by those written into them."""
    exchange = account.exchange()
    who = {"UserName": user}
    boundary = exchange.read("iam", "get_user", **who)["User"].get("PermissionsBoundary", {})
    found = exchange.pages("iam", "list_attached_user_policies", "AttachedPolicies", **who)
    attached = [each["PolicyArn"] for each in found]
    inline = {}
    for name in exchange.pages("iam", "list_user_policies", "PolicyNames", **who):
        inline[name] = exchange.read("iam", "get_user_policy", **who, PolicyName=name)["PolicyDocument"]
    for group in [each["GroupName"] for each in exchange.pages("iam", "list_groups_for_user", "Groups", **who)]:
        exchange = account.exchange()
        of = {"GroupName": group}
        found = exchange.pages("iam", "list_attached_group_policies", "AttachedPolicies", **of)
        attached += [each["PolicyArn"] for each in found]
        for name in exchange.pages("iam", "list_group_policies", "PolicyNames", **of):
            found = exchange.read("iam", "get_group_policy", **of, PolicyName=name)["PolicyDocument"]
            inline[_name(f"{group}.{name}", inline)] = found
    return {
        "attached": sorted(set(attached)),
        "inline": {name: document for name, document in sorted(inline.items()) if not _is_ours(name)},
        "boundary": boundary.get("PermissionsBoundaryArn", ""),
    }


def _is_ours(policy: str) -> bool:
    """Tell whether it only ends the user's sessions: a role has none of before."""
    return policy == SESSIONS_POLICY


def _name(wanted: str, taken: Iterable[str]) -> str:
    """Return a name that no other policy has: one that took another's place might be what denied the most."""
    short = wanted[:_LONGEST]
    if short == wanted and short not in taken:
        return short
    return f"{wanted[: _LONGEST - 9]}.{hashlib.sha256(wanted.encode()).hexdigest()[:8]}"


def _speaks_of_users(account: Account, rights: Mapping[str, Any]) -> bool:
    """Tell whether a policy, written into the user or attached, means who is called as it is."""
    documents = list(rights["inline"].values())
    for arn in rights["attached"]:
        exchange = account.exchange()
        version = exchange.read("iam", "get_policy", PolicyArn=arn)["Policy"]["DefaultVersionId"]
        found = exchange.read("iam", "get_policy_version", PolicyArn=arn, VersionId=version)
        documents.append(found["PolicyVersion"]["Document"])
    return _OF_A_USER in json.dumps(documents).lower()  # keys of conditions are written in either case


def _provider(account: Account, host: str, audience: str) -> str:
    """Return the OIDC provider of that issuer, made or found, with that audience."""
    exchange = account.exchange()
    _, partition, _, _, number, *_ = account.own_arn(exchange).split(":")
    arn = f"arn:{partition}:iam::{number}:oidc-provider/{host}"
    try:
        found = exchange.read("iam", "get_open_id_connect_provider", OpenIDConnectProviderArn=arn)
    except Rejected as refusal:
        if refusal.reason != "not_found":
            raise
        exchange.change("iam", "create_open_id_connect_provider", Url=f"https://{host}", ClientIDList=[audience])
        return arn
    if audience not in found.get("ClientIDList", []):
        add = "add_client_id_to_open_id_connect_provider"
        exchange.change("iam", add, OpenIDConnectProviderArn=arn, ClientID=audience)
    return arn


def _trust(provider: str, host: str, asked: Mapping[str, str]) -> dict[str, Any]:
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Federated": provider},
                "Action": "sts:AssumeRoleWithWebIdentity",
                "Condition": {"StringEquals": {f"{host}:aud": asked["audience"], f"{host}:sub": asked["subject"]}},
            }
        ],
    }


def _role(account: Account, name: str, trust: Mapping[str, Any], user: str, rights: Mapping[str, Any]) -> str:
    """Return the role's ARN, made or found. Raises Rejected("another_role"), also of one that may do more."""
    boundary = rights["boundary"]
    exchange = account.exchange()
    try:
        found = exchange.read("iam", "get_role", RoleName=name)["Role"]
    except Rejected as refusal:
        if refusal.reason != "not_found":
            raise
        more = {"PermissionsBoundary": boundary} if boundary else {}
        text, tags = json.dumps(trust, sort_keys=True), [{"Key": _TAG, "Value": user}]
        made = exchange.change("iam", "create_role", RoleName=name, AssumeRolePolicyDocument=text, Tags=tags, **more)
        return str(made["Role"]["Arn"])
    marks = {each["Key"]: each["Value"] for each in found.get("Tags", [])}
    if marks.get(_TAG) != user or found["AssumeRolePolicyDocument"] != trust:
        raise Rejected("another_role", f"a role {name} is there, for other users or with another trust")
    if found.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn", "") != boundary:
        raise Rejected("another_role", f"a role {name} is there, and its boundary is not that of {user}")
    attached = exchange.pages("iam", "list_attached_role_policies", "AttachedPolicies", RoleName=name)
    has = {each["PolicyArn"] for each in attached}
    has |= set(exchange.pages("iam", "list_role_policies", "PolicyNames", RoleName=name)) - {SESSIONS_POLICY}
    if beyond := sorted(has - {*rights["attached"], *rights["inline"]}):
        raise Rejected("another_role", f"a role {name} is there, and has what {user} has not: {', '.join(beyond)}")
    return str(found["Arn"])

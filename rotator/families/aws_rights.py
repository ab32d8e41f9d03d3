"""What a user of IAM may do, by what is attached to it and to its groups: read, to be given to a role as it stands.

Who asks needs iam:GetUser, ListUserTags, ListAttachedUserPolicies, ListUserPolicies, GetUserPolicy,
ListGroupsForUser, ListAttachedGroupPolicies, ListGroupPolicies, GetGroupPolicy, GetPolicy, GetPolicyVersion.
What others wrote into policies of resources for the user by its name is not in it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from rotator.families.aws import Account
from rotator.families.aws_sessions import SESSIONS_POLICY

_LONGEST = 128
_OF_A_USER = ("aws:username", "aws:userid")
"""What policies call who asks, by a name that only a user has, or by one that is another of each."""


@dataclass(frozen=True, slots=True)
class Rights:
    """ARNs of managed policies, written policies by name, the boundary's ARN or "", and the tags that policies mean."""

    attached: tuple[str, ...]
    inline: Mapping[str, Any]
    boundary: str
    tags: Mapping[str, str]


def rights_of(account: Account, user: str) -> Rights:
    """Return what the user may do. What only ended its sessions is left: a role has none of before."""
    exchange, who = account.exchange(), {"UserName": user}
    boundary = exchange.read("iam", "get_user", **who)["User"].get("PermissionsBoundary", {})
    tags = {each["Key"]: each["Value"] for each in exchange.pages("iam", "list_user_tags", "Tags", **who)}
    found = exchange.pages("iam", "list_attached_user_policies", "AttachedPolicies", **who)
    attached = [each["PolicyArn"] for each in found]
    inline = {}
    for name in exchange.pages("iam", "list_user_policies", "PolicyNames", **who):
        inline[name] = exchange.read("iam", "get_user_policy", **who, PolicyName=name)["PolicyDocument"]
    for group in [each["GroupName"] for each in exchange.pages("iam", "list_groups_for_user", "Groups", **who)]:
        exchange, of = account.exchange(), {"GroupName": group}
        found = exchange.pages("iam", "list_attached_group_policies", "AttachedPolicies", **of)
        attached += [each["PolicyArn"] for each in found]
        for name in exchange.pages("iam", "list_group_policies", "PolicyNames", **of):
            document = exchange.read("iam", "get_group_policy", **of, PolicyName=name)["PolicyDocument"]
            inline[_name(f"{group}.{name}", inline)] = document
    return Rights(
        tuple(sorted(set(attached))),
        {name: document for name, document in sorted(inline.items()) if name != SESSIONS_POLICY},
        boundary.get("PermissionsBoundaryArn", ""),
        tags,
    )


def spoken_of(account: Account, rights: Rights) -> list[str]:
    """Return by which names that no role has a policy, written or attached, means who asks."""
    documents = list(rights.inline.values())
    for arn in rights.attached:
        exchange = account.exchange()
        version = exchange.read("iam", "get_policy", PolicyArn=arn)["Policy"]["DefaultVersionId"]
        found = exchange.read("iam", "get_policy_version", PolicyArn=arn, VersionId=version)
        documents.append(found["PolicyVersion"]["Document"])
    text = json.dumps(documents).lower()  # keys of conditions are written in either case
    return [each for each in _OF_A_USER if each in text]


def _name(wanted: str, taken: Iterable[str]) -> str:
    """Return a name that no other policy has: one that took another's place might be what denied the most."""
    short = wanted[:_LONGEST]
    if short == wanted and short not in taken:
        return short
    return f"{wanted[: _LONGEST - 9]}.{hashlib.sha256(wanted.encode()).hexdigest()[:8]}"

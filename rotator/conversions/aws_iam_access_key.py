"""An access key of an IAM user becomes a role that a job assumes with its own OIDC token, for an hour at a time.

The role gets what the user has: the policies attached to it and to its groups, its own policies, its boundary, its
tags. Whose token may assume it is one audience and one subject, compared whole; nobody may before all policies are
there, since one that is lacking might be what denies. Source: IAM user guide, "Create a role for OpenID Connect
federation". The rotator's own credential needs what `families/aws_rights.py` names, and iam:GetRole,
ListAttachedRolePolicies, ListRolePolicies, GetRolePolicy, GetOpenIDConnectProvider, CreateOpenIDConnectProvider,
AddClientIDToOpenIDConnectProvider, CreateRole, TagRole, AttachRolePolicy, PutRolePolicy, UpdateAssumeRolePolicy; to
take away what it made, iam:ListRoles, DetachRolePolicy, DeleteRolePolicy, DeleteRole, DeleteOpenIDConnectProvider,
RemoveClientIDFromOpenIDConnectProvider.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from rotator.conversions import GONE, TAKEN, Loss, Notes, Thing, refuse_losses
from rotator.credential import CredentialRef
from rotator.errors import BadInput, MayBeAbsent, Rejected
from rotator.families.aws import Account
from rotator.families.aws_rights import Rights, rights_of, spoken_of
from rotator.families.aws_sessions import SESSIONS_POLICY
from rotator.ports.connection import Connection

ASKS: Mapping[str, str] = {
    "role": "what the new role is called",
    "issuer": "who signs the job's token: https://token.actions.githubusercontent.com, or your GitLab's address",
    "subject": "the `sub` of that token, whole: repo:acme/web:ref:refs/heads/main",
    "audience": "the `aud` of that token: sts.amazonaws.com",
}
PASSING: frozenset[str] = frozenset()
_TAG = "rotator-converted-from"


class Conversion:
    """Keys of one account become roles there."""

    def __init__(self, issuer: Connection, connection: Callable[[str], Connection]) -> None:  # noqa: ARG002 - it is all there
        self._account = Account(issuer)

    def prepare(self, ref: CredentialRef, asked: Mapping[str, str], notes: Notes) -> Mapping[str, str]:
        """Make the OIDC provider where it is not there, and the role with all that the user may do.

        Raises BadInput for what would be lost, Rejected for a role of that name that this did not make, or whose trust
        is another. Nothing says that a job can assume it: that is seen when one does.
        """
        host = _host(asked)
        account, role = self._account, asked["role"]
        rights = rights_of(account, ref.owner)
        lost = (Loss(name, "a policy speaks of it, and a role has none") for name in spoken_of(account, rights))
        without = refuse_losses(lost, asked)
        _, partition, _, _, number, *_ = account.own_arn(account.exchange()).split(":")
        provider = f"arn:{partition}:iam::{number}:oidc-provider/{host}"
        trust = _trust(provider, host, asked)
        there = _role(account, role, trust, ref.owner, rights)
        things = _of_provider(account, provider, asked["audience"])
        things += _of_role(account, role, ref.owner, rights, there)
        notes.intends(things)
        for each in things:
            _make(account, each, rights, trust)
        if there is None or there["AssumeRolePolicyDocument"] != trust:
            _let_in(account, role, trust)
        return {
            "made": f"arn:{partition}:iam::{number}:role/{role}" if there is None else str(there["Arn"]),
            "trust": json.dumps(trust, sort_keys=True),
            "attached_policies": ", ".join(rights.attached),
            "inline_policies": json.dumps(rights.inline, sort_keys=True),
            "boundary": rights.boundary,
            **({"without": ", ".join(without)} if without else {}),
        }

    def take_away(self, thing: Thing) -> str:
        """Take away one thing that a preparation made or was about to make; what others need by now is kept.

        Raises Rejected for a role that is another by now, or that somebody has given more.
        """
        with MayBeAbsent():
            return _taken(self._account, thing)
        return GONE


def _host(asked: Mapping[str, str]) -> str:
    """Return what AWS calls the issuer. Raises BadInput for one, or for a subject, that would let in others too."""
    if "*" in asked["subject"] or "?" in asked["subject"]:
        raise BadInput("a subject is compared whole", "subject", "write the `sub` of one job's token; convert again")
    host = asked["issuer"].removeprefix("https://").rstrip("/")
    if not asked["issuer"].startswith("https://") or not host:
        raise BadInput("an issuer is an https:// address", "issuer", ASKS["issuer"])
    return host


def _taken(account: Account, thing: Thing) -> str:
    exchange, role = account.exchange(), thing.get("role", "")
    match thing["sort"]:
        case "attached":
            exchange.change("iam", "detach_role_policy", RoleName=role, PolicyArn=thing["policy"])
        case "inline" if thing["before"]:
            _write(account, role, thing["policy"], thing["before"])
            return "written as before"
        case "inline":
            exchange.change("iam", "delete_role_policy", RoleName=role, PolicyName=thing["policy"])
        case "role":
            found = exchange.read("iam", "get_role", RoleName=role)["Role"]
            if _marks(found).get(_TAG) != thing["user"]:
                raise Rejected("another_role", f"the role {role} is not the one that was made for {thing['user']}")
            exchange.change("iam", "delete_role", RoleName=role)
        case _:
            if trusting := _trusting(account, thing["provider"], thing.get("audience")):
                return f"kept: it is trusted by {', '.join(trusting)}"
            _take_provider(account, thing)
    return TAKEN


def _of_provider(account: Account, arn: str, audience: str) -> list[Thing]:
    """Return what lacks of the OIDC provider."""
    with MayBeAbsent():
        found = account.exchange().read("iam", "get_open_id_connect_provider", OpenIDConnectProviderArn=arn)
        if audience in found.get("ClientIDList", []):
            return []
        what = f"audience {audience} of the OIDC provider {arn}"
        return [{"sort": "audience", "what": what, "provider": arn, "audience": audience}]
    what = f"OIDC provider {arn}"
    return [{"sort": "provider", "what": what, "provider": arn, "of": audience}]


def _of_role(account: Account, role: str, user: str, rights: Rights, there: Mapping[str, Any] | None) -> list[Thing]:
    """Return what lacks of the role: itself, and each policy that it has not, or has as another."""
    exchange, has, written = account.exchange(), set(), {}
    if there is not None:
        found = exchange.pages("iam", "list_attached_role_policies", "AttachedPolicies", RoleName=role)
        has = {each["PolicyArn"] for each in found}
        for name in exchange.pages("iam", "list_role_policies", "PolicyNames", RoleName=role):
            of = {"RoleName": role, "PolicyName": name}
            written[name] = account.exchange().read("iam", "get_role_policy", **of)["PolicyDocument"]
        if beyond := sorted(({*has, *written} - {SESSIONS_POLICY}) - {*rights.attached, *rights.inline}):
            what = f"a role {role} is there, and has what {user} has not: {', '.join(beyond)}"
            raise Rejected("another_role", what)
    on, things = {"role": role}, list[Thing]()
    if there is None:
        things.append({"sort": "role", "what": f"role {role}", "user": user, **on})
    lacking = (policy for policy in rights.attached if policy not in has)
    things += [{"sort": "attached", "what": f"{policy} at {role}", "policy": policy, **on} for policy in lacking]
    for name, document in rights.inline.items():
        if written.get(name) != document:
            before = json.dumps(written[name], sort_keys=True) if name in written else ""
            things.append(
                {"sort": "inline", "what": f"policy {name} in {role}", "policy": name, "before": before, **on}
            )
    return things


def _make(account: Account, thing: Thing, rights: Rights, trust: Mapping[str, Any]) -> None:
    exchange = account.exchange()
    match thing["sort"]:
        case "provider":
            url = f"https://{thing['provider'].partition(':oidc-provider/')[2]}"
            exchange.change("iam", "create_open_id_connect_provider", Url=url, ClientIDList=[thing["of"]])
        case "audience":
            which = {"OpenIDConnectProviderArn": thing["provider"], "ClientID": thing["audience"]}
            exchange.change("iam", "add_client_id_to_open_id_connect_provider", **which)
        case "role":
            bound = {"PermissionsBoundary": rights.boundary} if rights.boundary else {}
            tags = [{"Key": key, "Value": value} for key, value in _tags(rights, thing["user"]).items()]
            text = json.dumps(_closed(trust), sort_keys=True)
            made = {"RoleName": thing["role"], "AssumeRolePolicyDocument": text}
            exchange.change("iam", "create_role", **made, Tags=tags, **bound)
        case "attached":
            exchange.change("iam", "attach_role_policy", RoleName=thing["role"], PolicyArn=thing["policy"])
        case "inline":
            text = json.dumps(rights.inline[thing["policy"]], sort_keys=True)
            _write(account, thing["role"], thing["policy"], text)


def _write(account: Account, role: str, name: str, document: str) -> None:
    written = {"RoleName": role, "PolicyName": name, "PolicyDocument": document}
    account.exchange().change("iam", "put_role_policy", **written)


def _let_in(account: Account, role: str, trust: Mapping[str, Any]) -> None:
    text = json.dumps(trust, sort_keys=True)
    account.exchange().change("iam", "update_assume_role_policy", RoleName=role, PolicyDocument=text)


def _trust(provider: str, host: str, asked: Mapping[str, str]) -> dict[str, Any]:
    statement = {
        "Effect": "Allow",
        "Principal": {"Federated": provider},
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Condition": {"StringEquals": {f"{host}:aud": asked["audience"], f"{host}:sub": asked["subject"]}},
    }
    return {"Version": "2012-10-17", "Statement": [statement]}


def _closed(trust: Mapping[str, Any]) -> dict[str, Any]:
    """Return the trust of a role that lacks policies still: nobody's, and told apart by whose it will be."""
    return {**trust, "Statement": [{**each, "Effect": "Deny"} for each in trust["Statement"]]}


def _tags(rights: Rights, user: str) -> dict[str, str]:
    """Return the tags of the role: those of the user, which policies may ask for, and whose place it takes."""
    return {**rights.tags, _TAG: user}


def _marks(role: Mapping[str, Any]) -> dict[str, str]:
    return {each["Key"]: each["Value"] for each in role.get("Tags", [])}


def _role(account: Account, name: str, trust: Mapping[str, Any], user: str, rights: Rights) -> Mapping[str, Any] | None:
    """Return the role where it is there. Raises Rejected("another_role"), also of one that may do more."""
    found: Mapping[str, Any] | None = None
    with MayBeAbsent():
        found = account.exchange().read("iam", "get_role", RoleName=name)["Role"]
    if found is None:
        return None
    if _marks(found).get(_TAG) != user or found["AssumeRolePolicyDocument"] not in (trust, _closed(trust)):
        raise Rejected("another_role", f"a role {name} is there, for other users or with another trust")
    if found.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn", "") != rights.boundary:
        raise Rejected("another_role", f"a role {name} is there, and its boundary is not that of {user}")
    if _marks(found) != _tags(rights, user):
        raise Rejected("another_role", f"a role {name} is there, and its tags are not those of {user}")
    return found


def _trusting(account: Account, provider: str, audience: str | None) -> list[str]:
    """Return the roles that trust an OIDC provider, or tokens of it for one audience."""
    found = []
    for role in account.listing("iam", "list_roles", "Roles"):
        text = json.dumps(role.get("AssumeRolePolicyDocument"))
        if json.dumps(provider) in text and (audience is None or json.dumps(audience) in text):
            found.append(str(role["RoleName"]))
    return found


def _take_provider(account: Account, thing: Thing) -> None:
    exchange, arn = account.exchange(), {"OpenIDConnectProviderArn": thing["provider"]}
    if thing["sort"] == "audience":
        remove = "remove_client_id_from_open_id_connect_provider"
        exchange.change("iam", remove, **arn, ClientID=thing["audience"])
        return
    exchange.read("iam", "get_open_id_connect_provider", **arn)
    exchange.change("iam", "delete_open_id_connect_provider", **arn)

"""A session that STS issued (ASIA…), a role's or a user's own. Nobody can make, stop or delete one: it is denied.

It is ended with every session of its principal that is as old, as the console's "Revoke active sessions" does: AWS
knows no way to end one alone. Whoever uses them in good faith gets new ones, which are not denied.
The rotator's own credential needs: iam:GetRole, GetUser, and Get/Put/List…Policy on both; sts:GetCallerIdentity; to be
asked what it may do, also iam:SimulatePrincipalPolicy on itself; to be told what was made with it,
cloudtrail:LookupEvents.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from rotator.credential import CredentialRef, Leaked, Secret
from rotator.errors import MayBeAbsent, Rejected
from rotator.families.aws import Account, Exchange, moment
from rotator.families.aws_permissions import Need, Simulation, needs
from rotator.families.aws_session_knock import Governed, Identity
from rotator.families.aws_sessions import ASSUMED, USER, Principal, denied, deny_older, material
from rotator.families.aws_trail import minted_since
from rotator.kind import Kind
from rotator.permissions import LOOK, Permission
from rotator.ports.connection import Connection
from rotator.ports.listing import MintedSince
from rotator.ports.provider import Answer, Capability, State, Status, Verdict
from rotator.rest_kind import RestKind

FAMILY = "aws"

POLICY = "RotatorCutSessions"
REMEMBERED = 20
"""Ids of cut sessions that the policy's Sid names: a user's inline policies may hold 2,048 characters together."""

SETTLE_S = 10.0
"""IAM spreads a policy within seconds as a rule; its user guide allows itself minutes."""

_FEDERATED = re.compile(r"arn:[a-z-]+:sts::[0-9]{12}:federated-user/.+")


def connect(connection: Connection, name: str, rest: RestKind | None = None) -> AwsStsSession:
    """Return the provider for one account."""
    return AwsStsSession(connection, name)


class AwsStsSession(Kind):
    """Sessions of one account's roles and users; `owner` is role/NAME or user/NAME."""

    family: ClassVar[str] = FAMILY
    capability: ClassVar[Capability] = Capability.EXPIRE_ONLY
    sends_secret: ClassVar[bool] = True
    calls: ClassVar[Mapping[str, int]] = {"preserve": 5, "end_sessions": 3, "verify": 2}
    also_ends: ClassVar[str] = "every older session of its principal"
    settle_s = SETTLE_S
    secret_field = "aws_session_token"  # noqa: S105 - the name of a field

    def __init__(self, connection: Connection, name: str) -> None:
        super().__init__(connection, name)
        self._account = Account(connection)
        self._identity = Identity(self._account)
        self._governed = Governed(self._account)

    def identify(self, leaked: Leaked) -> CredentialRef:
        """Ask STS, as the session itself, whose it is.

        Raises Rejected("unreadable") without its three parts: of an id alone AWS tells the account, and only
        CloudTrail (AccessKeyId) tells whose it was. Raises Rejected("expired"), Rejected("root_session") and others
        for what no policy on a role or user ends.
        """
        self._must_belong(leaked)
        session = material(leaked)
        account, arn = self._identity.of(session)
        if self._connection.account not in (None, account):
            raise Rejected("not_this_account", f"the session is of account {account}")
        return self._ref_of(_owner(arn, leaked.owner), session.access_key)

    def own(self) -> str | None:
        """Return the id of the key or session that signs our calls."""
        return self._account.own_key_id()

    def inspect(self, ref: CredentialRef) -> Status:
        """Return what stands on its principal: AWS keeps no list of sessions.

        SUSPENDED while the policy stands that was written when this very session was cut; ABSENT with its principal.
        """
        exchange, principal = self._account.exchange(), Principal.of(ref.owner)
        found = self._principal(exchange, principal)
        if found is None:
            return Status(State.ABSENT)
        facts = {"principal_created_at": moment(found["CreateDate"])}
        statement = denied(exchange, principal, POLICY)
        if statement is None or ref.id not in _cut(statement):
            return Status(State.ACTIVE, facts)
        return Status(State.SUSPENDED, {**facts, "denies_sessions_issued_before": _before(statement)})

    def siblings(self, ref: CredentialRef) -> frozenset[CredentialRef]:
        """Return itself, while its principal exists: AWS does not list the others."""
        found = self._principal(self._account.exchange(), Principal.of(ref.owner))
        return frozenset() if found is None else frozenset({ref})

    def preserve(self, ref: CredentialRef) -> Mapping[str, str]:
        """Return its principal's last use and the names of what gives it its rights."""
        exchange, principal = self._account.exchange(), Principal.of(ref.owner)
        found = self._principal(exchange, principal)
        if found is None:
            return {"principal": State.ABSENT.value}
        kind, named = principal.kind, principal.parameter
        attached = exchange.pages("iam", f"list_attached_{kind}_policies", "AttachedPolicies", **named)
        inline = exchange.pages("iam", f"list_{kind}_policies", "PolicyNames", **named)
        used = found.get("RoleLastUsed", {}).get("LastUsedDate")
        return {
            "attached_policies": ", ".join(sorted(policy["PolicyArn"] for policy in attached)),
            "inline_policies": ", ".join(sorted(inline)),
            **({} if used is None else {"principal_last_used_at": moment(used)}),
        }

    def minted_since(self, ref: CredentialRef, since: float) -> MintedSince:
        """Return what CloudTrail remembers of the session's calls. See families/aws_trail.py."""
        return minted_since(self._account, ref.id, since)

    def end_sessions(self, ref: CredentialRef) -> Mapping[str, str]:
        """Deny every session of its principal that was issued before now; repeating it moves the moment on.

        Raises Rejected("own_principal") when the rotator's own session is one of them.
        """
        exchange, principal = self._account.exchange(), Principal.of(ref.owner)
        self._account.refuse_wrong(exchange)
        statement = denied(exchange, principal, POLICY)
        cut = [each for each in _cut(statement or {}) if each != ref.id][-(REMEMBERED - 1) :]
        before = deny_older(self._account, exchange, principal, POLICY, sid="".join([*cut, ref.id]))
        return {"policy": POLICY, "on": ref.owner, "denies_sessions_issued_before": before}

    def verify(self, ref: CredentialRef, secret: Secret) -> Verdict:
        """Make a call that our policy governs: GetCallerIdentity succeeds under any deny, so it would prove nothing.

        A denial that an identity-based policy made explicitly counts as a refusal only where ours is one of them.
        """
        verdict = self._governed.knock(material(Leaked(id=ref.id, secret=secret)))
        if verdict.answer is not Answer.REJECTED or not verdict.names_id:
            return verdict
        statement = denied(self._account.exchange(), Principal.of(ref.owner), POLICY)
        if statement is None:
            return Verdict(Answer.INCONCLUSIVE, "denied_by_another_policy", request_id=verdict.request_id)
        return Verdict(Answer.REJECTED, verdict.reason, request_id=verdict.request_id)

    def permissions(self, whose: str | None) -> Sequence[Permission]:
        """Return what is needed of the principal; of all of them, of roles and of users."""
        simulation = Simulation(self._account)
        principals = [Principal.of(whose)] if whose else [Principal("role", ""), Principal("user", "")]
        asked: list[Need] = []
        for each in principals:
            on, kind = simulation.entity(each.kind, each.name or None), each.kind.title()
            asked += needs(on, (LOOK, "preserve"), f"iam:Get{kind}")
            asked += needs(on, (LOOK, "end_sessions", "verify"), f"iam:Get{kind}Policy")
            asked += needs(on, (LOOK, "preserve"), f"iam:ListAttached{kind}Policies", f"iam:List{kind}Policies")
            asked += needs(on, ("end_sessions",), f"iam:Put{kind}Policy")
        return simulation.told(asked)

    def revoke(self, ref: CredentialRef) -> None:
        """Raise Rejected("unsupported"): a session ends by its own time, or is denied."""
        raise Rejected("unsupported", f"{ref.id} cannot be deleted: end_sessions denies it until it expires")

    def _principal(self, exchange: Exchange, principal: Principal) -> Mapping[str, Any] | None:
        with MayBeAbsent():
            found = exchange.read("iam", f"get_{principal.kind}", **principal.parameter)
            return dict(found["Role" if principal.kind == "role" else "User"])
        self._account.refuse_wrong(exchange)
        return None


def _owner(arn: str, reported: str | None) -> str:
    if found := ASSUMED.fullmatch(arn):
        if found[1].startswith("AWSReservedSSO_"):
            raise Rejected("identity_center", f"{found[1]} is IAM Identity Center's: revoke its sessions there")
        return f"role/{found[1]}"
    if found := USER.fullmatch(arn):
        return f"user/{found[1]}"
    if _FEDERATED.fullmatch(arn):
        if reported and reported.startswith("user/"):
            return f"user/{Principal.of(reported).name}"
        raise Rejected("needs_owner", f"{arn}: AWS does not tell which user called GetFederationToken; name user/NAME")
    raise Rejected("root_session", f"{arn}: no policy ends a session of the root user; it ends by its time")


def _cut(statement: Mapping[str, Any]) -> list[str]:
    return re.findall(r"ASIA(?:(?!ASIA)[A-Z0-9])+", str(statement.get("Sid", "")))


def _before(statement: Mapping[str, Any]) -> str:
    return str(statement.get("Condition", {}).get("DateLessThan", {}).get("aws:TokenIssueTime", ""))

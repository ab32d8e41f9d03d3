"""An IAM user's access key: minted by IAM, two for a user at most, suspended and deleted by its id.

The rotator's own credential needs on the users: iam:GetAccessKeyLastUsed, ListAccessKeys, ListAttachedUserPolicies,
ListUserPolicies, ListGroupsForUser; Update/Create/DeleteAccessKey, PutUserPolicy; to be asked what it may do, also
GetUser, and SimulatePrincipalPolicy on itself; to be told what was made with a key, cloudtrail:LookupEvents.
"""

from __future__ import annotations

import re
from base64 import b32decode
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar

from rotator.credential import CredentialRef, Issued, Leaked, Secret
from rotator.errors import MayBeAbsent, Rejected, RotatorError
from rotator.families.aws import Account, Exchange, moment
from rotator.families.aws_knock import Knocker
from rotator.families.aws_permissions import Simulation, needs
from rotator.families.aws_sessions import SESSIONS_POLICY, Principal, deny_older
from rotator.families.aws_trail import minted_since
from rotator.kind import Kind
from rotator.permissions import LOOK, Permission
from rotator.ports.connection import Connection
from rotator.ports.listing import Discovered, MintedSince
from rotator.ports.provider import Capability, State, Status, Verdict
from rotator.rest_kind import RestKind

FAMILY = "aws"

_KEY_ID = re.compile(r"[A-Z0-9]{16,128}")
_TELLS_ACCOUNT = re.compile(r"AKIA[Q-Z2-7][A-Z2-7]{15}")
"""Ids minted since 2019 hold the account's number; older ones (their fifth letter is I or J) do not."""


def connect(connection: Connection, name: str, rest: RestKind | None = None) -> AwsIamAccessKey:
    """Return the provider for one account."""
    return AwsIamAccessKey(connection, name)


class AwsIamAccessKey(Kind):
    """Access keys of one account's IAM users."""

    family: ClassVar[str] = FAMILY
    capability: ClassVar[Capability] = Capability.REVOCABLE
    sends_secret: ClassVar[bool] = False
    calls: ClassVar[Mapping[str, int]] = {"preserve": 6, "issue": 2}
    settle_s = 5.0
    secret_field = "aws_secret_access_key"  # noqa: S105 - the name of a field

    def __init__(self, connection: Connection, name: str) -> None:
        super().__init__(connection, name)
        self._account = Account(connection)
        self._knocker = Knocker(self._account)

    def identify(self, leaked: Leaked) -> CredentialRef:
        """Name the key by its id; the secret alone tells nothing and is never sent.

        Raises Rejected("unreadable") without a well-formed id of an IAM user's key.
        """
        if not leaked.id or not _KEY_ID.fullmatch(leaked.id):
            raise Rejected("unreadable", "an access key is named by its id (AKIA…), and the report has none")
        if leaked.id.startswith("ASIA"):
            raise Rejected("unreadable", "ASIA… is a session's key: declare it as aws_sts_session, with all its parts")
        exchange = self._account.exchange()
        self._refuse_foreign(leaked.id, leaked.account)
        try:
            found = exchange.read("iam", "get_access_key_last_used", AccessKeyId=leaked.id)
        except Rejected as refusal:
            if refusal.reason != "not_found":
                raise
            self._account.refuse_wrong(exchange)
            raise Rejected("unknown_credential", f"IAM knows no access key {leaked.id}") from None
        if not (owner := found.get("UserName")):
            raise Rejected("unknown_credential", f"access key {leaked.id} belongs to no IAM user")
        return self._ref_of(owner, leaked.id)

    def own(self) -> str | None:
        """Return the id of the key that signs our calls; of a role's session, the session's own."""
        return self._account.own_key_id()

    def inspect(self, ref: CredentialRef) -> Status:
        exchange = self._account.exchange()
        self._refuse_foreign(ref.id)
        found = next((key for key in self._keys(exchange, ref.owner) if key["AccessKeyId"] == ref.id), None)
        if found is None:
            self._account.refuse_wrong(exchange)
            return Status(State.ABSENT)
        return Status(_state(found), {"created_at": moment(found["CreateDate"]), **_last_use(exchange, ref.id)})

    def siblings(self, ref: CredentialRef) -> frozenset[CredentialRef]:
        keys = self._keys(self._account.exchange(), ref.owner)
        return frozenset(ref.with_id(key["AccessKeyId"]) for key in keys)

    def discover(self) -> Iterator[Discovered]:
        """Yield the keys of every user; each user's calls share one deadline."""
        for user in self._account.listing("iam", "list_users", "Users"):
            exchange, owner = self._account.exchange(), str(user["UserName"])
            for key in self._keys(exchange, owner):
                ref = self._ref_of(owner, key["AccessKeyId"])
                facts = {"created_at": moment(key["CreateDate"]), "state": _state(key).value}
                yield Discovered(ref, {**facts, **_last_use(exchange, ref.id)})

    def minted_since(self, ref: CredentialRef, since: float) -> MintedSince:
        """Return what CloudTrail remembers of the key's calls and its sessions'. See families/aws_trail.py."""
        self._refuse_foreign(ref.id)
        return minted_since(self._account, ref.id, since)

    def preserve(self, ref: CredentialRef) -> Mapping[str, str]:
        """Return last use and the names of what gives the user its rights, before a knock overwrites the one."""
        exchange = self._account.exchange()
        user = {"UserName": ref.owner}
        attached = exchange.read("iam", "list_attached_user_policies", **user)["AttachedPolicies"]
        inline = exchange.read("iam", "list_user_policies", **user)["PolicyNames"]
        groups = exchange.read("iam", "list_groups_for_user", **user)["Groups"]
        return {
            **_last_use(exchange, ref.id),
            "attached_policies": ", ".join(sorted(policy["PolicyArn"] for policy in attached)),
            "inline_policies": ", ".join(sorted(inline)),
            "groups": ", ".join(sorted(group["GroupName"] for group in groups)),
        }

    def suspend(self, ref: CredentialRef) -> None:
        self._set_status(ref, "Inactive")

    def resume(self, ref: CredentialRef) -> None:
        self._set_status(ref, "Active")

    def end_sessions(self, ref: CredentialRef) -> Mapping[str, str]:
        """Deny whatever was issued to the user before now; repeating it moves the moment on.

        It governs the user's own sessions (GetSessionToken, GetFederationToken), not those of roles it assumed.
        Requests signed with a key itself carry no issue time, so a replacement works on.
        Source: IAM user guide, "Revoke IAM role temporary security credentials", `aws:TokenIssueTime`.
        """
        exchange = self._account.exchange()
        before = deny_older(self._account, exchange, Principal("user", ref.owner))
        return {"policy": SESSIONS_POLICY, "denies_sessions_issued_before": before}

    def issue(self, ref: CredentialRef, marker: str, preserved: Mapping[str, str]) -> Issued:  # noqa: ARG002 - IAM keys carry no marker
        """Mint a second key for the user.

        Raises Rejected("quota") when the user has two already, with the choice that a person has then.
        """
        self._refuse_foreign(ref.id)
        exchange = self._account.exchange()
        try:
            made = exchange.change("iam", "create_access_key", UserName=ref.owner)["AccessKey"]
        except Rejected as refusal:
            raise (self._full(exchange, ref) or refusal if refusal.reason == "quota" else refusal) from None
        issued = ref.with_id(made["AccessKeyId"])
        return Issued(issued, Secret(made["SecretAccessKey"]), {"aws_access_key_id": issued.id})

    def marked(self, ref: CredentialRef, marker: str) -> CredentialRef | None:  # noqa: ARG002 - IAM keys carry no marker
        return None

    def verify(self, ref: CredentialRef, secret: Secret) -> Verdict:
        if not _KEY_ID.fullmatch(ref.id):
            raise Rejected("unreadable", "an access key's id is of capital letters and digits")
        return self._knocker.knock(ref.id, secret)

    def revoke(self, ref: CredentialRef) -> None:
        exchange = self._account.exchange()
        self._refuse_foreign(ref.id)
        with MayBeAbsent():
            exchange.change("iam", "delete_access_key", UserName=ref.owner, AccessKeyId=ref.id)
            return
        self._account.refuse_wrong(exchange)

    def permissions(self, whose: str | None) -> Sequence[Permission]:
        simulation = Simulation(self._account)
        user = simulation.entity("user", whose)
        kept = ("GetAccessKeyLastUsed", "ListAttachedUserPolicies", "ListUserPolicies", "ListGroupsForUser")
        return simulation.told(
            [
                *needs(user, (LOOK,), "iam:ListAccessKeys"),
                *needs(user, (LOOK, "preserve"), *(f"iam:{each}" for each in kept)),
                *needs(user, ("suspend", "resume"), "iam:UpdateAccessKey"),
                *needs(user, ("end_sessions",), "iam:PutUserPolicy"),
                *needs(user, ("issue",), "iam:CreateAccessKey"),
                *needs(user, ("revoke",), "iam:DeleteAccessKey"),
            ]
        )

    def _set_status(self, ref: CredentialRef, status: str) -> None:
        self._refuse_foreign(ref.id)
        self._account.exchange().change(
            "iam", "update_access_key", UserName=ref.owner, AccessKeyId=ref.id, Status=status
        )

    def _full(self, exchange: Exchange, ref: CredentialRef) -> Rejected | None:
        """Say which keys fill the quota and what can be done; None when it cannot be told."""
        try:
            keys = [
                f"{key['AccessKeyId']} ({'exposed, ' if key['AccessKeyId'] == ref.id else ''}{_state(key)}, "
                f"last used {_last_use(exchange, key['AccessKeyId'])['last_used_at']})"
                for key in self._keys(exchange, ref.owner)
            ]
        except RotatorError:
            return None
        choice = (
            "delete by hand the one that nobody uses, or answer with contain_first: none but the exposed one makes room"
        )
        return Rejected("quota", f"{ref.owner} has {' and '.join(keys)}: {choice}")

    def _keys(self, exchange: Exchange, user: str) -> list[dict[str, Any]]:
        with MayBeAbsent():
            return list(exchange.pages("iam", "list_access_keys", "AccessKeyMetadata", UserName=user))
        self._account.refuse_wrong(exchange)
        return []

    def _refuse_foreign(self, key_id: str, reported: str | None = None) -> None:
        """Refuse offline what the report, or the id itself, says to be another account's.

        Emulators and stand-ins make ids of random letters, so an id is believed of AWS alone.
        """
        expected = self._connection.account
        told = account_of(key_id) if self._connection.endpoint_url is None else None
        for account in (reported, told):
            if expected is not None and account is not None and account != expected:
                raise Rejected("not_this_account", f"access key {key_id} is of account {account}, not {expected}")


def account_of(key_id: str) -> str | None:
    """Return the account number that an id of AWS holds, or None for the older ids that hold none."""
    if not _TELLS_ACCOUNT.fullmatch(key_id):
        return None
    # 40 bits, the first of which only says that there is a number, and then its last bit in the next letter.
    number = int.from_bytes(b32decode(key_id[4:20]), "big") >> 39
    return f"{number & ((1 << 40) - 1):012d}"


def _state(key: Mapping[str, Any]) -> State:
    return State.ACTIVE if key["Status"] == "Active" else State.SUSPENDED


def _last_use(exchange: Exchange, key_id: str) -> dict[str, str]:
    used = exchange.read("iam", "get_access_key_last_used", AccessKeyId=key_id)["AccessKeyLastUsed"]
    if "LastUsedDate" not in used:
        return {"last_used_at": "never"}
    return {
        "last_used_at": moment(used["LastUsedDate"]),
        "last_used_service": used["ServiceName"],
        "last_used_region": used["Region"],
    }

"""An IAM user's access key: minted by IAM, two for a user at most, suspended and deleted by its id."""

from __future__ import annotations

import json
import re
from base64 import b32decode
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import mktime_tz, parsedate_tz
from typing import Any, ClassVar

from rotator.credential import CredentialRef, Issued, Leaked, Secret
from rotator.errors import Rejected
from rotator.families.aws import Account, Exchange
from rotator.families.aws_knock import Knocker
from rotator.ports import Capability, Connection, State, Status, Verdict
from rotator.rest_kind import RestKind

FAMILY = "aws"

SESSIONS_POLICY = "RotatorRevokeOlderSessions"
_KEY_ID = re.compile(r"[A-Z0-9]{16,128}")
_TELLS_ACCOUNT = re.compile(r"AKIA[Q-Z2-7][A-Z2-7]{15}")
"""Ids minted since 2019 hold the account's number; older ones (their fifth letter is I or J) do not."""


def connect(connection: Connection, name: str, rest: RestKind | None = None) -> AwsIamAccessKey:  # noqa: ARG001 - not a REST kind
    """Return the provider for one account."""
    return AwsIamAccessKey(connection, name)


class AwsIamAccessKey:
    """Access keys of one account's IAM users."""

    family: ClassVar[str] = FAMILY
    capability: ClassVar[Capability] = Capability.REVOCABLE
    sends_secret: ClassVar[bool] = False
    calls: ClassVar[Mapping[str, int]] = {"preserve": 6, "issue": 2}

    def __init__(self, connection: Connection, name: str) -> None:
        self.name = name
        self.settle_s = 5.0 if connection.settle_s is None else connection.settle_s
        self.propagation_s = connection.propagation_s or 0.0
        self.secret_field = "aws_secret_access_key"  # noqa: S105 - the name of a field
        self._connection = connection
        self._account = Account(connection)
        self._knocker = Knocker(self._account)

    def identify(self, leaked: Leaked) -> CredentialRef:
        """Name the key by its id; the secret alone tells nothing and is never sent.

        Raises Rejected("unreadable") without a well-formed id of an IAM user's key.
        """
        if not leaked.id or not _KEY_ID.fullmatch(leaked.id):
            raise Rejected("unreadable", "an access key is named by its id (AKIA…), and the report has none")
        if leaked.id.startswith("ASIA"):
            raise Rejected("unreadable", "ASIA… is a session's temporary key, not an IAM user's access key")
        exchange = self._account.exchange()
        self._refuse_foreign(leaked.id, leaked.account)
        try:
            found = exchange.read("iam", "get_access_key_last_used", AccessKeyId=leaked.id)
        except Rejected as refusal:
            if refusal.reason != "not_found":
                raise
            self._refuse_wrong_account(exchange)
            raise Rejected("unknown_credential", f"IAM knows no access key {leaked.id}") from None
        if not (owner := found.get("UserName")):
            raise Rejected("unknown_credential", f"access key {leaked.id} belongs to no IAM user")
        return CredentialRef(self.name, self._connection.name, owner, leaked.id)

    def own(self) -> str | None:
        """Return the id of the key that signs our calls; of a role's session, the session's own."""
        return self._account.own_key_id()

    def inspect(self, ref: CredentialRef) -> Status:
        exchange = self._account.exchange()
        self._refuse_foreign(ref.id)
        found = next((key for key in self._keys(exchange, ref.owner) if key["AccessKeyId"] == ref.id), None)
        if found is None:
            self._refuse_wrong_account(exchange)
            return Status(State.ABSENT)
        state = State.ACTIVE if found["Status"] == "Active" else State.SUSPENDED
        return Status(state, {"created_at": _moment(found["CreateDate"]), **_last_use(exchange, ref.id)})

    def siblings(self, ref: CredentialRef) -> frozenset[CredentialRef]:
        keys = self._keys(self._account.exchange(), ref.owner)
        return frozenset(ref.with_id(key["AccessKeyId"]) for key in keys)

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
        moment = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=1)
        answer = self._deny_older(exchange, ref.owner, moment)
        # The issue times are by the issuer's clock: when ours is behind, sessions of the last minutes would live on.
        theirs = parsedate_tz(answer["ResponseMetadata"]["HTTPHeaders"].get("date"))
        if theirs and (later := datetime.fromtimestamp(mktime_tz(theirs), UTC)) > moment:
            moment = later
            self._deny_older(exchange, ref.owner, moment)
        return {"policy": SESSIONS_POLICY, "denies_sessions_issued_before": _moment(moment)}

    def issue(self, ref: CredentialRef, marker: str, preserved: Mapping[str, str]) -> Issued:  # noqa: ARG002 - IAM keys carry no marker
        """Mint a second key for the user.

        Raises Rejected("quota") when the user has two already.
        """
        self._refuse_foreign(ref.id)
        made = self._account.exchange().change("iam", "create_access_key", UserName=ref.owner)["AccessKey"]
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
        try:
            exchange.change("iam", "delete_access_key", UserName=ref.owner, AccessKeyId=ref.id)
        except Rejected as refusal:
            if refusal.reason != "not_found":
                raise
            self._refuse_wrong_account(exchange)

    def _set_status(self, ref: CredentialRef, status: str) -> None:
        self._refuse_foreign(ref.id)
        self._account.exchange().change(
            "iam", "update_access_key", UserName=ref.owner, AccessKeyId=ref.id, Status=status
        )

    def _deny_older(self, exchange: Exchange, user: str, moment: datetime) -> Any:
        statement = {
            "Effect": "Deny",
            "Action": "*",
            "Resource": "*",
            "Condition": {"DateLessThan": {"aws:TokenIssueTime": _moment(moment)}},
        }
        document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        return exchange.change(
            "iam", "put_user_policy", UserName=user, PolicyName=SESSIONS_POLICY, PolicyDocument=document
        )

    def _keys(self, exchange: Exchange, user: str) -> list[dict[str, Any]]:
        keys: list[dict[str, Any]] = []
        more: dict[str, str] = {}
        try:
            while True:
                page = exchange.read("iam", "list_access_keys", UserName=user, **more)
                keys += page["AccessKeyMetadata"]
                if not page.get("IsTruncated"):
                    return keys
                more = {"Marker": page["Marker"]}
        except Rejected as refusal:
            if refusal.reason != "not_found":
                raise
            self._refuse_wrong_account(exchange)
            return []

    def _refuse_wrong_account(self, exchange: Exchange) -> None:
        """Keep "not found" from meaning "asked in the wrong account"."""
        expected = self._connection.account
        if expected is not None and (asked := self._account.own_id(exchange)) != expected:
            raise Rejected("not_this_account", f"our own credential is of account {asked}, not {expected}")

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


def _last_use(exchange: Exchange, key_id: str) -> dict[str, str]:
    used = exchange.read("iam", "get_access_key_last_used", AccessKeyId=key_id)["AccessKeyLastUsed"]
    if "LastUsedDate" not in used:
        return {"last_used_at": "never"}
    return {
        "last_used_at": _moment(used["LastUsedDate"]),
        "last_used_service": used["ServiceName"],
        "last_used_region": used["Region"],
    }


def _moment(when: datetime) -> str:
    return when.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

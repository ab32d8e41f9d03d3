"""An IAM user's password for the AWS console: his login profile, of which he has one at most.

Sign-in is a web form, mostly with a second factor, so no machine can try it: all that is ever known of such a password
is what IAM states. Only deleting the profile stops it (another password would be a new one for the user to learn), and
console sessions live on for up to twelve hours, so they are denied by their time of issue.
A profile is named USER:TIME by when it was made, so that its successor is another one. IAM does not say whether the
password was changed since: a leaked one may be an old one, and is treated as alive.
The rotator's own credential needs on the users: iam:GetLoginProfile, GetUser, ListMFADevices, ListAttachedUserPolicies,
PutUserPolicy, DeleteLoginProfile; to be asked what it may do, also SimulatePrincipalPolicy on itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar

from rotator.credential import CredentialRef, Leaked, Secret
from rotator.errors import MayBeAbsent, Rejected
from rotator.families.aws import Account, Exchange, moment
from rotator.families.aws_permissions import Simulation, needs
from rotator.families.aws_sessions import SESSIONS_POLICY, Principal, deny_older
from rotator.kind import Kind
from rotator.permissions import LOOK, Permission
from rotator.ports.connection import Connection
from rotator.ports.listing import Discovered
from rotator.ports.provider import Capability, State, Status, Verdict
from rotator.rest_kind import RestKind

FAMILY = "aws"
SETTLE_S = 5.0
"""IAM's changes are felt within seconds."""

_USER = re.compile(r"[\w+=,.@-]{1,64}", re.ASCII)


def connect(connection: Connection, name: str, rest: RestKind | None = None) -> AwsConsolePassword:
    """Return the provider for one account."""
    return AwsConsolePassword(connection, name)


class AwsConsolePassword(Kind):
    """Login profiles of one account's IAM users."""

    family: ClassVar[str] = FAMILY
    capability: ClassVar[Capability] = Capability.REVOCABLE
    no_knock: ClassVar[str] = "sign-in to the console is a web form"
    sends_secret: ClassVar[bool] = False
    calls: ClassVar[Mapping[str, int]] = {"preserve": 4, "revoke": 2}
    settle_s = SETTLE_S
    secret_field = "password"  # noqa: S105 - the name of a field

    def __init__(self, connection: Connection, name: str) -> None:
        super().__init__(connection, name)
        self._account = Account(connection)

    def identify(self, leaked: Leaked) -> CredentialRef:
        """Name the profile by its user: the report's owner, or its id. The password is sent to nobody.

        Raises Rejected("unreadable") without a user, Rejected("unknown_credential") for one without a console password.
        """
        self._must_belong(leaked)
        user = leaked.owner or (leaked.id or "").partition(":")[0]
        if not _USER.fullmatch(user):
            raise Rejected("unreadable", "a console password is named by its IAM user")
        profile = self._profile(self._account.exchange(), user)
        if profile is None:
            raise Rejected("unknown_credential", f"user {user} has no console password")
        return self._ref(user, profile)

    def inspect(self, ref: CredentialRef) -> Status:
        profile = self._profile(self._account.exchange(), ref.owner)
        if profile is None or self._ref(ref.owner, profile) != ref:
            return Status(State.ABSENT)
        return Status(State.ACTIVE, {"created_at": moment(profile["CreateDate"])})

    def siblings(self, ref: CredentialRef) -> frozenset[CredentialRef]:
        profile = self._profile(self._account.exchange(), ref.owner)
        return frozenset() if profile is None else frozenset({self._ref(ref.owner, profile)})

    def discover(self) -> Iterator[Discovered]:
        """Yield the profile of every user who has one; IAM tells with the user when its password was last used."""
        for user in self._account.listing("iam", "list_users", "Users"):
            owner = str(user["UserName"])
            profile = self._profile(self._account.exchange(), owner)
            if profile is not None:
                facts = {"created_at": moment(profile["CreateDate"]), "state": State.ACTIVE.value}
                yield Discovered(self._ref(owner, profile), {**facts, **_last_use(user)})

    def preserve(self, ref: CredentialRef) -> Mapping[str, str]:
        """Return its last use, the user's second factors, and what gives the user rights."""
        exchange, user = self._account.exchange(), {"UserName": ref.owner}
        factors = exchange.pages("iam", "list_mfa_devices", "MFADevices", **user)
        attached = exchange.pages("iam", "list_attached_user_policies", "AttachedPolicies", **user)
        return {
            **_last_use(exchange.read("iam", "get_user", **user)["User"]),
            "second_factors": ", ".join(sorted(each["SerialNumber"] for each in factors)) or "none",
            "attached_policies": ", ".join(sorted(each["PolicyArn"] for each in attached)),
        }

    def end_sessions(self, ref: CredentialRef) -> Mapping[str, str]:
        """Deny the user whatever was issued to him before now: console sessions, and those made with his keys."""
        before = deny_older(self._account, self._account.exchange(), Principal("user", ref.owner))
        return {"policy": SESSIONS_POLICY, "denies_sessions_issued_before": before}

    def verify(self, ref: CredentialRef, secret: Secret) -> Verdict:  # noqa: ARG002 - nobody is shown it
        raise Rejected("no_knock", self.no_knock)

    def revoke(self, ref: CredentialRef) -> None:
        """Delete the profile, unless it is a later one by now. IAM cannot be asked to delete just the one we saw."""
        exchange = self._account.exchange()
        profile = self._profile(exchange, ref.owner)
        if profile is None or self._ref(ref.owner, profile) != ref:
            return
        with MayBeAbsent():
            exchange.change("iam", "delete_login_profile", UserName=ref.owner)

    def permissions(self, whose: str | None) -> Sequence[Permission]:
        simulation = Simulation(self._account)
        user = simulation.entity("user", whose)
        return simulation.told(
            [
                *needs(user, (LOOK, "revoke"), "iam:GetLoginProfile"),
                *needs(user, (LOOK, "preserve"), "iam:GetUser", "iam:ListMFADevices", "iam:ListAttachedUserPolicies"),
                *needs(user, ("end_sessions",), "iam:PutUserPolicy"),
                *needs(user, ("revoke",), "iam:DeleteLoginProfile"),
            ]
        )

    def _profile(self, exchange: Exchange, user: str) -> Mapping[str, Any] | None:
        with MayBeAbsent():
            return dict(exchange.read("iam", "get_login_profile", UserName=user)["LoginProfile"])
        self._account.refuse_wrong(exchange)
        return None

    def _ref(self, user: str, profile: Mapping[str, Any]) -> CredentialRef:
        made = profile["CreateDate"].strftime("%Y%m%dT%H%M%SZ")
        return self._ref_of(user, f"{user}:{made}")


def _last_use(user: Mapping[str, Any]) -> dict[str, str]:
    used = user.get("PasswordLastUsed")
    return {} if used is None else {"last_used_at": moment(used)}

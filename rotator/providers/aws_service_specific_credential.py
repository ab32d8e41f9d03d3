"""A credential of an IAM user for one AWS service: Git over HTTPS (CodeCommit), Keyspaces, Bedrock and log API keys.

IAM keeps two for each user and service, suspends and deletes them by their id (ACCA…). Their doors speak Git, CQL or
a service's own API, and answer a wrong password and a missing right alike; so nothing is knocked at, and IAM's word
settles it. A replacement would be promoted untried: a person makes it, where the user has fewer than two.
ResetServiceSpecificCredential is not used: it is an undo-less change of the password under the same id.
The rotator's own credential needs iam:ListServiceSpecificCredentials on all users, and on its owners Update- and
DeleteServiceSpecificCredential; to be asked what it may do, also GetUser, and SimulatePrincipalPolicy on itself.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar

from rotator.credential import CredentialRef, Leaked, Secret
from rotator.errors import MayBeAbsent, Rejected
from rotator.families.aws import Account, Exchange, moment
from rotator.families.aws_permissions import Simulation, Thing, needs
from rotator.kind import Kind
from rotator.permissions import LOOK, Permission
from rotator.ports.connection import Connection
from rotator.ports.listing import Discovered
from rotator.ports.provider import Capability, State, Status, Verdict
from rotator.rest_kind import RestKind

FAMILY = "aws"
SETTLE_S = 5.0
"""IAM's changes are felt within seconds."""

LIST, PART = "list_service_specific_credentials", "ServiceSpecificCredentials"
_NAMES = ("ServiceSpecificCredentialId", "ServiceUserName", "ServiceCredentialAlias")
"""Under which a report may name one; the id and the other two are not secret."""
_API_KEY = re.compile(r"ABSK([A-Za-z0-9+/]{24,}={0,2})")
"""A Bedrock API key: the alias and the secret together, in base64."""


def connect(connection: Connection, name: str, rest: RestKind | None = None) -> AwsServiceSpecificCredential:
    """Return the provider for one account."""
    return AwsServiceSpecificCredential(connection, name)


class AwsServiceSpecificCredential(Kind):
    """Service-specific credentials of one account's IAM users."""

    family: ClassVar[str] = FAMILY
    capability: ClassVar[Capability] = Capability.REVOCABLE
    no_knock: ClassVar[str] = "its service answers a wrong password and a missing right alike"
    sends_secret: ClassVar[bool] = False
    calls: ClassVar[Mapping[str, int]] = {"preserve": 2}
    settle_s = SETTLE_S
    secret_field = "password"  # noqa: S105 - the name of a field

    def __init__(self, connection: Connection, name: str) -> None:
        super().__init__(connection, name)
        self._account = Account(connection)

    def identify(self, leaked: Leaked) -> CredentialRef:
        """Name it by its id, its service user name or its alias, among those of all users. No password is sent.

        Raises Rejected("unreadable") when the report holds none of the three.
        """
        told = leaked.id or _alias(leaked.secret)
        if not told or not re.fullmatch(r"[\w+=,.@-]{8,200}", told, re.ASCII):
            raise Rejected("unreadable", "the report names neither its id (ACCA…), its user name nor its alias")
        at = re.search(r"-at-([0-9]{12})$", told)
        self._must_belong(leaked)
        if at and self._connection.account not in (None, at[1]):
            raise Rejected("not_this_account", f"{told} is of account {at[1]}")
        exchange = self._account.exchange()
        for each in exchange.pages("iam", LIST, PART, AllUsers=True):
            if told in {each.get(name) for name in _NAMES}:
                return self._ref(each)
        self._account.refuse_wrong(exchange)
        raise Rejected("unknown_credential", f"IAM knows no service-specific credential {told}")

    def inspect(self, ref: CredentialRef) -> Status:
        found = self._of(ref)
        return Status(State.ABSENT) if found is None else Status(_state(found), _facts(found))

    def siblings(self, ref: CredentialRef) -> frozenset[CredentialRef]:
        """Return the user's credentials, those for other services too."""
        return frozenset(self._ref(each) for each in self._held(self._account.exchange(), ref.owner))

    def discover(self) -> Iterator[Discovered]:
        """Yield those of all users. IAM does not tell when one was last used."""
        for each in self._account.listing("iam", LIST, PART, AllUsers=True):
            yield Discovered(self._ref(each), {**_facts(each), "state": _state(each).value})

    def preserve(self, ref: CredentialRef) -> Mapping[str, str]:
        """Return which service it opens and under what name."""
        found = self._of(ref)
        return {"state": State.ABSENT.value} if found is None else _facts(found)

    def suspend(self, ref: CredentialRef) -> None:
        self._set(ref, "Inactive")

    def resume(self, ref: CredentialRef) -> None:
        self._set(ref, "Active")

    def verify(self, ref: CredentialRef, secret: Secret) -> Verdict:  # noqa: ARG002 - nobody is shown it
        raise Rejected("no_knock", self.no_knock)

    def revoke(self, ref: CredentialRef) -> None:
        exchange = self._account.exchange()
        with MayBeAbsent():
            exchange.change("iam", "delete_service_specific_credential", **_named(ref))
            return
        self._account.refuse_wrong(exchange)

    def permissions(self, whose: str | None) -> Sequence[Permission]:
        simulation = Simulation(self._account)
        user = simulation.entity("user", whose)
        every = Thing(simulation.arn("iam", "user/*"), "by which ARN IAM weighs the list of all users, it does not say")
        return simulation.told(
            [
                *needs(every, (LOOK,), "iam:ListServiceSpecificCredentials"),
                *needs(user, (LOOK, "preserve"), "iam:ListServiceSpecificCredentials"),
                *needs(user, ("suspend", "resume"), "iam:UpdateServiceSpecificCredential"),
                *needs(user, ("revoke",), "iam:DeleteServiceSpecificCredential"),
            ]
        )

    def _set(self, ref: CredentialRef, status: str) -> None:
        self._account.exchange().change("iam", "update_service_specific_credential", **_named(ref), Status=status)

    def _of(self, ref: CredentialRef) -> Mapping[str, Any] | None:
        exchange = self._account.exchange()
        return next((each for each in self._held(exchange, ref.owner) if self._ref(each) == ref), None)

    def _held(self, exchange: Exchange, user: str) -> list[Mapping[str, Any]]:
        found: list[Mapping[str, Any]] = []
        with MayBeAbsent():
            found += exchange.pages("iam", LIST, PART, UserName=user)
        if not found:
            self._account.refuse_wrong(exchange)
        return found

    def _ref(self, listed: Mapping[str, Any]) -> CredentialRef:
        credential_id = str(listed["ServiceSpecificCredentialId"])
        return self._ref_of(str(listed["UserName"]), credential_id)


def _named(ref: CredentialRef) -> dict[str, str]:
    return {"UserName": ref.owner, "ServiceSpecificCredentialId": ref.id}


def _state(listed: Mapping[str, Any]) -> State:
    """Return its state; one that has expired is refused like a suspended one, and is told in the facts."""
    return State.ACTIVE if listed["Status"] == "Active" else State.SUSPENDED


def _facts(listed: Mapping[str, Any]) -> dict[str, str]:
    expires = listed.get("ExpirationDate")
    return {
        "created_at": moment(listed["CreateDate"]),
        "service": str(listed["ServiceName"]),
        "issuer_calls_it": str(listed["Status"]),
        "service_user": str(listed.get("ServiceUserName") or listed.get("ServiceCredentialAlias") or ""),
        **({} if expires is None else {"expires_at": moment(expires)}),
    }


def _alias(secret: Secret | None) -> str | None:
    """Return the alias that an API key begins with, None when it is no whole API key."""
    found = _API_KEY.fullmatch(secret.reveal().strip()) if secret is not None else None
    if found is None:
        return None
    try:
        alias, colon, _ = base64.b64decode(found[1], validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None
    return alias if colon else None

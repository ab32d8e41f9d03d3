"""A key of a Google Cloud service account: minted by IAM, ten for an account at most, disabled and deleted by its id.

Tokens that were got with a key outlive it by up to an hour. Only disabling the whole account refuses them, which stops
everything else that uses it, the replacement too, and lets them in again when it is enabled: so nothing here ends them;
the playbook has the last word an hour after the key is refused.
The rotator's own credential needs: iam.serviceAccountKeys.{get,list,create,disable,enable,delete},
iam.serviceAccounts.get, and iam.serviceAccounts.list to discover. To ask what it may do, it needs nothing more but
orgpolicy.policy.get, to tell whether a policy of the organization forbids new keys (as it does by default since 2024).
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar
from urllib.parse import quote

from rotator.credential import CredentialRef, Issued, Leaked, Secret
from rotator.errors import MayBeAbsent, Rejected, Uncertain
from rotator.families.gcp import FAMILY, Exchange, Project, listing
from rotator.families.gcp_knock import key_file, knock
from rotator.families.gcp_permissions import KEYS_FORBIDDEN, not_forbidden, on_all, on_one
from rotator.kind import Kind
from rotator.permissions import LOOK, Permission
from rotator.ports.connection import Connection
from rotator.ports.listing import Discovered
from rotator.ports.provider import Capability, State, Status, Verdict
from rotator.rest_kind import RestKind

QUOTA = 10
SETTLE_S = 420.0
"""IAM's changes take two minutes as a rule, and up to seven: "Access change propagation" in its documentation."""
PROPAGATION_S = 60.0

NEEDS = {
    "iam.serviceAccountKeys.list": (LOOK,),
    "iam.serviceAccountKeys.get": (LOOK,),
    "iam.serviceAccounts.get": (LOOK,),
    "iam.serviceAccountKeys.create": ("issue",),
    "iam.serviceAccountKeys.disable": ("suspend",),
    "iam.serviceAccountKeys.enable": ("resume",),
    "iam.serviceAccountKeys.delete": ("revoke",),
}
"""Google's permissions, and what needs them."""

_KEY_ID = re.compile(r"[0-9a-f]{40}")
_EMAIL = re.compile(r"[a-z0-9][a-z0-9.-]*@[a-z0-9.-]+\.gserviceaccount\.com")
_PROJECT = re.compile(r"[^@]+@(.+)\.iam\.gserviceaccount\.com")
"""Accounts that a project's owner made name their project; Google's own name a number or a service."""


def connect(connection: Connection, name: str, rest: RestKind | None = None) -> GcpServiceAccountKey:
    """Return the provider for one project."""
    return GcpServiceAccountKey(connection, name)


class GcpServiceAccountKey(Kind):
    """Keys of one project's service accounts; `owner` is the account's address."""

    family: ClassVar[str] = FAMILY
    capability: ClassVar[Capability] = Capability.REVOCABLE
    sends_secret: ClassVar[bool] = False
    calls: ClassVar[Mapping[str, int]] = {"preserve": 3, "issue": 2}
    settle_s = SETTLE_S
    propagation_s = PROPAGATION_S
    secret_field = "private_key"  # noqa: S105 - the name of a field

    def __init__(self, connection: Connection, name: str) -> None:
        super().__init__(connection, name)
        self._project = Project(connection)

    def identify(self, leaked: Leaked) -> CredentialRef:
        """Name the key by the account and id that its file tells; nothing is sent but those.

        Raises Rejected("unreadable") when the report tells neither, or only a key that was cut short.
        """
        told = key_file(leaked.secret)
        email, key_id = told.get("client_email") or leaked.owner, told.get("private_key_id") or leaked.id
        if not email or not key_id or not _EMAIL.fullmatch(email) or not _KEY_ID.fullmatch(key_id):
            raise Rejected("unreadable", "a key is named by its account's address and its id: both stand in its file")
        self._must_pair(leaked, key_id)
        ref = self._ref_of(email, key_id)
        self._refuse_foreign(email, leaked.account)
        if self._found(self._project.exchange(), ref) is None:
            raise Rejected("unknown_credential", f"{email} has no key {key_id}")
        return ref

    def own(self) -> str | None:
        """Return the id of the key that we act with."""
        return self._project.own_key_id()

    def inspect(self, ref: CredentialRef) -> Status:
        found = self._found(self._project.exchange(), ref)
        return Status(State.ABSENT) if found is None else Status(_state(found), _facts(found))

    def siblings(self, ref: CredentialRef) -> frozenset[CredentialRef]:
        """Return the account's keys that people hold; Google's own are left out."""
        return frozenset(ref.with_id(_id(each)) for each in self._keys(self._project.exchange(), ref.owner))

    def discover(self) -> Iterator[Discovered]:
        """Yield the keys of every account of the project. IAM does not tell when one was last used."""
        path = f"/v1/projects/{quote(self._project.id, safe=':')}/serviceAccounts"
        for account in listing(self._project, "iam", path, "accounts"):
            email = str(account["email"])
            for each in self._keys(self._project.exchange(), email):
                ref = self._ref_of(email, _id(each))
                yield Discovered(ref, {**_facts(each), "state": _state(each).value})

    def preserve(self, ref: CredentialRef) -> Mapping[str, str]:
        """Return what the key and its account are, and how many keys the account has."""
        exchange = self._project.exchange()
        keys = self._keys(exchange, ref.owner)
        account = self._account(exchange, ref.owner) or {}
        found = next((each for each in keys if _id(each) == ref.id), None)
        return {
            "keys_of_account": str(len(keys)),
            "account_disabled": str(bool(account.get("disabled"))).lower(),
            "account_description": str(account.get("displayName", "")),
            **({} if found is None else _facts(found)),
        }

    def issue(self, ref: CredentialRef, marker: str, preserved: Mapping[str, str]) -> Issued:  # noqa: ARG002 - keys carry no marker
        """Mint another key for the account: what is delivered is its key file.

        Raises Rejected("quota") when the account has ten already.
        """
        self._refuse_foreign(ref.owner)
        exchange = self._project.exchange()
        try:
            made = exchange.change("iam", "POST", f"{self._path(ref.owner)}/keys", {"keyAlgorithm": "KEY_ALG_RSA_2048"})
        except Rejected as refusal:
            # IAM has said the same of a full account and of a policy that forbids keys: only counting tells.
            if (
                refusal.reason in {"failed_precondition", "quota"}
                and len(keys := self._keys(exchange, ref.owner)) >= QUOTA
            ):
                raise Rejected("quota", _full(ref, keys)) from None
            raise
        try:
            fields = json.loads(base64.b64decode(made["privateKeyData"]))
            secret = Secret(fields.pop("private_key"))
            issued = ref.with_id(str(made["name"]).rpartition("/")[2])
        except (ValueError, KeyError, TypeError, AttributeError):
            raise Uncertain(
                "answer_without_secret", f"a key of {ref.owner} was made, and its file is unreadable"
            ) from None
        return Issued(issued, secret, {str(name): str(value) for name, value in fields.items() if name != "id"})

    def marked(self, ref: CredentialRef, marker: str) -> CredentialRef | None:  # noqa: ARG002 - keys carry no marker
        return None

    def verify(self, ref: CredentialRef, secret: Secret) -> Verdict:
        """Exchange a JWT that the key signs for a token, which is thrown away."""
        return knock(self._project, ref.owner, ref.id, secret)

    def suspend(self, ref: CredentialRef) -> None:
        self._set(ref, "disable", State.SUSPENDED)

    def resume(self, ref: CredentialRef) -> None:
        self._set(ref, "enable", State.ACTIVE)

    def revoke(self, ref: CredentialRef) -> None:
        self._refuse_foreign(ref.owner)
        exchange = self._project.exchange()
        with MayBeAbsent():
            exchange.change("iam", "DELETE", self._path(ref.owner, ref.id))
            return
        self._account_or_foreign(exchange, ref.owner)

    def permissions(self, whose: str | None) -> Sequence[Permission]:
        """Return what is granted on an account, or on all of the project, and whether keys may be made there at all."""
        forbidden = not_forbidden(self._project, ("issue",), KEYS_FORBIDDEN)
        if whose is None:
            return [*on_all(self._project, NEEDS), forbidden]
        self._refuse_foreign(whose)
        return [*on_one(self._project, "iam", self._path(whose), f"service account {whose}", NEEDS), forbidden]

    def _set(self, ref: CredentialRef, verb: str, wanted: State) -> None:
        self._refuse_foreign(ref.owner)
        try:
            self._project.exchange().change("iam", "POST", f"{self._path(ref.owner, ref.id)}:{verb}", {})
        except Rejected as refusal:
            if refusal.reason != "failed_precondition" or self.inspect(ref).state is not wanted:
                raise

    def _found(self, exchange: Exchange, ref: CredentialRef) -> Mapping[str, Any] | None:
        self._refuse_foreign(ref.owner)
        with MayBeAbsent():
            return exchange.read("iam", self._path(ref.owner, ref.id))
        self._account_or_foreign(exchange, ref.owner)
        return None

    def _keys(self, exchange: Exchange, email: str) -> list[Mapping[str, Any]]:
        self._refuse_foreign(email)
        with MayBeAbsent():
            return list(exchange.read("iam", f"{self._path(email)}/keys?keyTypes=USER_MANAGED").get("keys", []))
        self._account_or_foreign(exchange, email)
        return []

    def _account(self, exchange: Exchange, email: str) -> Mapping[str, Any] | None:
        with MayBeAbsent():
            return exchange.read("iam", self._path(email))
        return None

    def _account_or_foreign(self, exchange: Exchange, email: str) -> None:
        """Keep "not found" from meaning "asked in another project", where the address does not tell its own."""
        if self._account(exchange, email) is None and not _PROJECT.fullmatch(email):
            raise Rejected("not_this_account", f"project {self._project.id} knows no account {email}")

    def _refuse_foreign(self, email: str, reported: str | None = None) -> None:
        """Refuse offline what the address, or the report, says to be another project's."""
        domain, _, name = self._project.id.rpartition(":")
        ours = f"{name}.{domain}" if domain else name
        found = _PROJECT.fullmatch(email)
        if (found and found[1] != ours) or (reported and reported != self._project.id):
            raise Rejected("not_this_account", f"{email} is not of project {self._project.id}")

    def _path(self, email: str, key_id: str | None = None) -> str:
        path = f"/v1/projects/{quote(self._project.id, safe=':')}/serviceAccounts/{quote(email, safe='@')}"
        return path if key_id is None else f"{path}/keys/{quote(key_id, safe='')}"


def _full(ref: CredentialRef, keys: list[Mapping[str, Any]]) -> str:
    made = [f"{_id(key)[:10]} ({str(key.get('validAfterTime', '?'))[:10]}, {_state(key)})" for key in keys]
    choice = "delete by hand one that nobody uses, or answer with contain_first: none but the exposed one makes room"
    return f"{ref.owner} has {', '.join(made)}; exposed is {ref.id[:10]}: {choice}"


def _state(key: Mapping[str, Any]) -> State:
    return State.SUSPENDED if key.get("disabled") else State.ACTIVE


def _id(key: Mapping[str, Any]) -> str:
    return str(key["name"]).rpartition("/")[2]


def _facts(key: Mapping[str, Any]) -> dict[str, str]:
    told = {
        "created_at": "validAfterTime",
        "expires_at": "validBeforeTime",
        "origin": "keyOrigin",
        "why": "disableReason",
    }
    return {name: str(key[field]) for name, field in told.items() if key.get(field)}

"""Client secrets of applications in one Entra tenant; several may overlap.

The owner is the application's client id (appId), the id the secret's keyId. Graph shows of a secret its first letters
(`hint`) and never the whole: a report that names no keyId is held against those, and is ambiguous where two are alike.
A secret dies at once for Graph and within minutes at sign-in; tokens that were got with it live on for an hour or so,
unless the service evaluates access continuously.
The rotator's own application needs Application.ReadWrite.OwnedBy, as an owner of each, or Application.ReadWrite.All:
either also lets it ask what it may do. To be told a plain no, it needs Application.Read.All and
RoleManagement.Read.Directory beside.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Any, ClassVar

from rotator.credential import CredentialRef, Issued, Leaked, Secret
from rotator.errors import Rejected, Uncertain
from rotator.families.azure import (
    EXPIRED_SECRET,
    FAMILY,
    GRAPH,
    INVALID_SECRET,
    NO_APPLICATION,
    SECRET_FIELD,
    Tenant,
    client_credentials,
    error_code,
    given,
    refusal,
    told,
)
from rotator.families.azure_permissions import of_application
from rotator.families.http_wire import Reply
from rotator.kind import Kind
from rotator.permissions import Permission
from rotator.ports.connection import Connection
from rotator.ports.listing import Discovered
from rotator.ports.provider import Answer, Capability, State, Status, Verdict
from rotator.rest_kind import RestKind

SETTLE_S = 300.0
"""Microsoft names no time for sign-in to forget a secret; administrators report a few minutes."""
PROPAGATION_S = 30.0

_GUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_WHOLE = re.compile(r"[\x21-\x7e]{8,128}")
_SHOWN = "appId,displayName,passwordCredentials"
_OTHER_REFUSALS = {
    NO_APPLICATION: "application_not_in_tenant",
    7000112: "application_disabled",
    90002: "no_such_tenant",
}
"""Refusals that are about something else than the secret."""


def connect(connection: Connection, name: str, rest: RestKind | None = None) -> AzureEntraSecret:
    """Return the provider for one tenant."""
    return AzureEntraSecret(connection, name)


class AzureEntraSecret(Kind):
    """Secrets of one tenant's applications."""

    family: ClassVar[str] = FAMILY
    capability: ClassVar[Capability] = Capability.REVOCABLE
    sends_secret: ClassVar[bool] = False
    nobody: ClassVar[tuple[str, str]] = ("00000000-0000-4000-8000-000000000000", "00000000-0000-4000-8000-000000000000")
    calls: ClassVar[Mapping[str, int]] = {"preserve": 2, "issue": 2, "revoke": 2}
    secret_field: str = SECRET_FIELD
    settle_s = SETTLE_S
    propagation_s = PROPAGATION_S

    def __init__(self, connection: Connection, name: str) -> None:
        super().__init__(connection, name)
        self._tenant = Tenant(connection)

    def identify(self, leaked: Leaked) -> CredentialRef:
        """Name the secret by its keyId, or by the first letters that Graph shows; the report names the application."""
        self._must_belong(leaked)
        named = {each for each in (leaked.id, leaked.owner) if each and _GUID.fullmatch(each)}
        if not named:
            raise Rejected("needs_id", "no secret tells its application: the report must name the client id")
        application = leaked.owner if leaked.owner in named else leaked.id
        listed = self._secrets(str(application))
        if leaked.id in listed:
            return self._ref_of(str(application), str(leaked.id))
        if leaked.id not in (None, application):
            raise Rejected("unknown_credential", f"the application has no secret {leaked.id}")
        if leaked.secret is None or not _WHOLE.fullmatch(leaked.secret.reveal()):
            raise Rejected("unreadable", "neither a client secret nor a keyId")
        found = _beginning_like(listed, leaked.secret)
        if len(found) > 1:
            raise Rejected("ambiguous", f"{len(found)} secrets begin like it: the report must name the keyId")
        if not found:
            raise Rejected("unknown_credential", "no secret of the application begins like it")
        return self._ref_of(str(application), found[0])

    def own(self) -> str | None:
        """Return the keyId of the secret that the rotator comes in with, None where more than one may be it."""
        client, secret, told_id = self._tenant.own()
        listed = self._secrets(client)
        found = [told_id] if told_id in listed else _beginning_like(listed, secret)
        return found[0] if len(found) == 1 else None

    def inspect(self, ref: CredentialRef) -> Status:
        """Return whether its application still has it; an expired one is refused as a deleted one is."""
        found = self._secrets(ref.owner).get(ref.id)
        return Status(State.ABSENT) if found is None else Status(_state(found), _facts(found))

    def siblings(self, ref: CredentialRef) -> frozenset[CredentialRef]:
        """Return all secrets of the application; its certificates are another kind."""
        return frozenset(map(ref.with_id, self._secrets(ref.owner)))

    def preserve(self, ref: CredentialRef) -> Mapping[str, str]:
        """Return its name and dates. Graph does not tell when one was last used: the sign-in logs do."""
        found = self._secrets(ref.owner).get(ref.id)
        if found is None:
            return {"state": State.ABSENT.value}
        return {"state": _state(found).value, **_facts(found), **_life(found)}

    def verify(self, ref: CredentialRef, secret: Secret) -> Verdict:
        """Ask for a token as the application. Sign-in knows a secret by its text alone: nothing names the keyId."""
        if not _WHOLE.fullmatch(secret.reveal()):
            return Verdict(Answer.INCONCLUSIVE, "unreadable")
        reply = self._tenant.sign_in(client_credentials(ref.owner, secret, f"{GRAPH}/.default"))
        asked = reply.headers.get("x-ms-request-id")
        if reply.status == HTTPStatus.TOO_MANY_REQUESTS:
            raise reply.refusal()
        return _verdict(reply, asked)

    def revoke(self, ref: CredentialRef) -> None:
        """Remove it by its keyId."""
        if ref.id not in self._secrets(ref.owner):
            return
        reply = self._tenant.change("POST", GRAPH, f"{_path(ref.owner)}/removePassword", {"keyId": ref.id})
        if not reply.ok and ref.id in self._secrets(ref.owner):
            raise refusal(reply)

    def issue(self, ref: CredentialRef, marker: str, preserved: Mapping[str, str]) -> Issued:
        """Add a secret named by the marker that lives as long as the exposed one was to live, from now."""
        credential: dict[str, str] = {"displayName": marker}
        if days := preserved.get("lives_days"):
            credential["endDateTime"] = (datetime.now(UTC) + timedelta(days=int(days))).strftime("%Y-%m-%dT%H:%M:%SZ")
        body = {"passwordCredential": credential}
        made = told(self._tenant.change("POST", GRAPH, f"{_path(ref.owner)}/addPassword", body))
        if not made.get("keyId") or not isinstance(made.get("secretText"), str):
            raise Uncertain("answer_without_secret", "Graph said yes without the new secret")
        public = {"client_id": ref.owner, "expires_at": str(made.get("endDateTime", ""))}
        return Issued(ref.with_id(str(made["keyId"])), Secret(made["secretText"]), public)

    def marked(self, ref: CredentialRef, marker: str) -> CredentialRef | None:
        """Return the secret of that name."""
        found = (key for key, each in self._secrets(ref.owner).items() if each.get("displayName") == marker)
        return next(map(ref.with_id, found), None)

    def discover(self) -> Iterable[Discovered]:
        """Yield every secret of every application that our own may read."""
        for each in self._tenant.listed(GRAPH, f"/v1.0/applications?$select={_SHOWN}&$top=100"):
            for found in each.get("passwordCredentials") or ():
                ref = self._ref_of(str(each["appId"]), str(found["keyId"]))
                yield Discovered(ref, {**_facts(found), "state": _state(found).value})

    def permissions(self, whose: str | None) -> Sequence[Permission]:
        """Return what is granted on an application, or on all of the tenant's."""
        path = f"/v1.0/applications?$select={_SHOWN}&$top=1" if whose is None else f"{_path(whose)}?$select={_SHOWN}"
        return of_application(self._tenant, whose, path)

    def _secrets(self, application: str) -> dict[str, Mapping[str, Any]]:
        """Return the application's secrets by keyId. Raises Rejected("not_this_account") where there is none such."""
        reply = self._tenant.read(GRAPH, f"{_path(application)}?$select={_SHOWN}")
        if reply.status == HTTPStatus.NOT_FOUND:
            raise Rejected("not_this_account", f"no application {application} in this tenant")
        return {str(each["keyId"]): each for each in told(reply, "passwordCredentials")["passwordCredentials"]}


def _beginning_like(listed: Mapping[str, Mapping[str, Any]], secret: Secret) -> list[str]:
    """Return the keyIds of those whose shown letters the secret begins with."""
    text = secret.reveal()
    return [key for key, each in listed.items() if each.get("hint") and text.startswith(str(each["hint"]))]


def _path(application: str) -> str:
    if not _GUID.fullmatch(application):
        raise Rejected("not_this_account", "an application is named by its client id, a GUID")
    return f"/v1.0/applications(appId='{application}')"


def _verdict(reply: Reply, asked: str | None) -> Verdict:
    if given(reply, "access_token"):
        return Verdict(Answer.ACCEPTED, "token", request_id=asked)
    code = error_code(reply)
    if code == INVALID_SECRET:
        return Verdict(Answer.REJECTED, "invalid_secret", request_id=asked)
    if code == EXPIRED_SECRET:
        return Verdict(Answer.REJECTED, "expired_secret", request_id=asked)
    reason = _OTHER_REFUSALS.get(code or 0, f"aadsts{code}" if code else f"http_{reply.status}")
    return Verdict(Answer.INCONCLUSIVE, reason, request_id=asked)


def _moment(found: Mapping[str, Any], name: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(str(found.get(name)))
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _state(found: Mapping[str, Any]) -> State:
    ends = _moment(found, "endDateTime")
    return State.ABSENT if ends is not None and ends <= datetime.now(UTC) else State.ACTIVE


def _facts(found: Mapping[str, Any]) -> dict[str, str]:
    names = {"name": "displayName", "created_at": "startDateTime", "expires_at": "endDateTime"}
    return {ours: str(found[theirs]) for ours, theirs in names.items() if found.get(theirs)}


def _life(found: Mapping[str, Any]) -> dict[str, str]:
    start, ends = _moment(found, "startDateTime"), _moment(found, "endDateTime")
    return {} if start is None or ends is None else {"lives_days": str(max(1, (ends - start).days))}

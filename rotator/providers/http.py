"""Credentials of any plain REST service, carried out as a playbook's `http:` section describes it.

What the section has no call for, the provider has no method for: `connect` picks the class that fits.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import ClassVar, TypeVar

from rotator.credential import CredentialRef, Issued, Leaked, Secret
from rotator.errors import BadInput, Rejected, Uncertain
from rotator.families.http import FAMILY, RestService, at, filled_body, filled_call, sendable
from rotator.families.http_listing import Entry, Listing, answered
from rotator.ports import Answer, Capability, Connection, Provider, State, Status, Verdict
from rotator.rest_kind import EXPOSED, ChangeCall, IdentifyCall, RestKind

C = TypeVar("C")


def connect(connection: Connection, name: str, rest: RestKind | None = None) -> Provider:
    """Return the provider of the kind that the playbook `name` describes."""
    if rest is None:
        raise BadInput("a playbook with `provider: http` describes its service", name, "give it an `http:` section")
    if rest.issue is not None and rest.suspend is not None:
        return SuspendableIssuer(connection, name, rest)
    if rest.issue is not None:
        return Issuer(connection, name, rest)
    if rest.suspend is not None:
        return SuspendableKind(connection, name, rest)
    return Kind(connection, name, rest)


class Kind:
    """A kind that can be listed, tried and revoked."""

    family: ClassVar[str] = FAMILY
    capability: ClassVar[Capability] = Capability.REVOCABLE
    sends_secret: ClassVar[bool] = True
    calls: ClassVar[Mapping[str, int]] = {"preserve": 2, "issue": 2}

    def __init__(self, connection: Connection, name: str, rest: RestKind) -> None:
        self.name = name
        self.settle_s = rest.settle_s if connection.settle_s is None else connection.settle_s
        self.propagation_s = rest.propagation_s if connection.propagation_s is None else connection.propagation_s
        self.secret_field = rest.secret_field
        self._connection, self._rest = connection, rest
        self._service = RestService(connection, rest.authenticate, rest.secret_field)
        self._listing = Listing(self._service, rest.list)
        self._own: tuple[Secret, str | None] | None = None

    def identify(self, leaked: Leaked) -> CredentialRef:
        """Name the credential: by the `identify` call where there is one, otherwise by its listed id."""
        if not leaked.may_belong_to(self._connection.account, self._service.address):
            raise Rejected("not_this_account", f"{leaked.account or leaked.address} is not {self._connection.name}")
        named = self._by_secret(leaked.secret, leaked.id) if leaked.secret is not None else None
        if named is not None and leaked.id not in (None, named.id):
            raise Rejected("mispaired", f"the report's secret is not the one of {leaked.id}")
        if named is None and leaked.id is not None:
            named = self._by_id(leaked.id)
        if named is None and leaked.id is None and self._rest.identify is None:
            raise Rejected("needs_id", "this service does not tell whose a secret is: the report must name its id")
        if named is None:
            raise Rejected("unknown_credential", "the service knows no such credential")
        return named

    def own(self) -> str | None:
        """Return what `identify` says of the rotator's own credential, asked once for each.

        None when the service does not tell, or when that credential is not of this kind.
        """
        call = self._rest.identify
        if call is None or call.as_ != "subject":
            return None
        credential = self._service.own_credential()
        known = self._own
        if known is None or known[0] != credential:
            named = at(self._identified(call, credential), call.id)
            known = self._own = (credential, None if named is None else str(named))
        return known[1]

    def inspect(self, ref: CredentialRef) -> Status:
        """Return what the list says of it."""
        entry = self._listing.entry(ref.id)
        if entry is None:
            return Status(State.ABSENT)
        state = State.SUSPENDED if self._listing.suspended(entry) else State.ACTIVE
        return Status(state, self._listing.kept(entry))

    def siblings(self, ref: CredentialRef) -> frozenset[CredentialRef]:
        """Return the listed credentials of the owner: of the whole account where the service names no owners."""
        named = (self._ref(self._listing.id(entry), self._listing.owner(entry)) for entry in self._listing.entries())
        return frozenset(each for each in named if each.owner == ref.owner)

    def verify(self, ref: CredentialRef, secret: Secret) -> Verdict:
        """Make the `verify` call with the credential itself. A refusal by status names no id."""
        call = self._rest.verify
        reply = self._service.read(filled_call(call.call, _names(ref)), secret)
        if reply.status in call.rejected:
            return Verdict(Answer.REJECTED, f"http_{reply.status}")
        if reply.status == HTTPStatus.TOO_MANY_REQUESTS:
            raise reply.refusal()
        if reply.status not in call.accepted:
            return Verdict(Answer.INCONCLUSIVE, f"http_{reply.status}")
        if call.id is not None and str(at(reply.content, call.id)) != ref.id:
            return Verdict(Answer.INCONCLUSIVE, "another_credential", mismatch=True)
        return Verdict(Answer.ACCEPTED, f"http_{reply.status}")

    def revoke(self, ref: CredentialRef) -> None:
        """Make the `revoke` call; its `done` says which answers mean that it is gone."""
        self._change(self._rest.revoke, ref)

    def preserve(self, ref: CredentialRef) -> Mapping[str, str]:
        """Return the fields that the section wants kept and, as JSON text, those that a replacement takes over."""
        entry = self._listing.entry(ref.id)
        if entry is None:
            return {"state": State.ABSENT.value}
        state = State.SUSPENDED if self._listing.suspended(entry) else State.ACTIVE
        copied = {f"{EXPOSED}{path}": json.dumps(at(entry, path)) for path in self._copied_fields()}
        return {"state": state.value, **self._listing.kept(entry), **copied}

    def _change(self, call: ChangeCall | None, ref: CredentialRef) -> None:
        described = _described(call)
        body = filled_body(described.body, _names(ref)) if described.body else None
        reply = self._service.change(filled_call(described.call, _names(ref)), body=body)
        if reply.status not in described.done:
            raise reply.refusal()

    def _copied_fields(self) -> tuple[str, ...]:
        return self._rest.issue.copied if self._rest.issue is not None else ()

    def _by_secret(self, secret: Secret, known_id: str | None) -> CredentialRef | None:
        if not sendable(secret) or (self._rest.format and not re.fullmatch(self._rest.format, secret.reveal())):
            if known_id is not None:
                return None  # the id names it as well, and what is left of the secret is sent to nobody
            raise Rejected("unreadable", "the secret is truncated or malformed")
        call = self._rest.identify
        if call is None:
            return None
        if (answer := self._identified(call, secret)) is None:
            return None
        credential_id = at(answer, call.id)
        if credential_id is None:
            raise Rejected("answer_without_id", f"{call.call} names no {call.id}")
        if call.owner is None:
            return self._by_id(str(credential_id))
        return self._ref(str(credential_id), str(at(answer, call.owner) or ""))

    def _identified(self, call: IdentifyCall, secret: Secret) -> object:
        """Return the answer to `identify`, None when the service knows no such credential."""
        body = filled_body(call.body, {"secret": secret.reveal()}) if call.body else None
        reply = self._service.read(call.call, secret if call.as_ == "subject" else None, body)
        unknown = self._rest.verify.rejected if call.as_ == "subject" else [HTTPStatus.NOT_FOUND]
        return None if reply.status in unknown else answered(reply) or {}

    def _by_id(self, credential_id: str) -> CredentialRef | None:
        entry = self._listing.entry(credential_id)
        return None if entry is None else self._ref(credential_id, self._listing.owner(entry))

    def _ref(self, credential_id: str, owner: str) -> CredentialRef:
        return CredentialRef(self.name, self._connection.name, owner, credential_id)


class Issuer(Kind):
    """A kind whose service mints replacements."""

    def issue(self, ref: CredentialRef, marker: str, preserved: Mapping[str, str]) -> Issued:
        """Make the `issue` call with what was kept of the exposed credential, or with what the list still says."""
        call = _described(self._rest.issue)
        values = {**_names(ref), "marker": marker, **self._exposed_values(ref, preserved)}
        body = filled_body(call.body, values) if call.body else None
        reply = self._service.change(filled_call(call.call, values), body=body)
        if not reply.ok:
            raise reply.refusal()
        credential_id, secret = at(reply.content, call.id), at(reply.content, call.secret)
        if credential_id is None or not isinstance(secret, str):
            raise Uncertain("answer_without_secret", f"the service said yes without {call.id} or {call.secret}")
        return Issued(ref.with_id(str(credential_id)), Secret(secret))

    def marked(self, ref: CredentialRef, marker: str) -> CredentialRef | None:
        """Return the listed credential that carries the marker."""
        for entry in self._listing.entries():
            if self._listing.marker(entry) == marker and self._listing.owner(entry) == ref.owner:
                return ref.with_id(self._listing.id(entry))
        return None

    def _exposed_values(self, ref: CredentialRef, preserved: Mapping[str, str]) -> dict[str, object]:
        wanted = self._copied_fields()
        if all(f"{EXPOSED}{path}" in preserved for path in wanted):
            return {f"{EXPOSED}{path}": json.loads(preserved[f"{EXPOSED}{path}"]) for path in wanted}
        entry: Entry | None = self._listing.entry(ref.id)
        return {} if entry is None else {f"{EXPOSED}{path}": at(entry, path) for path in wanted}


class SuspendableKind(Kind):
    """A kind that can be stopped and started again."""

    def suspend(self, ref: CredentialRef) -> None:
        """Make the `suspend` call."""
        self._change(self._rest.suspend, ref)

    def resume(self, ref: CredentialRef) -> None:
        """Make the `resume` call."""
        self._change(self._rest.resume, ref)


class SuspendableIssuer(Issuer, SuspendableKind):
    """A kind that can do both."""


def _names(ref: CredentialRef) -> dict[str, object]:
    return {"id": ref.id, "owner": ref.owner}


def _described(call: C | None) -> C:
    if call is None:
        raise Rejected("unsupported", "the playbook's `http:` section has no such call")
    return call

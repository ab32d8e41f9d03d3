"""What every kind has that a playbook's `http:` section describes: it is named, looked at, knocked at and revoked."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar, TypeVar

from rotator.credential import CredentialRef, Leaked, Secret
from rotator.errors import Rejected
from rotator.families.http import Bearer, RestService
from rotator.families.http_described import given, names_of, owner_of
from rotator.families.http_identity import Identity
from rotator.families.http_listing import Entry, Listing
from rotator.families.http_template import at, filled, is_nowhere, told
from rotator.families.http_verdict import judged
from rotator.kind import Kind
from rotator.ports.connection import Connection
from rotator.ports.provider import Capability, State, Status, Verdict
from rotator.rest_calls import ChangeCall, copied
from rotator.rest_kind import RestKind
from rotator.rest_template import EXPOSED

C = TypeVar("C")


class Knockable(Kind):
    """A kind that can be tried, and whatever else its section has a call for."""

    family: ClassVar[str]
    capability: ClassVar[Capability] = Capability.REVOCABLE
    sends_secret: ClassVar[bool] = True

    def __init__(self, connection: Connection, name: str, rest: RestKind) -> None:
        self.settle_s, self.propagation_s = rest.settle_s, rest.propagation_s
        super().__init__(connection, name)
        self.secret_field = rest.secret_field
        self._rest = rest
        self._service = RestService(
            connection,
            rest.authenticate,
            rest.secret_field,
            subject=rest.subject,
            headers=rest.headers,
            given=given(connection, name, rest),
        )
        self._listing = Listing(self._service, rest.list, rest.read)
        self._identity = Identity(self._service, self._listing, rest)
        self._own: tuple[Secret, str | None] | None = None

    def identify(self, leaked: Leaked) -> CredentialRef:
        """Name the credential: by what the section says of its secret, otherwise by its id."""
        self._must_belong(leaked, self._service.address)
        named = self._identity.named(leaked)
        self._must_pair(leaked, named.id)
        if named.owner is not None or not self._rest.looks:
            return self._ref_of(named.owner or leaked.owner or "", named.id)
        asked = self._ref_of(leaked.owner or "", named.id)
        if (entry := self._entry(asked)) is None:
            raise Rejected("unknown_credential", "the service knows no such credential")
        return self._ref_of(self._listing.owner(entry, asked.owner), named.id)

    def own(self) -> str | None:
        """Return the id of the rotator's own credential, asked once for each.

        None when that credential is not of this kind, when the service does not tell, or when there is none: kinds that
        are only knocked with need none. Raises Rejected where it may be of this kind, and nothing tells which it is.
        """
        by_hint = self._rest.identify is not None and self._rest.identify.by == "hint"
        if self._connection.credential() is None:
            return None
        if self._rest.own_id is not None:
            return self._identity.own_named(self._service.own_bearer(self._rest.own_id), self._rest.own_id)
        if self._rest.subject is not None and not by_hint:
            return None
        bearer = self._service.own_bearer()
        known = self._own
        if known is None or known[0] != bearer.secret:
            known = self._own = (bearer.secret, self._identity.own(bearer))
        return known[1]

    def inspect(self, ref: CredentialRef) -> Status:
        """Return what the issuer shows of it. Raises Rejected("no_view") where it shows nothing."""
        if not self._rest.looks:
            raise Rejected("no_view", "this service shows no credentials: only a knock tells")
        entry = self._entry(ref)
        return Status(State.ABSENT) if entry is None else Status(self._state(entry), self._listing.kept(entry))

    def siblings(self, ref: CredentialRef) -> frozenset[CredentialRef]:
        """Return the listed credentials of the owner: of the whole account where the service names no owners.

        Where it lists none, `ref` alone is known. Raises Rejected("no_view") where it shows nothing.
        """
        if self._rest.list is None:
            return frozenset() if self.inspect(ref).state is State.ABSENT else frozenset({ref})
        listed = self._listing
        named = (self._ref_of(listed.owner(each, ref.owner), listed.id(each)) for each in self._entries(ref))
        return frozenset(each for each in named if each.owner == ref.owner)

    def verify(self, ref: CredentialRef, secret: Secret) -> Verdict:
        """Make the `verify` call with the credential itself."""
        call, names = self._rest.verify, names_of(self._rest, ref)
        values = {**self._service.given, **names}
        if self._rest.shown.in_call:
            values["secret"] = secret.reveal()
        reply = self._service.read(filled(call, values), Bearer(secret, names))
        return judged(reply, call, ref.id)

    def revoke(self, ref: CredentialRef) -> None:
        """Make the `revoke` call; its `done` says which answers mean that it is gone."""
        if self._rest.revoke is None:
            raise Rejected("unsupported", "this service has no call for it: its playbook says what a person does")
        if self._rest.revoke.as_ == "subject":
            raise Rejected("needs_secret", "this service revokes what it is shown, not what it is told the id of")
        if self._rest.revoke.suspended_first:
            self._change(self._rest.suspend, ref)
        self._change(self._rest.revoke, ref)

    def _entry(self, ref: CredentialRef) -> Entry | None:
        names_of(self._rest, ref)
        return self._listing.entry(ref.id, ref.owner)

    def _entries(self, ref: CredentialRef) -> Iterable[Entry]:
        owner_of(self._rest, ref.owner)  # a list is asked for by no id
        return self._listing.entries(ref.owner)

    def _state(self, entry: Entry) -> State:
        return State.SUSPENDED if self._listing.suspended(entry) else State.ACTIVE

    def _change(self, call: ChangeCall | None, ref: CredentialRef, secret: Secret | None = None) -> None:
        described, names = in_section(call), names_of(self._rest, ref)
        values = {**self._service.given, **names}
        if secret is not None and self._rest.shown.in_call:
            values["secret"] = secret.reveal()
        if fields := copied(described):
            entry = self._entry(ref)
            if entry is None and described is self._rest.revoke:
                return
            values |= {f"{EXPOSED}{path}": at(entry, path) for path in fields} if entry is not None else {}
        reply = self._service.change(filled(described, values), Bearer(secret, names) if secret is not None else None)
        if is_nowhere(reply, described.done):
            done = self._rest.list is not None and self._listing.lacks(ref.id, ref.owner)
        else:
            done = told(reply, described.done) is not None
        if not done:
            raise reply.refusal()


def in_section(call: C | None) -> C:
    """Return the call. Raises Rejected("unsupported") where the section has none."""
    if call is None:
        raise Rejected("unsupported", "the playbook's `http:` section has no such call")
    return call

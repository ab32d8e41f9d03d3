"""Credentials of any plain REST service, carried out as a playbook's `http:` section describes it.

What the section has no call for, the provider has no method for: `connect` puts the class together that fits.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import ClassVar, TypeVar

from rotator.credential import CredentialRef, Issued, Leaked, Secret
from rotator.errors import BadInput, Rejected, RotatorError, Unavailable, Uncertain
from rotator.families.http import FAMILY, Bearer, RestService
from rotator.families.http_described import calls, capability, given, names_of, owner_of
from rotator.families.http_identity import Identity
from rotator.families.http_listing import Entry, Listing
from rotator.families.http_permissions import permitted
from rotator.families.http_template import at, filled, filled_body, granted, is_nowhere, is_one, matched, told
from rotator.families.http_verdict import judged
from rotator.kind import Kind
from rotator.permissions import Permission
from rotator.ports import Capability, Connection, Discovered, Provider, State, Status, Verdict
from rotator.rest_calls import ChangeCall, IssueCall, copied
from rotator.rest_kind import RestKind
from rotator.rest_template import EXPOSED

C = TypeVar("C")


def connect(connection: Connection, name: str, rest: RestKind | None = None) -> Provider:
    """Return the provider of the kind that the playbook `name` describes. Raises BadInput for a missing setting."""
    if rest is None:
        raise BadInput("a playbook with `provider: http` describes its service", name, "give it an `http:` section")
    shown = rest.revoke is not None and rest.revoke.as_ == "subject"
    parts: list[type[Knockable]] = (
        [ShownKind] * shown + [Issuer] * (rest.issue is not None) + [SuspendableKind] * (rest.suspend is not None)
    )
    parts += [PreservedKind] * rest.looks + [ListedKind] * (rest.list is not None and not rest.list.per_owner)
    parts += [PermittedKind] * bool(rest.permissions)
    said: dict[str, object] = {"capability": capability(rest), "calls": calls(rest)}
    if rest.looks and not rest.verify.rejected:
        said["no_knock"] = "its service refuses a living one as it refuses a dead one: only its list tells"
    said["sends_secret"] = rest.identify is not None and rest.identify.call is not None
    made: type[Knockable] = type("RestKindProvider", (*parts, Knockable), said)
    return made(connection, name, rest)


class Knockable(Kind):
    """A kind that can be tried, and whatever else its section has a call for."""

    family: ClassVar[str] = FAMILY
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
        described, names = _described(call), names_of(self._rest, ref)
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


class PreservedKind(Knockable):
    """A kind that its service shows."""

    def preserve(self, ref: CredentialRef) -> Mapping[str, str]:
        """Return the fields that the section wants kept and, as JSON text, those that a replacement takes over."""
        entry = self._entry(ref)
        if entry is None:
            return {"state": State.ABSENT.value}
        taken = {f"{EXPOSED}{path}": json.dumps(at(entry, path)) for path in copied(self._rest.issue)}
        return {"state": self._state(entry).value, **self._listing.kept(entry), **taken}


class ListedKind(Knockable):
    """A kind whose service lists all of an account."""

    def discover(self) -> Iterable[Discovered]:
        """Yield every listed credential."""
        for entry in self._listing.entries():
            ref = self._ref_of(self._listing.owner(entry), self._listing.id(entry))
            yield Discovered(ref, {**self._listing.times(entry), "state": self._state(entry).value})


class Issuer(Knockable):
    """A kind whose service mints replacements."""

    def issue(self, ref: CredentialRef, marker: str, preserved: Mapping[str, str]) -> Issued:
        """Make the `issue` call with what was kept of the exposed credential, or with what the list still says.

        Raises Rejected("quota") when there are as many as may be, Rejected("holders_own") for one of another sort than
        `only_if` names.
        """
        call = _described(self._rest.issue)
        names = {**names_of(self._rest, ref), "marker": marker, **self._exposed_values(call, ref, preserved)}
        for path, wanted in (call.only_if or {}).items():
            if not is_one(filled_body(f"{{{EXPOSED}{path}}}", names), wanted):
                raise Rejected("holders_own", f"its {path} says that who holds it makes the next one, and nobody else")
        reply = self._service.change(filled(call, {**self._service.given, **names}))
        if call.full is not None and matched(reply, call.full) is not None:
            raise Rejected("quota", "there are as many as may be: say which one is to go")
        if not granted(reply, call.granted):
            raise reply.refusal()
        credential_id, secret = at(reply.content, call.id), at(reply.content, call.secret)
        if credential_id is None or not isinstance(secret, str):
            raise Uncertain("answer_without_secret", f"the service said yes without {call.id} or {call.secret}")
        return Issued(ref.with_id(str(credential_id)), Secret(secret))

    def marked(self, ref: CredentialRef, marker: str) -> CredentialRef | None:
        """Return the listed credential that carries the marker."""
        for entry in self._entries(ref):
            if self._listing.marker(entry) == marker and self._listing.owner(entry, ref.owner) == ref.owner:
                return ref.with_id(self._listing.id(entry))
        return None

    def _exposed_values(self, call: IssueCall, ref: CredentialRef, preserved: Mapping[str, str]) -> dict[str, object]:
        wanted = copied(call)
        if all(f"{EXPOSED}{path}" in preserved for path in wanted):
            return {f"{EXPOSED}{path}": json.loads(preserved[f"{EXPOSED}{path}"]) for path in wanted}
        entry = self._entry(ref)
        return {} if entry is None else {f"{EXPOSED}{path}": at(entry, path) for path in wanted}


class ShownKind(Knockable):
    """A kind that is revoked by showing it: a batch of one, since that is how the engine hands the material over."""

    batch_size: ClassVar[int] = 1
    gather_s: ClassVar[float] = 0.0

    def revoke_all(self, exposed: Sequence[tuple[CredentialRef, Secret | None]]) -> Sequence[RotatorError | None]:
        """Revoke each by a call of its own."""
        answers: list[RotatorError | None] = []
        for ref, secret in exposed:
            if secret is None:
                answers.append(Rejected("needs_secret", "its material is not kept any more"))
                continue
            try:
                self._change(self._rest.revoke, ref, secret)
                answers.append(None)
            except (Rejected, Unavailable, Uncertain) as error:
                answers.append(error)
        return answers


class SuspendableKind(Knockable):
    """A kind that can be stopped and started again."""

    def suspend(self, ref: CredentialRef) -> None:
        """Make the `suspend` call."""
        self._change(self._rest.suspend, ref)

    def resume(self, ref: CredentialRef) -> None:
        """Make the `resume` call."""
        self._change(self._rest.resume, ref)


class PermittedKind(Knockable):
    """A kind whose service says what the rotator may do."""

    def permissions(self, whose: str | None) -> Sequence[Permission]:
        """Make the calls of `permissions`, and say what each verb needs."""
        named = owner_of(self._rest, whose) if whose else {}
        return permitted(self._service, self._rest.permissions, named, self.own)


def _described(call: C | None) -> C:
    if call is None:
        raise Rejected("unsupported", "the playbook's `http:` section has no such call")
    return call

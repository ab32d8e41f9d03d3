"""Credentials of any plain REST service, carried out as a playbook's `http:` section describes it.

What the section has no call for, the provider has no method for: `connect` puts the class together that fits.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import ClassVar

from rotator.credential import CredentialRef, Issued, Secret
from rotator.errors import BadInput, Rejected, RotatorError, Unavailable, Uncertain
from rotator.families.http import FAMILY
from rotator.families.http_described import calls, capability, names_of, owner_of
from rotator.families.http_knockable import Knockable, in_section
from rotator.families.http_permissions import permitted
from rotator.families.http_template import at, filled, filled_body, granted, is_one, matched
from rotator.permissions import Permission
from rotator.ports.connection import Connection
from rotator.ports.listing import Discovered
from rotator.ports.provider import Provider, State
from rotator.rest_calls import IssueCall, copied
from rotator.rest_kind import RestKind
from rotator.rest_template import EXPOSED


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
    said: dict[str, object] = {"family": FAMILY, "capability": capability(rest), "calls": calls(rest)}
    if rest.looks and not rest.verify.rejected:
        said["no_knock"] = "its service refuses a living one as it refuses a dead one: only its list tells"
    said["sends_secret"] = rest.identify is not None and rest.identify.call is not None
    made: type[Knockable] = type("RestKindProvider", (*parts, Knockable), said)
    return made(connection, name, rest)


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
        call = in_section(self._rest.issue)
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

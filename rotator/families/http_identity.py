"""Tell which credential a leaked secret is: by the issuer's answer, or by what can be seen without asking."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from http import HTTPStatus

from rotator.credential import Leaked, Secret
from rotator.errors import Rejected
from rotator.families.http import Bearer, RestService
from rotator.families.http_authentication import sendable
from rotator.families.http_listing import Listing
from rotator.families.http_pages import answered
from rotator.families.http_template import at, filled, granted, told
from rotator.rest_answers import an_answer
from rotator.rest_calls import IdentifyCall
from rotator.rest_kind import RestKind

_MASK = re.compile(r"\*{2,}|\.{2,}|…|•+|[xX]{4,}")
ANSWER_WITHOUT_ID = "answer_without_id"
OWN_UNKNOWN = "own_unknown"
_KEEP_ID = 'nothing tells which the rotator uses: keep its credential as a document, {"id": …, FIELD: the secret}'
_REFUSALS = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN})
_ENDS = 4
"""Fewer shown letters than this say nothing."""


@dataclass(frozen=True, slots=True)
class Named:
    """A credential's id, and its owner where the answer tells it."""

    id: str
    owner: str | None = None


class Identity:
    """One service's way to name a secret."""

    def __init__(self, service: RestService, listing: Listing, rest: RestKind) -> None:
        self._service, self._listing, self._rest = service, listing, rest

    def named(self, leaked: Leaked) -> Named:
        """Name the credential: by what the section says of its secret, otherwise by its id.

        Raises Rejected("unreadable") for a truncated secret, Rejected("unknown_credential") when there is none,
        Rejected("needs_id") or Rejected("needs_secret") when the report does not tell enough.
        """
        if leaked.secret is not None and (named := self._of(leaked, leaked.secret)) is not None:
            return named
        if leaked.id is None:
            raise Rejected("needs_id", "this service does not tell whose a secret is: the report must name its id")
        if self._rest.looks:
            return Named(leaked.id)
        if leaked.secret is not None:
            raise Rejected("unreadable", "the secret is truncated or malformed")
        raise Rejected("needs_secret", "this service tells nothing by an id: the report must hold the secret")

    def _of(self, leaked: Leaked, secret: Secret) -> Named | None:
        """Return None when the service tells of no secret whose it is, or cannot be asked of this one."""
        readable = not self._rest.format or re.fullmatch(self._rest.format, secret.reveal())
        if not readable or not sendable(secret.reveal()):
            if leaked.id is not None:
                return None  # the id names it as well, and what is left of the secret is sent to nobody
            raise Rejected("unreadable", "the secret is truncated or malformed")
        named = self._told(leaked, secret)
        if named is None and self._rest.identify is not None:
            raise Rejected("unknown_credential", "the service knows no such credential")
        return named

    def own(self, bearer: Bearer) -> str | None:
        """Return the id of the rotator's own credential, None where it is none of the kind, or names no id.

        Raises Rejected where it may be one of the kind, and nothing tells which.
        """
        call = self._rest.identify
        if call is not None and call.by == "hint":
            return self._own_by_hint(call, bearer)
        if self._rest.subject is not None or (call is not None and call.as_ != "subject"):
            return None
        if (call is None or call.by != "answer") and not self._may_be(bearer.secret):
            return None
        names = bearer.names.get("id")
        if call is None:
            return self._by_document(names)
        try:
            named = self._told(Leaked(id=None if names is None else str(names), secret=bearer.secret), bearer.secret)
        except Rejected as refusal:
            if refusal.reason == ANSWER_WITHOUT_ID:
                return None
            raise
        return None if named is None else named.id

    def _own_by_hint(self, call: IdentifyCall, bearer: Bearer) -> str | None:
        """Find it by what the list shows; where that is one owner's, the `id` of its document is the owner."""
        if not self._may_be(bearer.secret):
            return None
        names = bearer.names.get("id")
        if self._listing.per_owner and names is None:
            raise Rejected(OWN_UNKNOWN, _KEEP_ID)
        named = self._by_hint(call, bearer.secret, str(names) if self._listing.per_owner else "")
        return None if named is None else named.id

    def own_named(self, bearer: Bearer, field: str) -> str | None:
        """Return the id that a field of its own document names, None where its secret has not the form of the kind."""
        if not self._may_be(bearer.secret):
            return None
        if "id" not in bearer.names:
            raise Rejected(OWN_UNKNOWN, f"nothing tells which the rotator uses: add its `{field}` to the document")
        return str(bearer.names["id"])

    def _by_document(self, names: object) -> str:
        if names is None:
            raise Rejected(OWN_UNKNOWN, _KEEP_ID)
        return str(names)

    def _may_be(self, secret: Secret) -> bool:
        """Tell whether it has the form of the kind, so that it could be one."""
        return not self._rest.format or re.fullmatch(self._rest.format, secret.reveal()) is not None

    def _told(self, leaked: Leaked, secret: Secret) -> Named | None:
        call = self._rest.identify
        if call is None:
            return None
        if call.by == "hint":
            return self._by_hint(call, secret, leaked.owner or "")
        if call.by == "report" and leaked.id is None:
            raise Rejected("needs_id", "this service does not tell whose a secret is: the report must name its id")
        answer = self._answer(call, leaked, secret) if call.call is not None else {}
        if answer is None:
            return None
        found = str(at(answer, call.owner) or "") if call.owner is not None else None
        if call.by != "answer" and call.owner is not None and not found:
            raise Rejected("answer_unreadable", f"{call.call} names no {call.owner}")
        if call.by == "sha256":
            return Named(hashlib.sha256(secret.reveal().encode()).hexdigest(), found)
        if call.by == "report":
            return Named(leaked.id or "", found)
        if call.by == "format":
            match = re.fullmatch(self._rest.format or "", secret.reveal())
            return Named(match["id"], found) if match else None
        credential_id = at(answer, call.id or "")
        if credential_id is None:
            raise Rejected(ANSWER_WITHOUT_ID, f"{call.call} names no {call.id}")
        return Named(str(credential_id), found)

    def _answer(self, call: IdentifyCall, leaked: Leaked, secret: Secret) -> object:
        """Return the answer to the call, None when the service knows no such credential."""
        asking = call.asking
        assert asking is not None  # noqa: S101 - the caller saw it
        names = {} if leaked.id is None else {"id": leaked.id}
        bearer = Bearer(secret, names) if call.as_ == "subject" else None
        reply = self._service.read(filled(asking, {**self._service.given, **names, "secret": secret.reveal()}), bearer)
        as_subject = call.as_ == "subject"
        unknown = call.unknown or (self._rest.verify.rejected if as_subject else [an_answer(HTTPStatus.NOT_FOUND)])
        if told(reply, unknown) is not None:
            return None
        if as_subject and reply.status in _REFUSALS and not granted(reply, call.granted):
            raise Rejected("refused_otherwise", f"http_{reply.status}: not as the playbook knows a dead one is refused")
        answer = answered(reply, call.granted)
        if answer is None and call.granted is None:
            raise Rejected("answer_unreadable", f"http_{reply.status}: {call.call} is answered in JSON")
        return answer or {}

    def _by_hint(self, call: IdentifyCall, secret: Secret, owner: str) -> Named | None:
        entries = self._listing.entries(owner)
        shown = ((entry, at(entry, call.field or "")) for entry in entries)
        found = [entry for entry, hint in shown if isinstance(hint, str) and _fits(hint, secret.reveal(), call.shows)]
        if len(found) > 1:
            raise Rejected("ambiguous", f"{len(found)} listed credentials look like it: the report must name its id")
        return Named(self._listing.id(found[0]), self._listing.owner(found[0], owner)) if found else None


def _fits(hint: str, secret: str, shows: str) -> bool:
    """Tell whether what a list shows of a secret is this one's: its ends round a mask, its start or its end."""
    if shows == "ends":
        start, *rest = _MASK.split(hint)
        end = rest[-1] if rest else ""
        return bool(rest) and len(start + end) >= _ENDS and secret.startswith(start) and secret.endswith(end)
    bare = _MASK.sub("", hint)
    return len(bare) >= _ENDS and (secret.startswith(bare) if shows == "start" else secret.endswith(bare))

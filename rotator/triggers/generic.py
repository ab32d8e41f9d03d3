"""A webhook of your own, signed as Standard Webhooks says: the way in for whatever has no page of its own here.

`webhook-signature` holds `v1,` and the base64 of an HMAC-SHA-256 over `webhook-id.webhook-timestamp.body`, several
parted by spaces; the key is the base64 behind `whsec_`. Source: the Standard Webhooks specification. The body is our
own: `{title, severity, exposed_at, credentials: [{kind, id, secret, owner, account, connection, path}]}`, or an OSV
record as it is: an advisory.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
from datetime import datetime
from typing import Annotated

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, SecretStr, ValidationError, model_validator

from rotator.credential import Leaked, Secret
from rotator.flow.exposure import LIST, Exposure
from rotator.flow.incident import Severity
from rotator.intake.fields import mapping, material, without_login
from rotator.triggers import advisory_alarm
from rotator.triggers.message import JSON, Received, Refused, Told, Trigger, Trust, document, in_time, one_matches

SOURCE = LIST
KINDS: dict[str, str] = {}
CONTENT_TYPES = JSON
_ID = re.compile(r"[!-~]{1,200}")
_SECONDS = re.compile("[0-9]{1,12}")
_KEY_BYTES = 24
"""What the specification asks for at least."""
_WRONG = "is not as docs/triggers.md says"
_Word = Annotated[str, Field(max_length=300, pattern=r"^[^\x00-\x1f\x7f]+$")]


def verify(request: Received, trust: Trust, now: float) -> None:
    """Raise Refused unless one of our keys has signed id, time and body, and the time is near."""
    name, time = request.header("webhook-id"), request.header("webhook-timestamp")
    given = [each.removeprefix("v1,") for each in request.header("webhook-signature").split() if each.startswith("v1,")]
    if not _ID.fullmatch(name) or not _SECONDS.fullmatch(time) or not given:
        raise Refused("unsigned", "webhook-id, webhook-timestamp or a webhook-signature of version 1 is not there")
    signed = f"{name}.{time}.".encode() + request.body
    digests = [base64.b64encode(hmac.digest(key_of(each), signed, hashlib.sha256)) for each in trust.shared]
    if not one_matches(digests, given):
        raise Refused("wrong_signature")
    in_time(float(time), now)


def key_of(shared: Secret) -> bytes:
    """Return the key. Raises Refused("not_ready") for one that is none, or so short that others could guess it."""
    text = shared.reveal().removeprefix("whsec_")
    try:
        key = base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (ValueError, binascii.Error):
        raise Refused("not_ready", "our own secret is not the base64 of a key") from None
    if len(key) < _KEY_BYTES:
        raise Refused("not_ready", f"our own secret has fewer than {_KEY_BYTES} bytes")
    return key


class _Credential(BaseModel):
    model_config = ConfigDict(extra="forbid")
    kind: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,62}$")]
    id: _Word | None = None
    secret: SecretStr | None = None
    owner: _Word | None = None
    account: _Word | None = None
    connection: _Word | None = None
    path: _Word | None = None

    @model_validator(mode="after")
    def _named(self) -> _Credential:
        if not self.id and not (self.secret and self.secret.get_secret_value()):
            raise ValueError("neither `id` nor `secret`")
        return self


class _Alarm(BaseModel):
    model_config = ConfigDict(extra="forbid")
    title: _Word
    severity: Severity = Severity.HIGH
    exposed_at: AwareDatetime | None = None
    credentials: Annotated[list[_Credential], Field(min_length=1)]


def read(request: Received) -> Told:
    """Return the credentials as a list that a person wrote, or the advisory."""
    given = document(request.body)
    if "affected" in mapping(given):
        return advisory_alarm.alarm(mapping(given), request.header("webhook-id"))
    try:
        told = _Alarm.model_validate(given)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        at = ".".join(str(each) for each in first["loc"] if isinstance(each, int) or each in _NAMES)
        raise Refused("unreadable", f"{at}: {_plain(first['type'])}" if at else _plain(first["type"])) from None
    return Trigger(
        title=told.title,
        severity=told.severity,
        exposed_at=_seconds(told.exposed_at),
        delivery=request.header("webhook-id"),
        exposures=tuple(map(_exposure, told.credentials)),
    )


_NAMES = frozenset({*_Alarm.model_fields, *_Credential.model_fields})


def _plain(mistake: str) -> str:
    """Return what is wrong in words that quote nothing: the words of the library may."""
    return {"extra_forbidden": "an unknown key", "missing": "is missing"}.get(mistake, _WRONG)


def _seconds(at: datetime | None) -> float | None:
    if at is not None and at.year == 1:  # with a zone it may be of the year before the first, which nobody can write
        raise Refused("unreadable", f"exposed_at: {_WRONG}")
    try:
        return None if at is None else at.timestamp()
    except OverflowError:
        raise Refused("unreadable", f"exposed_at: {_WRONG}") from None


def _exposure(told: _Credential) -> Exposure:
    secret = material(told.secret.get_secret_value()) if told.secret else None
    leaked = Leaked(told.id, secret, told.owner, told.account, None, told.connection)
    return Exposure(LIST, told.kind, leaked, without_login(told.path or ""))

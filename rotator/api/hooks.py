"""The doors for alarms: one for each sender of `[[triggers]]`, which opens to what he has signed and to nothing else.

One whose entry names a vendor takes the lists of what that vendor runs, as its pipeline sends them, and no alarms.

A sender is answered when his alarm is in the ledger. What is refused is counted, and neither kept nor logged.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from http import HTTPStatus

from fastapi import FastAPI
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from rotator import registering, secret_reference
from rotator.api import problems
from rotator.api.bodies import LIMIT_BYTES, body_of
from rotator.api.counts import Counts
from rotator.api.knocks import Knocks, neighbourhood
from rotator.api.public_keys import PublicKeys, fetched
from rotator.bootstrap import Rotator
from rotator.credential import Secret
from rotator.errors import BadInput, RotatorError
from rotator.ledger.database import LedgerFailed
from rotator.settings.triggers import TriggerSettings
from rotator.triggers import aws_health, github_partner, gitlab
from rotator.triggers.message import Confirm, Ignored, Received, Refused, Trust
from rotator.triggers.senders import OF_PUBLIC_KEYS, SENDERS

log = logging.getLogger("rotator")

_STATUS = {**problems.OF_BODIES, "other_topic": 403, "not_ready": 503, "internal": 500}
_UNBELIEVED = 401
UNBELIEVED_A_MINUTE = 60
"""So many messages of one address that are not believed are answered 401, more 429. One that is believed is taken
whatever others send from where it comes: no alarm is lost to who makes noise."""
SOFTWARE_BYTES = 8 << 20
"""Of a list of software, which is longer than any alarm."""
_SECRET_S = 10.0
"""For how long a secret of ours is not read again."""
_TITLES = {
    400: "The message cannot be read",
    401: "The message is not believed",
    403: "The message is not for us",
    408: "The message came too slowly",
    413: "The message is too long",
    415: "The message is of another type",
    429: "Too many messages are not believed",
    500: "Something is wrong here",
    503: "Not now: send it again later",
}


@dataclass(frozen=True, slots=True)
class Door:
    """Where one sender's messages arrive. `told` is called when an alarm is in the ledger."""

    parts: Rotator
    entry: TriggerSettings
    keys: PublicKeys
    counts: Counts
    told: Callable[[], None]
    knocks: Knocks
    read: dict[str, tuple[float, Secret]] = field(default_factory=dict)

    def opens(self, request: Received) -> Response:
        """Take one message. Raises Refused."""
        sender = SENDERS[self.entry.sender]
        sender.verify(request, self._trust(request), time.time())
        if self.entry.vendor is not None:
            return self._software(self.entry.vendor, request.body)
        said = sender.read(request)
        if isinstance(said, Ignored):
            self.counts.add(self.entry.title, "ignored")
            return self._answer({"state": "ignored"})
        if isinstance(said, Confirm):
            fetched(said.url)
            self.counts.add(self.entry.title, "confirmed")
            return self._answer({"state": "confirmed"})
        kept = self.parts.triggers.keep(self.entry.title, said, request.body)
        self.counts.add(self.entry.title, "again" if kept.again else kept.state)
        self.told()
        return self._answer({"state": "received", "trigger": kept.id})

    def _software(self, vendor: str, body: bytes) -> Response:
        """Keep what a vendor runs, in place of what its door was told before. Raises Refused."""
        source = self.entry.name or ""
        try:
            found = registering.listed(source, body, "the body")
        except BadInput as error:
            raise Refused("unreadable", error.what) from None
        known = {each.source: each.digest for each in self.parts.vendors.lists(vendor)}
        if known.get(source) == found.digest and found.made is not None:  # one without a day is of the day it comes
            self.counts.add(self.entry.title, "again")
            return self._answer({"state": "received"})
        try:
            self.parts.vendors.runs(vendor, found, f"{self.entry.title} webhook")
        except BadInput:
            raise Refused("not_ready", f"no vendor is registered as {vendor}") from None
        self.counts.add(self.entry.title, "received")
        return self._answer({"state": "received"})

    def types(self, request: Received) -> Response:
        """Tell GitLab which types of token it may send. Raises Refused unless it is GitLab that asks."""
        gitlab.verify(request, self._trust(request), time.time())
        return JSONResponse({"types": sorted({*gitlab.KINDS, *self.entry.kinds})})

    def waits(self, request: Request, refused: Refused) -> float | None:
        """Return how many seconds the sender of what is not believed is to wait, None where he need not."""
        if refused.reason in _STATUS:
            return None
        return self.knocks.in_vain(neighbourhood(request.client.host if request.client else ""))

    def _answer(self, said: dict[str, str]) -> Response:
        return Response(status_code=204) if self.entry.sender == "gitlab" else JSONResponse(said)

    def _trust(self, request: Received) -> Trust:
        """Return what the message is held against. Raises Refused("not_ready") where that cannot be had now."""
        try:
            shared = tuple(self._secret(each) for each in self.entry.references)
        except RotatorError:
            raise Refused("not_ready", "our own secret cannot be read") from None
        trust = Trust(shared, topic=self.entry.topic or "", address=self.entry.endpoint_url or "")
        sender = OF_PUBLIC_KEYS.get(self.entry.sender)
        if sender is None:
            return trust
        name = sender.key_wanted(request, trust)
        try:
            if self.entry.sender == "github-partner":
                address = trust.address or github_partner.KEYS_AT
                public = self.keys.named(self.entry.sender, name, address, github_partner.keys_in)
            else:
                public = self.keys.named(
                    self.entry.sender, name, name, lambda body: {name: aws_health.certificate_in(body)}
                )
        except Refused as refused:
            raise Refused("not_ready", refused.detail) from None
        return replace(trust, public=public)

    def _secret(self, reference: str) -> Secret:
        """Return a secret of ours. A stranger who knocks often does not make us ask for it each time."""
        at, secret = self.read.get(reference, (-_SECRET_S, Secret("")))
        if time.monotonic() - at >= _SECRET_S:
            secret = secret_reference.read(reference, self.parts.settings.folder)
            self.read[reference] = (time.monotonic(), secret)
        return secret


def mount(app: FastAPI, parts: Rotator, counts: Counts, told: Callable[[], None], within_s: float) -> None:
    """Open a door for each sender that is configured; where nobody is expected there is none."""
    keys, knocks = PublicKeys(), Knocks(UNBELIEVED_A_MINUTE)
    for entry in parts.settings.triggers:
        door = Door(parts, entry, keys, counts, told, knocks)
        path = "/v1/revoke_tokens" if entry.sender == "gitlab" else f"/hooks/{entry.title}"
        app.add_api_route(path, _endpoint(door, door.opens, within_s), methods=["POST"], response_model=None)
        if entry.sender == "gitlab":
            types = "/v1/revocable_token_types"
            app.add_api_route(types, _endpoint(door, door.types, within_s), methods=["GET"], response_model=None)


def _endpoint(door: Door, take: Callable[[Received], Response], within_s: float) -> Callable[..., object]:
    async def endpoint(request: Request) -> Response:
        try:
            body = b""
            if request.method == "POST":
                is_list = door.entry.vendor is not None  # of which there are many types
                types = None if is_list else SENDERS[door.entry.sender].CONTENT_TYPES
                body = await body_of(request, types, within_s, SOFTWARE_BYTES if is_list else LIMIT_BYTES)
            headers = {name.lower(): value for name, value in request.headers.items()}
            return await run_in_threadpool(take, Received(headers, body))
        except Refused as error:
            refused = error
        except (LedgerFailed, RotatorError) as error:
            # Their words quote rows or files: only what they are is told.
            log.warning("trigger_not_kept: %s: %s", door.entry.title, type(error).__name__)
            refused = Refused("not_ready", "it could not be written down")
        except Exception as error:  # noqa: BLE001 - its words may hold the message
            log.error("trigger_failed: %s: %s", door.entry.title, type(error).__name__)  # noqa: TRY400 - likewise
            refused = Refused("internal")
        door.counts.add(door.entry.title, refused.reason)
        return _problem(refused, door.waits(request, refused))

    return endpoint


def _problem(refused: Refused, wait_s: float | None) -> Response:
    """Return problem details (RFC 9457): what is wrong, in words that quote nothing."""
    if wait_s is not None:
        many, later = HTTPStatus.TOO_MANY_REQUESTS, {"Retry-After": f"{max(wait_s, 1):.0f}"}
        return problems.told(many, "too_many", refused.detail, later, _TITLES[many])
    status = _STATUS.get(refused.reason, _UNBELIEVED)
    headers = {"Retry-After": str(problems.AGAIN_S)} if status == _STATUS["not_ready"] else None
    return problems.told(status, refused.reason, refused.detail, headers, _TITLES[status])

"""Tell a consumer by an HTTP call of its own, and hear which credential it holds.

It gets `{"event": "reload" | "holding", "incident", "exposed", "replacement", "places"}`: names, never material. Any
2xx means that it was told; a JSON answer `{"using": "<id>"}` says which credential it holds now.
"""

from __future__ import annotations

import json
import time
from urllib.parse import urlsplit

import httpx2

from rotator.consumers.notice import fields_of, using_of
from rotator.errors import BadInput, Rejected, Unavailable, Uncertain, asking
from rotator.families.punctual_network import OutOfTime, punctual
from rotator.ports.connection import CALL_DEADLINE_S, CONNECT_TIMEOUT_S, READ_TIMEOUT_S
from rotator.ports.consumer import Consumer, Notice, Told

POOL_SIZE = 40
_ANSWER_LIMIT = 64 * 1024
"""Bytes of an answer that are read: more than an id needs."""


def connect(url: str, name: str | None = None) -> Consumer:
    """Return the consumer that listens at this address; `name` is shown where the address is not to be."""
    if urlsplit(url).scheme not in ("http", "https") or not urlsplit(url).hostname:
        raise BadInput("a webhook is an http or https address", name or url, "consumers = [{webhook = 'https://…'}]")
    return Webhook(url, name)


class Webhook:
    """One address. Safe for many threads at once."""

    def __init__(self, url: str, name: str | None) -> None:
        self._url = url
        parts = urlsplit(url)
        # What stands before an @ or after a ? may be a password of the consumer's, and names are shown.
        self.name = name or f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"
        limits = httpx2.Limits(max_connections=POOL_SIZE, max_keepalive_connections=POOL_SIZE)
        transport = httpx2.HTTPTransport(limits=limits, trust_env=False)
        self._network = punctual(transport)
        self._client = httpx2.Client(
            transport=transport,
            timeout=httpx2.Timeout(READ_TIMEOUT_S, connect=CONNECT_TIMEOUT_S, pool=CONNECT_TIMEOUT_S),
            follow_redirects=False,  # names of credentials go to the address that was configured
            trust_env=False,
        )

    def reload(self, notice: Notice) -> Told:
        """Tell it to read the new secret. Raises Uncertain when it may have heard."""
        return self._post("reload", notice)

    def holding(self, notice: Notice) -> Told:
        """Ask which credential it holds now."""
        with asking():
            return self._post("holding", notice)

    def _post(self, event: str, notice: Notice) -> Told:
        began = time.monotonic()
        self._network.end_at(began + CALL_DEADLINE_S)  # each byte of an answer that drips is in time
        try:
            with self._client.stream("POST", self._url, json=fields_of(event, notice)) as answer:
                content = _beginning(answer)
        except (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout):
            raise Unavailable("consumer_unreachable", self.name) from None
        except (httpx2.TimeoutException, OutOfTime):
            raise Uncertain("consumer_timed_out", self.name) from None
        except (httpx2.HTTPError, httpx2.StreamError):
            raise Uncertain("consumer_connection_lost", self.name) from None
        if not answer.is_success:
            raise _refusal(answer, self.name)
        took = time.monotonic() - began
        try:
            said = json.loads(content)
        except (ValueError, RecursionError):
            said = None
        return Told(f"{answer.status_code} in {took:.2f} s", using_of(said, notice))


def _beginning(answer: httpx2.Response) -> bytes:
    content = b""
    for part in answer.iter_bytes():
        content += part
        if len(content) > _ANSWER_LIMIT:
            break
    return content


def _refusal(answer: httpx2.Response, name: str) -> Rejected | Unavailable | Uncertain:
    detail = f"{name} answered {answer.status_code}"
    named = answer.headers.get("Retry-After", "")
    if answer.status_code in (429, 503):
        return Unavailable("consumer_says_later", detail, float(named) if named.isdigit() else None)
    return Uncertain("consumer_failed", detail) if answer.is_server_error else Rejected("consumer_refused", detail)

"""One HTTP exchange at a time, without surprises: deadlines, no redirects, no proxies, and no material in any error."""

from __future__ import annotations

import contextlib
import functools
import json
import logging
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus

import httpx2

from rotator.errors import Rejected, RotatorError, Unavailable, Uncertain
from rotator.families.one_method import parts_of
from rotator.families.punctual_network import OutOfTime, punctual
from rotator.ports.connection import CALL_DEADLINE_S, CONNECT_TIMEOUT_S, READ_TIMEOUT_S

# It logs addresses, and some services want a secret in theirs.
logging.getLogger("httpx2").setLevel(logging.WARNING)

POOL_SIZE = 40
"""Connections kept open: more than a worker has threads."""

_ANSWER_LIMIT = 16 * 1024 * 1024
"""Bytes of one answer; a longer one is not read."""
_WORDS = 200
"""Bytes that are kept of an answer that is no JSON."""


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer. `content` is its JSON, None when it holds none. `url` is where it came from.

    `words` is how an answer begins that is no JSON. `headers` are found whatever their case. `shown` are the secrets
    that were sent for it, where its words are quoted: whoever answers may repeat them.
    """

    status: int
    content: object
    url: str
    retry_after: float | None = None
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    words: str = field(default="", repr=False)
    shown: tuple[str, ...] = field(default=(), repr=False)

    @property
    def ok(self) -> bool:
        return HTTPStatus.OK <= self.status < HTTPStatus.MULTIPLE_CHOICES

    def refusal(self) -> RotatorError:
        """Put an answer that a change did not want into our words."""
        reason = f"http_{self.status}"
        # Only a server that names a time says for certain that it has not begun.
        says_later = self.status == HTTPStatus.SERVICE_UNAVAILABLE and self.retry_after is not None
        if self.status == HTTPStatus.TOO_MANY_REQUESTS or says_later:
            return Unavailable("throttled", reason, self.retry_after)
        if self.status == HTTPStatus.UNAUTHORIZED:
            return Rejected("own_credential_refused", reason)
        if self.status == HTTPStatus.FORBIDDEN:
            return Rejected("permission_denied", reason)
        if HTTPStatus.BAD_REQUEST <= self.status < HTTPStatus.INTERNAL_SERVER_ERROR:
            return Rejected(reason)
        return Uncertain(reason)


@functools.cache
def _public_authorities() -> ssl.SSLContext:
    """Return how a server is known by the system's authorities: there are 140, and each wire would read them anew."""
    return ssl.create_default_context()


class Wire:
    """The connections to one server. Safe for many threads at once.

    `tls` is how a kind shows itself that comes in by a certificate of its own. `longest` are the bytes of an answer
    that are read where less than usual is to be expected.
    """

    def __init__(
        self, address: str, ca_file: object = None, tls: ssl.SSLContext | None = None, longest: int | None = None
    ) -> None:
        self._address, self._longest = address, longest
        transport = httpx2.HTTPTransport(
            verify=tls or (ssl.create_default_context(cafile=str(ca_file)) if ca_file else _public_authorities()),
            limits=httpx2.Limits(max_connections=POOL_SIZE, max_keepalive_connections=POOL_SIZE),
            trust_env=False,  # a proxy or a netrc entry that the environment names would see the secret
        )
        self._network = punctual(transport)
        self._client = httpx2.Client(
            transport=transport,
            timeout=httpx2.Timeout(READ_TIMEOUT_S, connect=CONNECT_TIMEOUT_S, pool=CONNECT_TIMEOUT_S),
            follow_redirects=False,  # a redirect would carry the secret elsewhere
            trust_env=False,
        )

    def close(self) -> None:
        """Close what is open; nothing can be sent after that."""
        self._client.close()

    def send(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        body: object = None,
        *,
        content: bytes | None = None,
        within_s: float | None = None,
    ) -> Reply:
        """Send a request once; any answer is returned. Raises Unavailable or Uncertain when there was none.

        `body` is sent as JSON, `content` as it is. `within_s` is a shorter deadline than a call's own, in seconds.
        """
        deadline = time.monotonic() + (CALL_DEADLINE_S if within_s is None else within_s)
        limits = self._client.timeout
        if within_s is not None:
            connect_s, read_s = parts_of(within_s)
            limits = httpx2.Timeout(read_s, connect=connect_s, pool=connect_s)
        self._network.end_at(deadline)  # each byte of an answer that drips is in time, and the whole may not be
        try:
            with self._client.stream(
                method, url, headers=headers, json=body, content=content, timeout=limits
            ) as answer:
                parts = b"".join(_limited(answer, self._longest or _ANSWER_LIMIT))
        except (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout):
            # The vendor's exception holds the request with its secret: it goes no further than this.
            raise Unavailable("unreachable", self._address) from None
        except (httpx2.TimeoutException, OutOfTime):
            raise Uncertain("timed_out", self._address) from None
        except (httpx2.HTTPError, httpx2.StreamError):
            raise Uncertain("connection_lost", self._address) from None
        parsed: object = None
        with contextlib.suppress(ValueError, RecursionError):
            parsed = json.loads(parts)
        named = answer.headers.get("Retry-After", "")
        later = float(named) if named.isdecimal() else None
        words = "" if parsed is not None else parts[:_WORDS].decode("utf-8", "replace").strip()
        return Reply(answer.status_code, parsed, url, later, answer.headers, words)


def _limited(answer: httpx2.Response, longest: int) -> list[bytes]:
    if "," in answer.headers.get("Content-Encoding", ""):
        # Each layer makes a thousand times as much of what came, and no deadline is looked at meanwhile.
        raise Uncertain("answer_unreadable", "packed more than once")
    parts, size = [], 0
    for part in answer.iter_bytes():
        size += len(part)
        if size > longest:
            raise Uncertain("answer_too_long", f"more than {longest} bytes")
        parts.append(part)
    return parts

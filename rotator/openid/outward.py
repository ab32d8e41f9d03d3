"""Ask another server on behalf of somebody who waits for our page: one exchange, so long, so much, and no redirect."""

from __future__ import annotations

import ssl
import time
from collections.abc import Mapping

import httpx2

from rotator.errors import Unavailable
from rotator.families.punctual_network import OutOfTime, punctual
from rotator.ports.connection import CONNECT_TIMEOUT_S, READ_TIMEOUT_S

_ANSWER_LIMIT = 256 * 1024


def answer_of(
    address: str,
    within_s: float,
    form: Mapping[str, str] | None = None,
    headers: Mapping[str, str] | None = None,
    tls: ssl.SSLContext | None = None,
) -> tuple[int, bytes]:
    """Return the status and the body of a GET, or of a POST where there is a form. Raises Unavailable."""
    transport = httpx2.HTTPTransport(verify=tls or ssl.create_default_context(), trust_env=False)
    punctual(transport).end_at(time.monotonic() + within_s)
    timeout, method = httpx2.Timeout(READ_TIMEOUT_S, connect=CONNECT_TIMEOUT_S), "GET" if form is None else "POST"
    body = b""
    try:
        with (
            httpx2.Client(transport=transport, timeout=timeout, follow_redirects=False, trust_env=False) as client,
            client.stream(method, address, data=form, headers=headers) as answer,
        ):
            for part in answer.iter_bytes():
                body += part
                if len(body) > _ANSWER_LIMIT:
                    raise Unavailable("answer_too_long", "what stands there is too long")
    except (httpx2.HTTPError, httpx2.StreamError, httpx2.InvalidURL, OutOfTime, ValueError) as error:
        raise Unavailable("no_answer", f"it does not answer ({type(error).__name__})") from None
    return answer.status_code, body

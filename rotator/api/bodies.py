"""Read the body of a request whose sender nobody knows yet: so much of it, of such a type, in such a time."""

from __future__ import annotations

import asyncio
from collections.abc import Collection

from starlette.requests import ClientDisconnect, Request

from rotator.triggers.message import Refused

LIMIT_BYTES = 1 << 20
"""Of an alarm. A thousand tokens with their places take a quarter."""
WITHIN_S = 10.0
"""Seconds in which a body must have come."""


async def body_of(request: Request, types: Collection[str], within_s: float) -> bytes:
    """Return the body. Raises Refused: what its headers say of its length is not believed, only what comes counts."""
    named = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    try:
        async with asyncio.timeout(within_s):
            body = await _whole(request)
    except TimeoutError:
        raise Refused("too_slow", f"the body did not come within {within_s:g} s") from None
    except ClientDisconnect:
        raise Refused("cut_off", "the body is not whole") from None
    if named not in types:
        raise Refused("content_type", f"set the content type to {' or '.join(types)}")
    return body


async def _whole(request: Request) -> bytes:
    """Return it. What is too long is read on for as much again and dropped, so that its sender hears the answer."""
    parts: list[bytes] = []
    length = 0
    async for part in request.stream():
        length += len(part)
        if length <= LIMIT_BYTES:
            parts.append(part)
        else:
            parts.clear()
        if length > 2 * LIMIT_BYTES:
            break
    if length > LIMIT_BYTES:
        raise Refused("too_large", f"a body has {LIMIT_BYTES} bytes at most")
    return b"".join(parts)

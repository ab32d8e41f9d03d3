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


async def body_of(request: Request, types: Collection[str] | None, within_s: float, limit: int = LIMIT_BYTES) -> bytes:
    """Return the body, of any type where none are named, and of `limit` bytes at most.

    Raises Refused: what its headers say of its length is not believed, only what comes counts.
    """
    named = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    try:
        async with asyncio.timeout(within_s):
            body = await _whole(request, limit)
    except TimeoutError:
        raise Refused("too_slow", f"the body did not come within {within_s:g} s") from None
    except ClientDisconnect:
        raise Refused("cut_off", "the body is not whole") from None
    if types is not None and named not in types:
        raise Refused("content_type", f"set the content type to {' or '.join(types)}")
    return body


async def _whole(request: Request, limit: int) -> bytes:
    """Return it. What is too long is read on for as much again and dropped, so that its sender hears the answer."""
    parts: list[bytes] = []
    length = 0
    async for part in request.stream():
        length += len(part)
        if length <= limit:
            parts.append(part)
        else:
            parts.clear()
        if length > 2 * limit:
            break
    if length > limit:
        raise Refused("too_large", f"a body has {limit} bytes at most")
    return b"".join(parts)

"""Objects of an S3 bucket, listed and read whole: in pieces, each a call of its own that ends in time.

The rotator's own credential needs s3:ListBucket and s3:GetObject for it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from rotator.errors import Rejected, RotatorError, Unavailable
from rotator.families.aws import Account

PIECE = 4 << 20
"""Bytes that are asked for at once."""
_ATTEMPTS = 3
_REPLACED = "already_exists"
"""What a precondition that failed is called: an answer to who would write; here to who wants what was listed."""


@dataclass(frozen=True, slots=True)
class Object:
    """An object as it is listed. `tag` changes with its content; `size` is in bytes."""

    key: str
    size: int
    tag: str


class Replaced(Exception):  # noqa: N818 - what another did meanwhile
    """Raised where an object is not the one any more that was listed."""


def objects(account: Account, bucket: str, prefix: str) -> Iterator[Object]:
    """Yield the objects whose keys begin so. Raises RotatorError."""
    more: dict[str, str] = {}
    while True:
        page = account.exchange().read("s3", "list_objects_v2", Bucket=bucket, Prefix=prefix, **more)
        for each in page.get("Contents", ()):
            yield Object(each["Key"], each["Size"], each["ETag"])
        if not page["IsTruncated"]:
            return
        more = {"ContinuationToken": page["NextContinuationToken"]}


def content(account: Account, bucket: str, found: Object) -> Iterator[bytes]:
    """Yield an object's content piece by piece. Raises RotatorError, or Replaced where it was written meanwhile."""
    for begin in range(0, found.size, PIECE):
        yield _piece(account, bucket, found, begin, min(begin + PIECE, found.size))


def _piece(account: Account, bucket: str, found: Object, begin: int, end: int) -> bytes:
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            return _asked(account, bucket, found, begin, end)
        except Unavailable:
            if attempt == _ATTEMPTS:
                raise
    raise AssertionError


def _asked(account: Account, bucket: str, found: Object, begin: int, end: int) -> bytes:
    span = f"bytes={begin}-{end - 1}"
    try:
        answer = account.exchange().read(
            "s3", "get_object", Bucket=bucket, Key=found.key, Range=span, IfMatch=found.tag
        )
    except Rejected as error:
        if error.reason == _REPLACED:
            raise Replaced from None
        raise
    piece = _whole(answer["Body"])
    if len(piece) != end - begin:
        raise Unavailable("cut_off", f"{len(piece)} bytes came of {end - begin}")
    return piece


def _whole(body: Any) -> bytes:
    try:
        found: bytes = body.read()
    except RotatorError:
        raise
    except Exception as error:  # noqa: BLE001 - botocore hands through whatever the line's library raises
        raise Unavailable("cut_off", type(error).__name__) from None
    return found

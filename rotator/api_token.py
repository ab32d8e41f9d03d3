"""API tokens as text: `rot_`, 32 random bytes, and a checksum by which a scanner tells one from any other word.

Letters are base62, so a double click takes all of it. The checksum is the CRC-32 of the 43 letters before it, in six
(the form of GitHub's own: "Behind GitHub's new authentication token formats", 2021). It guards nothing: it lets a
mistyped or made-up token be refused, and a real one be found in a leak, without a look into the ledger.
"""

from __future__ import annotations

import hashlib
import re
import secrets
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from rotator.credential import REDACTED, Secret

PREFIX = "rot_"
LOOKUP_LETTERS = 8
"""So many letters are kept in the clear, to find its row and to be told from others: 35 letters stay unknown."""
_LETTERS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_RANDOM_BYTES, _RANDOM_LETTERS, _CHECKSUM_LETTERS = 32, 43, 6
FORM = rf"{PREFIX}[0-9A-Za-z]{{{_RANDOM_LETTERS + _CHECKSUM_LETTERS}}}"
"""How a token looks, as a regular expression: whether it is one, its checksum says."""
_FORM = re.compile(rf"{PREFIX}([0-9A-Za-z]{{{_RANDOM_LETTERS}}})([0-9A-Za-z]{{{_CHECKSUM_LETTERS}}})")

# What begins inside another that is none, is found too.
_ANYWHERE = re.compile(rf"(?={_FORM.pattern})")


@dataclass(frozen=True, slots=True)
class ApiToken:
    """What is kept of a token: `lookup` finds its row, `digest` is the SHA-256 of all of it, in hexadecimal."""

    lookup: str
    digest: str


def minted() -> Secret:
    """Return a new one."""
    body = _base62(int.from_bytes(secrets.token_bytes(_RANDOM_BYTES)), _RANDOM_LETTERS)
    return Secret(f"{PREFIX}{body}{_checksum(body)}")


def read(text: str) -> ApiToken | None:
    """Return what is kept of it; None for what is no token of ours."""
    found = _FORM.fullmatch(text)
    if found is None or _checksum(found[1]) != found[2]:
        return None
    return ApiToken(found[1][:LOOKUP_LETTERS], hashlib.sha256(text.encode()).hexdigest())


def all_in(text: str) -> list[ApiToken]:
    """Return each token of this form that stands in a text, whatever stands beside it."""
    return [kept for each in _texts_in(text) if (kept := read(each)) is not None]


def redacted(text: str) -> str:
    """Return a text without the tokens that stand in it."""
    for each in _texts_in(text):
        text = text.replace(each, REDACTED)
    return text


def _texts_in(text: str) -> Iterator[str]:
    found = (f"{PREFIX}{each[1]}{each[2]}" for each in _ANYWHERE.finditer(text))
    return (each for each in found if read(each) is not None)


def _checksum(body: str) -> str:
    return _base62(zlib.crc32(body.encode()), _CHECKSUM_LETTERS)


def _base62(number: int, letters: int) -> str:
    found = ""
    for _ in range(letters):
        number, digit = divmod(number, len(_LETTERS))
        found = _LETTERS[digit] + found
    return found

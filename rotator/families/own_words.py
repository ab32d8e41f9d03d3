"""What is believed and repeated of an answer: a refusal in the service's own words, and no part of what we showed.

Between us and a service stand gateways and sign-in pages. Their refusals say nothing of the rotator (0026), and some
quote the credential that they were shown.
"""

from __future__ import annotations

from http import HTTPStatus
from itertools import groupby

from rotator.credential import REDACTED
from rotator.errors import Unavailable
from rotator.families.http_wire import Reply

_OPINIONS = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND})
_LEAST = 8
"""Characters in a row that are a part of a secret: fewer are in any words by chance."""
_READ, _MOST = 4096, 200


def heard(reply: Reply, *, own: bool) -> Reply:
    """Return an answer, unless it is a refusal in somebody else's words. Raises Unavailable("answer_unreadable")."""
    if reply.status in _OPINIONS and not own:
        raise unreadable(reply)
    return reply


def unreadable(reply: Reply) -> Unavailable:
    """Say that an answer is not of the form that the service has for it."""
    return Unavailable("answer_unreadable", f"http_{reply.status} in words that are not the service's")


def quoted(reply: Reply, words: object) -> str:
    """Return words of an answer on one line, cut short, without any part of the secrets that were shown for it."""
    text = _line(str(words)[:_READ])
    for secret in reply.shown:
        text = _without(text, _line(secret))
    return text[:_MOST]


def _line(text: str) -> str:
    return " ".join(text.encode("utf-8", "replace").decode().split())


def _without(text: str, secret: str) -> str:
    parts = {secret[at : at + _LEAST] for at in range(len(secret) - _LEAST + 1)}
    hidden = [False] * len(text)
    for at in range(len(text) - _LEAST + 1):
        if text[at : at + _LEAST] in parts:
            hidden[at : at + _LEAST] = [True] * _LEAST
    runs = groupby(zip(hidden, text, strict=True), lambda each: each[0])
    return "".join(REDACTED if is_hidden else "".join(letter for _, letter in run) for is_hidden, run in runs)

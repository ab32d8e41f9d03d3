"""Evidence chains: each record names the hash of the one before, over the bytes as they are stored."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Any

import rfc8785

_WRITE = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), sort_keys=True, check_circular=False).encode
_PLAIN_FROM, _PLAIN_TO = 1e-4, 1e16
"""Between these Python writes a number that is not whole as RFC 8785 does: without an exponent."""


def chained(
    chain: str, length: int, head: str, records: Iterable[Mapping[str, Any]]
) -> tuple[list[dict[str, Any]], int, str]:
    """Return the rows to store, and the chain's new length and head.

    A body is RFC 8785 canonical JSON with `chain`, `seq` (from 1) and `previous` (empty for the first) in it.
    """
    rows = []
    for record in records:
        length += 1
        body = canonical({**record, "chain": chain, "seq": length, "previous": head})
        head = hashlib.sha256(body.encode()).hexdigest()
        rows.append({"chain": chain, "seq": length, "hash": head, "body": body})
    return rows, length, head


def canonical(record: Mapping[str, Any]) -> str:
    """Return RFC 8785 canonical JSON.

    The standard library writes the same for what records are made of, three times faster than the pure Python library;
    what it would write otherwise goes to that.
    """
    if _is_simple(record):
        return _WRITE(record)
    return rfc8785.dumps(record).decode()


def _is_simple(value: object) -> bool:
    """Tell whether the standard library writes the value canonically: ASCII names, and no number of another form."""
    if value is None or isinstance(value, str | bool):
        return True
    if isinstance(value, int):
        return abs(value) < _PLAIN_TO
    if isinstance(value, float):
        return not value.is_integer() and _PLAIN_FROM < abs(value) < _PLAIN_TO
    if isinstance(value, dict):
        return all(isinstance(key, str) and key.isascii() and _is_simple(each) for key, each in value.items())
    if isinstance(value, list):
        return all(map(_is_simple, value))
    return False

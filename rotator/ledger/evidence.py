"""Evidence chains: each record names the hash of the one before, over the bytes as they are stored."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any

import rfc8785


def chained(
    chain: str, length: int, head: str, records: Iterable[Mapping[str, Any]]
) -> tuple[list[dict[str, Any]], int, str]:
    """Return the rows to store, and the chain's new length and head.

    A body is RFC 8785 canonical JSON with `chain`, `seq` (from 1) and `previous` (empty for the first) in it.
    """
    rows = []
    for record in records:
        length += 1
        body = rfc8785.dumps({**record, "chain": chain, "seq": length, "previous": head}).decode()
        head = hashlib.sha256(body.encode()).hexdigest()
        rows.append({"chain": chain, "seq": length, "hash": head, "body": body})
    return rows, length, head

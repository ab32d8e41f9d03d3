"""Which records of logs were read before, in whatever form: a log and its parts, an array and its lines, count once.

A record is known by its identity beside its time, call and credential: 48 bytes and a place in a set for each.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import astuple, replace

from rotator.access.credential_report import LastUse
from rotator.access.event import Event


def spelt(record: Event | LastUse) -> bytes:
    """Return what a record is known by, the same in whatever form and file it stands; b"" where it is by nothing."""
    if isinstance(record, LastUse):
        return repr(astuple(replace(record, file=""))).encode()
    if not record.identity:
        return b""
    return repr((record.key_id, record.at, record.name, record.identity)).encode()


class Distinct:
    """Knows what was read already. Its key is its own: nobody can make two records that it takes for one."""

    def __init__(self) -> None:
        self._key = secrets.token_bytes(32)
        self._seen: set[int] = set()

    def is_new(self, known_by: bytes) -> bool:
        """Tell whether nothing that is known so was read before; what is known by nothing always is."""
        if not known_by:
            return True
        found = int.from_bytes(hashlib.blake2b(known_by, digest_size=16, key=self._key).digest(), "big")
        if found in self._seen:
            return False
        self._seen.add(found)
        return True

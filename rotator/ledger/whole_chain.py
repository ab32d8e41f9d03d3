"""A chain of evidence as it is kept, and whether each of its records follows the one before."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class WholeChain:
    """Its records, read one after the other, where it ends, and whether each follows the one before."""

    records: list[Mapping[str, Any]] = field(default_factory=list)
    head: str = ""
    is_whole: bool = True

    def add(self, body: str, head: str) -> None:
        """Read the next record, with the hash that is kept beside it."""
        record = json.loads(body)
        follows = record.get("previous") == self.head and record.get("seq") == len(self.records) + 1
        self.is_whole &= follows and head == hashlib.sha256(body.encode()).hexdigest()
        self.records.append(record)
        self.head = head

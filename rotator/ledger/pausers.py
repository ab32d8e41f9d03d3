"""Who paused a vendor, and who paused it again, whatever that added: it is told in the vendor's chain alone."""

from __future__ import annotations

import json

from sqlalchemy import Connection, select

from rotator.ledger import tables
from rotator.ledger.pauses import AGAIN, Pause
from rotator.ledger.vendors import CHAIN

_evidence = tables.evidence


def of(connection: Connection, pause: Pause) -> frozenset[str]:
    """Return who paused it first, and all who did so again."""
    query = select(_evidence.c.body).where(
        _evidence.c.chain == CHAIN + pause.vendor, _evidence.c.body.contains(f'"{AGAIN}"', autoescape=True)
    )
    told = map(json.loads, connection.execute(query).scalars())
    again = (each["by"] for each in told if each["act"] == AGAIN and each["pause"] == pause.number)
    return frozenset({pause.by, *again})

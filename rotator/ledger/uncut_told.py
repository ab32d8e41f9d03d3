"""What a paused vendor was found to hold since, and nobody has cut: people are told once of each."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from sqlalchemy import insert, select

from rotator.ledger import pauses, tables, vendors
from rotator.ledger.database import Database
from rotator.ledger.notices import tell
from rotator.ledger.pauses import Pause
from rotator.notices.event import Event

HOLDS_MORE = "vendor_holds_more"
_MARK = "uncut "
_noticed = tables.noticed


def tell_new(database: Database, pause: Pause, incident: str, held: Mapping[str, str], now: float) -> list[str]:
    """Have people told, under an incident, of what they were not told of yet; return that.

    `held` has what each is called, by the words in which an exposure of it would say that its vendor holds it.
    """
    marks = {_MARK + hashlib.sha256(where.encode()).hexdigest()[:32]: name for where, name in held.items()}
    told = select(_noticed.c.what).where(_noticed.c.incident == pause.incident, _noticed.c.what.in_(list(marks)))
    with database.read() as connection:
        if len(set(connection.execute(told).scalars())) == len(marks):
            return []
    with database.write() as connection:
        if pauses.pause_of(connection, pause.vendor, lock=True) != pause:
            return []
        known = set(connection.execute(told).scalars())  # who led before may have told since
        new = {mark: name for mark, name in marks.items() if mark not in known}
        if not new:
            return []
        connection.execute(insert(_noticed), [{"incident": pause.incident, "what": mark} for mark in new])
        names = sorted(new.values())
        record = {"at": now, "act": HOLDS_MORE, "by": "rotator", "pause": pause.number, "held": names}
        vendors.act(connection, pause.vendor, record, incident)
        command = f"rotator vendor pause {pause.vendor} --reason …"
        facts = {"vendor": pause.vendor, "what": names, "command": command}
        tell(connection, incident, Event.HOLDS_MORE, facts, now)
        return names

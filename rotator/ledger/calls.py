"""Acts over HTTP: each in one transaction with its evidence and its answer, so that it is done once or not at all.

Whoever asks again under the same key, since his answer was lost, is answered as the first time, and nothing is done.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, delete, select
from sqlalchemy.dialects import postgresql, sqlite

from rotator import clock
from rotator.errors import BadInput
from rotator.ledger import rows, service, tables
from rotator.ledger.database import Database
from rotator.ledger.one_transaction import OneTransaction

KEPT_S = 86400.0
"""How long an answer is kept for who asks again."""
_table = tables.called


class OtherRequest(BadInput):
    """A key under which something else was asked before."""


@dataclass(frozen=True, slots=True)
class Call:
    """Who asks, with which token, for which act on what; fingerprints of its `key` and of the `request`, "" without."""

    token: str
    by: str
    act: str
    on: str
    key: str = ""
    request: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """What is answered; `again` where it was answered before, and nothing was done now."""

    status: int
    body: Mapping[str, Any]
    again: bool = False


class Calls:
    """Do what is asked over HTTP, and note what is refused."""

    def __init__(self, database: Database, clock: Callable[[], float] = clock.now) -> None:
        self._database, self._clock = database, clock

    def answered(self, call: Call) -> Answer | None:
        """Return what was answered under this key before. Raises OtherRequest where something else was asked."""
        if not call.key:
            return None
        with self._database.read() as connection:
            return self._found(connection, call)

    def do(self, call: Call, work: Callable[[Database], Answer]) -> Answer:
        """Do it, note it and keep the answer, all in one transaction; or answer as before.

        What `work` raises takes all of it back, so that the same key may be tried again. Raises OtherRequest.
        """
        now = self._clock()
        with self._database.write() as connection:
            if call.key and not self._is_first(connection, call, now):
                found = self._found(connection, call)
                if found is not None:
                    return found
            answer = work(OneTransaction(connection))
            service.note(connection, {"at": now, "act": "called", **_told(call)})
            if call.key:
                is_it = (_table.c.token == call.token, _table.c.key == call.key)
                values = {"status": answer.status, "answer": rows.text(rows.plain(answer.body))}
                connection.execute(_table.update().where(*is_it).values(values))
            return answer

    def refused(self, call: Call, reason: str) -> None:
        """Note that somebody asked for what he may not."""
        with self._database.write() as connection:
            told = {"at": self._clock(), "act": "refused", **_told(call), "reason": reason}
            service.note(connection, told)

    def _is_first(self, connection: Connection, call: Call, now: float) -> bool:
        """Take the key; whoever comes with it meanwhile waits for what becomes of this."""
        connection.execute(delete(_table).where(_table.c.at < now - KEPT_S))
        taking = postgresql.insert(_table) if connection.dialect.name != "sqlite" else sqlite.insert(_table)
        row = {"token": call.token, "key": call.key, "at": now, "request": call.request, "status": 0, "answer": "{}"}
        return (
            connection.execute(taking.values(row).on_conflict_do_nothing().returning(_table.c.key)).first() is not None
        )

    def _found(self, connection: Connection, call: Call) -> Answer | None:
        is_it = select(_table).where(_table.c.token == call.token, _table.c.key == call.key)
        row = connection.execute(is_it).mappings().first()
        if row is None or row["at"] < self._clock() - KEPT_S:
            return None
        if row["request"] != call.request:
            raise OtherRequest("something else was asked under this key", "Idempotency-Key", "give each act its own")
        return Answer(row["status"], json.loads(row["answer"]), again=True)


def _told(call: Call) -> dict[str, str]:
    return {"by": call.by, "token": call.token, "what": call.act, "on": call.on}

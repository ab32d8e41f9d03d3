"""A run's clocks as evidence: whenever one is set, or taken back, all are told as they are from then on."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection

from rotator.flow.run import Run
from rotator.ledger import rows, statements

ACT = "clocks"


def change(connection: Connection, run: Run) -> dict[str, Any]:
    """Write a run's clocks; return the record of it, but for when. Times are epoch seconds, None for what is not so.

    They are told in several chains, by branches and by people, so `number` says which record came last.
    """
    told = rows.run_summary(run)
    number = connection.execute(statements.SUMMARISE, {"run_id": run.id, **told}).scalar_one()
    return {"act": ACT, "run": run.id, "number": number, **told}

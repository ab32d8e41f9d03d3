"""A run's clocks as evidence: whenever one is set, or taken back, all are told as they are from then on."""

from __future__ import annotations

from typing import Any

from rotator.flow.run import Run
from rotator.ledger import rows

ACT = "clocks"


def clocks(run: Run) -> dict[str, Any]:
    """Return the record, but for when it was written. Times are epoch seconds, None for what is not so."""
    return {"act": ACT, "run": run.id, **rows.run_summary(run)}

"""Check a dataset by what was read elsewhere: what is answered of it, here and over HTTP."""

from __future__ import annotations

from rotator.ledger.datasets import Check
from rotator.operations.operation import Answer
from rotator.readings import Seen
from rotator.report.datasets import check


def told(seen: Seen, found: Check) -> Answer:
    """Return a check as data, with what it does not tell."""
    return {**check(found), "warnings": seen.warnings}

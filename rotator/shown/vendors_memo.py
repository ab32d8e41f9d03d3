"""The decision memo of all vendors that a notice touches."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rotator.bootstrap import Rotator
from rotator.flow.vendor_notice import Notice
from rotator.packages.advisory import Advisory
from rotator.report import vendors_memo
from rotator.shown import vendor_triage
from rotator.shown.vendor_memo import approvers


def memo(
    parts: Rotator, notice: Notice, advisories: Sequence[Advisory], made_at: float, made_by: str
) -> dict[str, Any]:
    """Return it as data, the gravest first."""
    triaged = vendor_triage.answer(parts, notice, vendor_triage.found(parts, notice, advisories))
    return vendors_memo.build(
        triaged["vendors"], triaged["notice"], deciders=[approvers(parts)], made_at=made_at, made_by=made_by
    )

"""What the doctor looks at of conversions to short-lived credentials: what one that never ended may have left."""

from __future__ import annotations

from collections.abc import Iterator

from rotator.bootstrap import Rotator
from rotator.examining.finding import Finding
from rotator.flow.order import names
from rotator.ledger.conversions import unfinished
from rotator.ledger.database import LedgerFailed
from rotator.report.clocks import moment


def conversions(parts: Rotator, called: str) -> Iterator[Finding]:
    """Tell of each that was begun, and neither prepared nor taken back."""
    try:
        found = unfinished(parts.database)
    except LedgerFailed:
        return  # who looks at the ledger has said so
    for each in found:
        things = names([one["what"] for one in each.things])
        what = f"the conversion of {each.kind} {each.id} never ended, since {moment(each.at)}; there may be: {things}"
        convert = f"{called} segmentation convert {each.kind} {each.id} --connection {each.connection}"
        yield Finding(True, what, f"do it again as {each.by} asked, or take it back: {convert} --undo", warns=True)

"""What the doctor looks at of hygiene: whether something ends by itself before long that no policy replaces."""

from __future__ import annotations

from collections.abc import Iterator

from rotator import clock
from rotator.bootstrap import Rotator
from rotator.errors import RotatorError
from rotator.examining.finding import Finding
from rotator.ledger.database import LedgerFailed
from rotator.report.clocks import moment
from rotator.shown import hygiene


def ending(parts: Rotator, called: str) -> Iterator[Finding]:
    """Look for what ends by itself and is under no policy, whether somebody was told or not."""
    try:
        found = hygiene.expiring(parts, clock.now(), hygiene.policies(parts))
    except LedgerFailed:
        return  # who looks at the ledger has said so
    except RotatorError as error:
        yield Finding(False, str(error), f"{called} hygiene lint says every mistake")
        return
    if found:
        first = found[0]
        count = "1 credential ends" if len(found) == 1 else f"{len(found):,} credentials end"
        what = f"{count} before long under no policy: {first.ref} is the first, at {moment(first.ends_at)}"
        yield Finding(True, what, f"{called} hygiene due names each, and its task; docs/hygiene.md", warns=True)

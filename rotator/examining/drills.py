"""What the doctor looks at of drills: whether the latest of each kind was in time, and when one was held at all."""

from __future__ import annotations

from collections.abc import Iterator

from rotator import clock
from rotator.bootstrap import Rotator
from rotator.errors import RotatorError
from rotator.examining.finding import Finding
from rotator.ledger.database import LedgerFailed
from rotator.report.clocks import moment
from rotator.shown import drills as shown

_DAY_S = 86400.0


def drills(parts: Rotator, called: str) -> Iterator[Finding]:
    """Look at them; where none is configured and none was held there is nothing to say."""
    try:
        found = shown.standing(parts)
    except (RotatorError, LedgerFailed):
        return  # who looks at the ledger has said so
    for each in found:
        if each["slow"]:
            what = f"the latest drill of {each['provider']} was late: {'; '.join(each['slow'])}"
            yield Finding(True, what, f"{called} drill show {each['incident']} says where the time went", warns=True)
        else:
            worst = "its death stated" if each["worst_s"] is None else f"{each['worst_s']:.1f} s to proven dead"
            yield Finding(True, f"drill of {each['provider']} at {moment(each['at'])}: {worst}")
    settings = parts.settings.drills
    last = max((each["at"] for each in found), default=None)
    if (settings.exercises or found) and (last is None or clock.now() - last > settings.silent_after):
        since = "ever" if last is None else f"since {moment(last)}"
        days = settings.silent_after / _DAY_S
        what = f"no drill was held {since}: how fast a leak is answered here, nobody has seen for {days:g} days"
        yield Finding(True, what, f"{called} drill run, or a schedule: docs/drills.md", warns=True)

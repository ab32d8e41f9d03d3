"""What the doctor looks at of drills: whether the latest of each kind was in time, and when one was held at all.

And of canaries of certifications: whether one was left behind.
"""

from __future__ import annotations

from collections.abc import Iterator

from rotator import clock
from rotator.bootstrap import Rotator
from rotator.errors import RotatorError
from rotator.examining.finding import Finding
from rotator.ledger.certificates import Certificates
from rotator.ledger.database import LedgerFailed
from rotator.report.clocks import moment
from rotator.shown import drills as shown

_DAY_S = 86400.0
_TRIAL_LASTS_S = 3600.0
"""A certification whose canary is older does not go on any more, whatever its kind's settle time."""


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


def canaries(parts: Rotator, called: str) -> Iterator[Finding]:
    """Look for canaries that a certification left behind when it was killed: nothing but the next takes one away."""
    try:
        found = Certificates(parts.database).left()
    except (RotatorError, LedgerFailed):
        return  # who looks at the ledger has said so
    there = {each.name for each in parts.settings.connections}
    for each in found:
        if clock.now() - each.at < _TRIAL_LASTS_S:
            continue
        name = f"{each.kind} {each.credential or 'without a known id'} of {each.owner or 'the account'}"
        what = f"a canary was left on {each.connection} at {moment(each.at)} and may be alive: {name}"
        mend = f"{called} provider certify {each.connection} takes it away first"
        gone = f"no connection is called {each.connection} any more: name it again, and {mend}"
        yield Finding(False, what, mend if each.connection in there else gone)

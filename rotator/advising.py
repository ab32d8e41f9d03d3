"""Ask once a day, while this process's dispatcher leads, which packages that vendors run are newly known as malicious.

Where `[advisories] url` names nobody nothing is asked. What arrived in the last weeks is held against the lists as they
are now, too: a vendor may have begun to run what is bad after that was known.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable

from rotator import clock
from rotator.alarm import arriving
from rotator.alarm.newly_bad import newly_bad
from rotator.bootstrap import Rotator
from rotator.errors import Unavailable
from rotator.leading import Leading, tried

log = logging.getLogger("rotator")

LOOK_S, DAY_S = 600.0, 86400.0
"""How often is seen whether a look is due, and how long after the last one it is."""
FIRST_S = 7 * DAY_S
"""How far back a change is looked for beyond the last look: a record may come late."""
AGAIN_S = 30 * DAY_S
"""For so long after it arrived vendors are triaged anew for an advisory."""
SENDER = "the daily look"


class Advising:
    """The thread that looks. `leads` says whether this process is the one to do it."""

    def __init__(self, parts: Rotator, leads: Callable[[], bool], every_s: float = LOOK_S) -> None:
        self._parts = parts
        self._thread = Leading("advising", self._look, leads, every_s)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End; a look that is not done is begun anew by whoever leads next."""
        self._thread.stop()

    def _look(self) -> None:
        tried(self._looked, "advisories_not_asked_for")

    def _looked(self) -> None:
        try:
            look(self._parts, self._thread.goes_on)
        except Unavailable as error:
            log.warning("advisories_not_asked_for: %s", error.detail)


def look(parts: Rotator, goes_on: Callable[[], bool] = lambda: True) -> bool:
    """Look, where that is due; return whether it was. Raises Unavailable where the server does not answer."""
    now, last = clock.now(), parts.advisories.looked_at()
    if last is not None and now - last < DAY_S:
        return False
    vendors = parts.vendors.every()
    url = parts.settings.advisories.url
    if url is not None and any(each.software for each in vendors):
        since = now - FIRST_S if last is None else last - FIRST_S
        known = {name for each in parts.advisories.since(now - AGAIN_S) for name in each.names}
        new = newly_bad(url, (one for each in vendors for one in each.software), known, since, goes_on)
        if new.unasked or new.unread:
            log.warning("advisories_left: %s components and %s records were not asked for", new.unasked, new.unread)
        arriving.take(parts, map(json.dumps, new.records), SENDER, now, fetched=True)
    arriving.again(parts, [each.name for each in parts.advisories.since(now - AGAIN_S)])
    parts.advisories.looked(now)
    return True

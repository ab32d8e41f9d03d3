"""What CloudTrail remembers of a key: the event history of the region in which IAM's calls are logged.

It keeps management events of 90 days, fifty to a page, two pages a second for an account and region, and takes one
attribute to choose by (API reference, "LookupEvents"). Calls to IAM, wherever they come from, are logged in the
partition's first region ("Viewing events with CloudTrail event history", "Global service events"). An event may come
minutes after its call.

The rotator's own credential needs cloudtrail:LookupEvents for it.
"""

from __future__ import annotations

import json
from collections import deque
from datetime import UTC, datetime
from typing import Any

from rotator import clock
from rotator.errors import RotatorError
from rotator.families.aws import Account, Exchange, home_region
from rotator.ports.listing import MintedSince

KEPT_S = 90 * 86400.0
PAGES = 10
"""How many are read for one exposed key, those of its sessions included: five seconds at what is allowed."""
SESSIONS = 5
"""How many of the sessions that were begun with it are followed."""


def minted_since(account: Account, key_id: str, since: float) -> MintedSince:
    """Return the events of a key and of its sessions, the newest first. Raises the errors of the first page alone."""
    region = home_region(account.region)
    look = _Look(account.exchange())
    waiting, followed = deque([key_id]), {key_id}
    open_ends = [f"what it did in other regions than {region}, and in the last minutes"]
    while waiting:
        if not look.events_of(waiting.popleft(), max(since, clock.now() - KEPT_S)):
            open_ends.append(f"calls before {look.reached or 'the last page'}, as {look.why}")
            break
        new = [each for each in look.sessions if each not in followed][: SESSIONS + 1 - len(followed)]
        followed.update(new)
        waiting.extend(new)
    if not look.sessions.keys() <= followed:
        open_ends.append(f"what more than {SESSIONS} sessions that it began did")
    if since < clock.now() - KEPT_S:
        open_ends.append("what is longer ago than CloudTrail's 90 days")
    return MintedSince(f"CloudTrail in {region}", log=tuple(look.log), cannot_tell=tuple(open_ends))


class _Look:
    """One look, over as many keys as its pages allow."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange, self._pages = exchange, PAGES
        self.log: list[str] = []
        self.sessions: dict[str, None] = {}
        self.why = self.reached = ""

    def events_of(self, key_id: str, since: float) -> bool:
        """Read the events of one key; tell whether they are all there are. Raises where none at all could be read."""
        chosen = {
            "LookupAttributes": [{"AttributeKey": "AccessKeyId", "AttributeValue": key_id}],
            "StartTime": datetime.fromtimestamp(since, UTC),
        }
        more: dict[str, str] = {}
        while self._pages:
            try:
                page = self._exchange.read("cloudtrail", "lookup_events", **chosen, **more)
            except RotatorError as error:
                if self._pages == PAGES:
                    raise
                self.why = f"the look ended early ({error.reason})"
                return False
            self._pages -= 1
            for event in page["Events"]:
                self._keep(event)
            if not page.get("NextToken"):
                return True
            more = {"NextToken": page["NextToken"]}
        self.why = f"no more than {PAGES} pages are read; give the logs with --access"
        return False

    def _keep(self, event: dict[str, Any]) -> None:
        text = event.get("CloudTrailEvent")
        if not isinstance(text, str):
            return
        self.log.append(text)
        try:
            record = json.loads(text)
            self.reached = str(record["eventTime"])
            session = record["responseElements"]["credentials"]["accessKeyId"]
        except (ValueError, KeyError, TypeError):
            return
        if isinstance(session, str):
            self.sessions[session] = None

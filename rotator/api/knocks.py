"""How often somebody has knocked in vain: so many times a minute are answered as they are, then he is to wait."""

from __future__ import annotations

import ipaddress
import threading
import time
from collections import OrderedDict
from collections.abc import Callable

WINDOW_S = 60.0
_MOST_WHO = 10_000
"""Of so many it is remembered; of more, those are forgotten who have not knocked for longest."""


class Knocks:
    """Count those in vain of each, in windows of a minute; in this process alone."""

    def __init__(self, allowed: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._allowed, self._clock = allowed, clock
        self._of: OrderedDict[str, tuple[float, int]] = OrderedDict()
        self._changing = threading.Lock()

    def in_vain(self, who: str) -> float | None:
        """Count one; return how many seconds he is to wait, None while he need not."""
        now = self._clock()
        with self._changing:
            since, count = self._of.pop(who, (now, 0))
            if now - since >= WINDOW_S:
                since, count = now, 0
            self._of[who] = since, count + 1
            if len(self._of) > _MOST_WHO:
                self._of.popitem(last=False)
        return None if count < self._allowed else since + WINDOW_S - now


def neighbourhood(address: str) -> str:
    """Return the addresses that one sender commands with this one: of IPv6 a /64."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(found, ipaddress.IPv4Address):
        return address
    if found.ipv4_mapped is not None:  # as a proxy may write it: not all of IPv4 is one sender
        return str(found.ipv4_mapped)
    return str(ipaddress.ip_network(f"{address}/64", strict=False))

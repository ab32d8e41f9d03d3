"""Public keys and certificates of senders, fetched when a message names one that is not at hand, and kept for a day.

A stranger may name any: so of one sender few are fetched in a minute, one at a time, and the same address not again.
What is at hand he cannot take away: where only these limits stand against fetching it anew, it stays good for longer.
Nor can he hold up a new one by naming ever new ones: a true sender who is refused names his again at once, and what is
named again is fetched out of a number of its own.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Mapping

import httpx2

from rotator.families.punctual_network import OutOfTime, punctual
from rotator.ports.connection import CALL_DEADLINE_S, CONNECT_TIMEOUT_S, READ_TIMEOUT_S
from rotator.triggers.message import Refused

KEEP_S = 86400.0
LONGEST_S = 30 * KEEP_S
"""For how long a key is believed that is not fetched anew because others were asked for."""
AGAIN_S = 60.0
AT_MOST = 6
"""Addresses of one sender that are asked within AGAIN_S: of those named first, and of those named again."""
_REMEMBERED = 20_000
"""Addresses of one sender that were refused, of which it is known that they were named."""
_KEPT = 256
"""Keys of one sender that are kept, those used last: more than SNS has certificates in all its regions."""
_ANSWER_LIMIT = 256 * 1024


class PublicKeys:
    """The keys of all senders. Safe for many threads at once: who needs one that is at hand never waits."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._kept: dict[str, OrderedDict[str, tuple[float, str, bytes]]] = {}
        self._asked: dict[str, deque[tuple[float, str, bool]]] = {}
        self._refused: dict[str, OrderedDict[str, None]] = {}
        self._fetching: dict[str, threading.Lock] = {}
        self._changing = threading.Lock()

    def named(
        self, sender: str, name: str, address: str, keys_in: Callable[[bytes], Mapping[str, bytes]]
    ) -> dict[str, bytes]:
        """Return the key of that name, nothing when `address` does not have it.

        Raises Refused("not_ready") when it cannot be fetched now: a true sender comes again.
        """
        if (found := self._at_hand(sender, name, KEEP_S)) is not None:
            return {name: found}
        with self._changing:
            fetching = self._fetching.setdefault(sender, threading.Lock())
        try:
            self._begin(sender, address, fetching)
        except Refused:
            if (found := self._at_hand(sender, name, LONGEST_S)) is None:
                raise
            return {name: found}
        try:
            self._keep(sender, address, keys_in(fetched(address)))
        finally:
            fetching.release()
        found = self._at_hand(sender, name, KEEP_S)
        return {} if found is None else {name: found}

    def _at_hand(self, sender: str, name: str, within_s: float) -> bytes | None:
        with self._changing:
            kept = self._kept.get(sender, OrderedDict())
            if name not in kept or self._clock() - kept[name][0] >= within_s:
                return None
            kept.move_to_end(name)
            return kept[name][2]

    def _begin(self, sender: str, address: str, fetching: threading.Lock) -> None:
        """Take the only place for a fetch, and count it. Raises Refused when it is taken, or it is one too many."""
        if not fetching.acquire(blocking=False):
            self._remember(sender, address)
            raise Refused("not_ready", "another key is being fetched")
        try:
            self._note(sender, address)
        except Refused:
            fetching.release()
            self._remember(sender, address)
            raise

    def _note(self, sender: str, address: str) -> None:
        """Count a fetch. Raises Refused when it is one too many."""
        now = self._clock()
        asked = self._asked.setdefault(sender, deque())
        while asked and now - asked[0][0] >= AGAIN_S:
            asked.popleft()
        with self._changing:
            is_again = address in self._refused.get(sender, ())
        alike = sum(each == is_again for _, _, each in asked)
        if alike >= AT_MOST or any(each == address for _, each, _ in asked):
            raise Refused("not_ready", "its keys were asked for a moment ago")
        asked.append((now, address, is_again))

    def _remember(self, sender: str, address: str) -> None:
        with self._changing:
            refused = self._refused.setdefault(sender, OrderedDict())
            refused[address] = None
            if len(refused) > _REMEMBERED:
                refused.popitem(last=False)

    def _keep(self, sender: str, address: str, keys: Mapping[str, bytes]) -> None:
        """Keep what an address has; what it had before and has no more is not believed any longer."""
        now = self._clock()
        with self._changing:
            kept = self._kept.setdefault(sender, OrderedDict())
            for name in [name for name, (_, at, _) in kept.items() if at == address]:
                del kept[name]
            kept.update({name: (now, address, key) for name, key in keys.items()})
            while len(kept) > _KEPT:
                kept.popitem(last=False)


def fetched(address: str) -> bytes:
    """Return what stands at a public address. Raises Refused("not_ready") when it cannot be had now."""
    transport = httpx2.HTTPTransport(trust_env=False)
    network = punctual(transport)
    network.end_at(time.monotonic() + CALL_DEADLINE_S)
    timeout = httpx2.Timeout(READ_TIMEOUT_S, connect=CONNECT_TIMEOUT_S)
    try:
        with (
            httpx2.Client(transport=transport, timeout=timeout, follow_redirects=False, trust_env=False) as client,
            client.stream("GET", address) as answer,
        ):
            body = b""
            for part in answer.iter_bytes():
                body += part
                if len(body) > _ANSWER_LIMIT:
                    raise Refused("not_ready", "what stands at the address of its keys is too long")
    except (httpx2.HTTPError, httpx2.StreamError, httpx2.InvalidURL, OutOfTime) as error:
        raise Refused("not_ready", f"the address of its keys does not answer ({type(error).__name__})") from None
    if not answer.is_success:
        raise Refused("not_ready", f"the address of its keys answers {answer.status_code}")
    return body

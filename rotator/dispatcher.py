"""The dispatcher turns due rows of the ledger into messages, and frees what dead workers left behind.

Only one leads at a time. A leader, and a claim, has died when its heartbeat stood still for one lease on the
watcher's own monotonic clock, so that a clock that jumps does no harm.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping

import structlog

from rotator.flow.grants import next_window
from rotator.flow.planned import Lane
from rotator.flow.step import LEASE_S
from rotator.ledger.due import Claimed, DueWork

log = structlog.get_logger()

LEADER = "dispatcher"
CHORES_EVERY_S = 1.0
WINDOW = 64
"""Messages of a lane that wait for a worker at least: what is sent cannot be overtaken any more, so they are few."""
WIDEST = 1024


class Dispatcher:
    """Send due work. `send` gets a branch and its lane; `tick` is called again and again.

    Of each lane, `window` messages may wait for a worker: more as soon as workers run out of them between two ticks.
    """

    def __init__(self, due: DueWork, send: Callable[[str, str], None], name: str, window: int = WINDOW) -> None:
        self._due, self._send, self._name, self._least = due, send, name, window
        self._windows = dict.fromkeys(Lane, window)
        self._full: frozenset[Lane] = frozenset()
        self._watched: dict[str, tuple[Claimed, float]] = {}
        self._leader: tuple[str, int] | None = None
        self._leader_since = 0.0
        self._chores_at = float("-inf")

    def leads(self) -> bool:
        """Tell whether it led at its last tick."""
        return self._leader is not None and self._leader[0] == self._name

    def tick(self) -> int:
        """Do what is due now, if this dispatcher leads; return how many messages were sent."""
        now = time.monotonic()
        if now - self._chores_at >= CHORES_EVERY_S:
            self._chores_at = now
            self._due.keep_time()
            if self._leads(now):
                self._free_dead_claims(now)
                self._due.wake_leak_safe()
                self._due.wake_at_gates()
                self._due.wake_minting()
                self._due.open_waves()
                self._due.compare_late()
                self._due.forget_expired()
        if not self.leads():
            return 0
        unclaimed, some_lost = self._due.unclaimed()
        room = self._room(unclaimed)
        found = self._due.take_due(room, (LEADER, self._name))
        sent = Counter(lane for _, lane in found)
        # What was lost has vanished too, but nobody ran out of it.
        self._full = frozenset(lane for lane in Lane if sent[lane] >= room[lane] and not some_lost)
        for branch, lane in found:
            self._send(branch, lane)
        return len(found)

    def _room(self, unclaimed: Mapping[Lane, int]) -> dict[Lane, int]:
        """Return how many more messages each lane takes now: none while half of them are there, then all at once."""
        for lane in Lane:
            self._windows[lane] = next_window(
                self._windows[lane], unclaimed.get(lane, 0), self._least, WIDEST, was_full=lane in self._full
            )
        left = {lane: self._windows[lane] - unclaimed.get(lane, 0) for lane in Lane}
        return {lane: left[lane] if left[lane] * 2 >= self._windows[lane] else 0 for lane in Lane}

    def _leads(self, now: float) -> bool:
        waited = self._leader is not None and now - self._leader_since >= LEASE_S
        leader = self._due.lead(LEADER, self._name, self._leader if waited else None)
        if leader != self._leader:
            self._leader, self._leader_since = leader, now
        return leader[0] == self._name

    def _free_dead_claims(self, now: float) -> None:
        held = self._due.claims()
        self._watched = {
            claim.branch: (claim, since if known == claim else now)
            for claim in held
            for known, since in [self._watched.get(claim.branch, (claim, now))]
        }
        for claim, since in list(self._watched.values()):
            if now - since >= LEASE_S and self._due.free(claim):
                log.warning("claim_freed", branch=claim.branch)
                del self._watched[claim.branch]

    def resign(self) -> None:
        """Let another lead at once: this process ends. Without it, others would first watch a whole lease."""
        if self.leads():
            self._due.resign(LEADER, self._name)
            self._leader = None

    def take_over_alone(self) -> None:
        """Lead at once and free every claim: only for the one runtime that holds the ledger's file lock."""
        while self._due.lead(LEADER, self._name, self._leader)[0] != self._name:
            self._leader = self._due.lead(LEADER, self._name, self._leader)
        for claim in self._due.claims():
            self._due.free(claim)

"""The dispatcher turns due rows of the ledger into messages, and frees what dead workers left behind.

Only one leads at a time. A leader, and a claim, has died when its heartbeat stood still for one lease on the
watcher's own monotonic clock, so that a clock that jumps does no harm.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import structlog

from rotator.flow.step import LEASE_S
from rotator.ledger.due import Claimed, DueWork

log = structlog.get_logger()

BATCH = 1000
"""Branches sent at once; the rest follow in the next tick."""
LEADER = "dispatcher"
CHORES_EVERY_S = 1.0


class Dispatcher:
    """Send due work. `send` gets a branch and its lane; `tick` is called again and again."""

    def __init__(self, due: DueWork, send: Callable[[str, str], None], name: str) -> None:
        self._due, self._send, self._name = due, send, name
        self._watched: dict[str, tuple[Claimed, float]] = {}
        self._leader: tuple[str, int] | None = None
        self._leader_since = 0.0
        self._chores_at = float("-inf")

    def tick(self) -> int:
        """Do what is due now, if this dispatcher leads; return how many messages were sent."""
        now = time.monotonic()
        if now - self._chores_at >= CHORES_EVERY_S:
            self._chores_at = now
            if self._leads(now):
                self._free_dead_claims(now)
                self._due.wake_leak_safe()
                self._due.forget_expired()
        if self._leader is None or self._leader[0] != self._name:
            return 0
        found = self._due.take_due(BATCH)
        for branch, lane in found:
            self._send(branch, lane)
        return len(found)

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

    def take_over_alone(self) -> None:
        """Lead at once and free every claim: only for the one runtime that holds the ledger's file lock."""
        while self._due.lead(LEADER, self._name, self._leader)[0] != self._name:
            self._leader = self._due.lead(LEADER, self._name, self._leader)
        for claim in self._due.claims():
            self._due.free(claim)

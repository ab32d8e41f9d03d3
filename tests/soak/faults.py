"""What goes wrong, how often, and how often it did. One die decides, so a seed meets the same faults again."""

from __future__ import annotations

import random
from collections import Counter

from rotator.flow.step import LEASE_S

CALL = {
    "worker killed before a call": 0.0015,
    "worker killed after a call": 0.0015,
    "worker frozen before a call": 0.0010,
    "worker frozen after a call": 0.0010,
    "answer lost": 0.0060,
    "call refused": 0.0060,
    "call throttled": 0.0040,
}
LATE_MINT = CALL | {"worker frozen before a call": 0.003}
COMMIT = {
    "worker killed before a commit": 0.0010,
    "worker killed after a commit": 0.0010,
    "worker frozen before a commit": 0.0006,
    "worker frozen after a commit": 0.0006,
    "ledger down before a commit": 0.0008,
    "ledger down after a commit": 0.0008,
}
DISPATCH = {
    "dispatcher killed": 0.0015,
    "dispatcher frozen": 0.0015,
}
MESSAGE = {
    "message lost": 0.015,
    "message doubled": 0.020,
    "message late": 0.015,
}
NIGHTLY = {
    "issuer down": 0.5,
    "store down": 0.5,
    "consumer down": 0.5,
    "broker emptied": 0.5,
    "clock jumped ahead": 0.12,
    "clock jumped back": 0.12,
}
"""How likely each is in one night."""
PEOPLE = {
    "sibling made by a person": 0.004,
    "store changed by another hand": 0.004,
    "key resumed by a person": 0.010,
    "exposure dismissed": 0.030,
    "report added": 0.15,
    "incidents merged": 0.10,
    "held in another incident": 0.06,
    "vendor paused": 0.40,
    "vendor paused anew": 0.50,
}
"""How likely each is for one credential, one incident, or, of the vendor, one night or one restore."""
OF_THOSE = ("exposure opened again", "thief came back", "vendor paused again", "vendor restored")
KINDS = (*CALL, *COMMIT, *DISPATCH, *MESSAGE, *NIGHTLY, *PEOPLE, *OF_THOSE)

HEAVY = {"issuer.issue": 10.0, "store.stage": 4.0, "store.promote": 4.0, "issuer.end_sessions": 2.0}
"""Calls where a fault tells more than elsewhere."""


class Faults:
    """The die of one night. `weather` says how bad it is."""

    def __init__(self, seed: str) -> None:
        self.die = random.Random(seed)
        self.counts: Counter[str] = Counter()
        self.weather = {
            "kill": self.die.choice([0.3, 1.0, 3.0]),
            "froz": self.die.choice([0.3, 1.0, 3.0]),
            "rest": self.die.choice([0.3, 1.0, 2.0]),
        }

    def at_call(self, what: str) -> str | None:
        return self._draw(LATE_MINT if what == "issuer.issue" else CALL, HEAVY.get(what, 1.0))

    def at_commit(self) -> str | None:
        return self._draw(COMMIT)

    def at_dispatch(self) -> str | None:
        return self._draw(DISPATCH)

    def at_message(self) -> str | None:
        return self._draw(MESSAGE)

    def chance(self, probability: float) -> bool:
        """Throw once for something that is not a call; whoever does it counts it."""
        return self.die.random() < probability

    def count(self, kind: str) -> None:
        self.counts[kind] += 1

    def latency_s(self) -> float:
        """Return how long a call takes there, or back: seldom seconds."""
        return self.die.uniform(0.01, 0.1) if self.die.random() < 0.97 else self.die.uniform(1.0, 9.0)

    def freeze_s(self) -> float:
        """Return how long somebody is frozen: always longer than a lease, seldom hours."""
        if self.die.random() < 0.9:
            return self.die.uniform(LEASE_S + 1.0, 5 * LEASE_S)
        return self.die.uniform(600.0, 4 * 3600.0)

    def _draw(self, kinds: dict[str, float], weight: float = 1.0) -> str | None:
        thrown = self.die.random()
        for kind, rate in kinds.items():
            thrown -= rate * weight * self._badness(kind)
            if thrown < 0:
                self.counts[kind] += 1
                return kind
        return None

    def _badness(self, kind: str) -> float:
        return next((worse for name, worse in self.weather.items() if name in kind), self.weather["rest"])

"""How often what came of what, as /metrics tells; since this process began."""

from __future__ import annotations

import threading
from collections import Counter


class Counts:
    """Counts by two labels, whose values are words of ours, so that no stranger can make more of them."""

    def __init__(self, name: str, labels: tuple[str, str]) -> None:
        self._name, self._labels = name, labels
        self._counts: Counter[tuple[str, str]] = Counter()
        self._changing = threading.Lock()

    def add(self, first: str, second: str) -> None:
        """Count one."""
        with self._changing:
            self._counts[first, second] += 1

    def lines(self) -> list[str]:
        """Return them in the Prometheus text format."""
        with self._changing:
            counts = sorted(self._counts.items())
        one, other = self._labels
        told = [f'{self._name}{{{one}="{first}",{other}="{second}"}} {count}' for (first, second), count in counts]
        return [f"# TYPE {self._name} counter", *told]

"""How often what came of the messages of each sender, as /metrics tells; since this process began."""

from __future__ import annotations

import threading
from collections import Counter


class Counts:
    """Counts by sender and outcome. Both are words of ours, so that no stranger can make more of them."""

    def __init__(self) -> None:
        self._counts: Counter[tuple[str, str]] = Counter()
        self._changing = threading.Lock()

    def add(self, sender: str, outcome: str) -> None:
        """Count one."""
        with self._changing:
            self._counts[sender, outcome] += 1

    def lines(self) -> list[str]:
        """Return them in the Prometheus text format."""
        with self._changing:
            counts = sorted(self._counts.items())
        return [
            "# TYPE rotator_triggers_total counter",
            *(
                f'rotator_triggers_total{{sender="{sender}",outcome="{outcome}"}} {count}'
                for (sender, outcome), count in counts
            ),
        ]

"""What the doctor found: whether it is well, what it is, and how it is mended."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at."""

    well: bool
    what: str
    mend: str = ""
    warns: bool = False
    """Whether it is well now, and will not be if nobody does anything."""
    aside: bool = False
    """Whether it is no trouble and does not work either: it may not be meant."""

    @property
    def mark(self) -> str:
        """Return how its line begins."""
        if not self.well:
            return "BAD"
        return "WARN" if self.warns else "-- " if self.aside else "ok "

    @property
    def data(self) -> dict[str, Any]:
        """Return it as plain data: `state` is ok, warn, aside or bad."""
        state = "bad" if not self.well else "warn" if self.warns else "aside" if self.aside else "ok"
        return {"state": state, "what": self.what, "mend": self.mend}

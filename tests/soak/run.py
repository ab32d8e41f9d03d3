"""Play the nights, add them up, and say what was found."""

from __future__ import annotations

import io
import re
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping
from functools import partial
from multiprocessing import get_context
from pathlib import Path

from rotator import logs
from rotator.ledger.database import Database
from tests import ledgers_at_once
from tests.fakes.deployment import emptied, sqlite
from tests.soak.checker import COUNTS, Found, checked
from tests.soak.faults import KINDS
from tests.soak.night import Night

PER_NIGHT = 5
MOST_HELD = 0.05
PROCESSES = 2
ENOUGH = 100
"""From so many incidents on, a kind of fault that was never met is suspicious."""


def nights(incidents: int, each: int = PER_NIGHT) -> list[range]:
    """Return the incidents of each night, numbered from 1."""
    return [range(first, min(first + each, incidents + 1)) for first in range(1, incidents + 1, each)]


LOG = io.StringIO()
"""What the product logs in this process; its loggers keep the first one they are given."""


class Player:
    """One process: a ledger that is emptied after each night, and the log of the product."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "ledger.db"
        self.database: Database = sqlite(self.path)
        kept, sys.stderr = sys.stderr, LOG
        try:
            logs.configure()
        finally:
            sys.stderr = kept

    def play(self, seed: str, incidents: range) -> tuple[Found, Night]:
        """Play one night and look at what is true after it."""
        LOG.seek(0)
        LOG.truncate()
        night = Night(f"{seed}/{incidents.start}", emptied(self.database), incidents)
        night.play()
        found = checked(night, self.path, LOG.getvalue())
        night.dismiss()
        return found, night


def _play_some(seed: str, some: list[range]) -> Found:
    with tempfile.TemporaryDirectory() as folder:
        player, found = Player(Path(folder)), Found()
        for incidents in some:
            found.add(player.play(seed, incidents)[0])
        player.database.close()
    return found


def soak(seed: str, incidents: int, processes: int = PROCESSES) -> Found:
    """Play all nights, shared among processes; the sum is the same however many these are."""
    todo, found = nights(incidents), Found()
    if processes == 1:
        return _play_some(seed, todo)
    ledgers_at_once.made()  # once, and not in each fork
    with get_context("fork").Pool(processes) as pool:
        for part in pool.imap(partial(_play_some, seed), [[each] for each in todo], chunksize=1):
            found.add(part)
    return found


def lines(seed: str, found: Found) -> Iterator[str]:
    """Say it: denominators first, one line per count last."""
    totals = found.totals
    credentials, steps = totals["credentials"], totals["steps"]
    yield f"seed: {seed}"
    for name in sorted(totals):
        if name not in {"held", "credentials", "incidents", "steps"}:
            yield f"{name}: {totals[name]:,}"
    for kind in KINDS:
        yield f"fault, {kind}: {found.faults[kind]:,}"
    yield f"faults: {sum(found.faults.values()):,} of {len(KINDS)} kinds"
    for why, times in sorted(_grouped(found.held).items(), key=lambda each: (-each[1], each[0])):
        yield f"  held, {why}: {times:,}"
    yield f"incidents: {totals['incidents']:,}"
    yield f"credentials: {credentials:,}"
    yield f"steps: {steps:,}"
    yield f"held: {totals['held']:,} of {credentials:,} credentials, at most {MOST_HELD:.0%}"
    of = {
        "live exposed": f"{credentials:,} credentials",
        "orphans": f"{totals['credentials minted']:,} credentials minted",
        "lost": f"{credentials:,} credentials, {totals['records of evidence']:,} records of evidence",
        "doubled": f"{steps:,} steps",
        "secrets found outside": f"{totals['bytes searched']:,} bytes searched",
    }
    for count in COUNTS:
        yield f"{count}: {sum(each[0] == count for each in found.wrong):,} of {of[count]}"


def complaints(found: Found) -> Iterator[str]:
    """Say why a soak failed, one line each."""
    for count, incident, what in sorted(found.wrong):
        yield f"{count}, incident {incident.removeprefix('inc-')}: {what}"
    if found.totals["held"] > MOST_HELD * found.totals["credentials"]:
        yield "more was held than may be"
    if found.totals["incidents"] < ENOUGH:
        return
    for kind in KINDS:
        if not found.faults[kind]:
            yield f"no fault of this kind was met: {kind}"
    for name in ("credentials", "steps", "credentials minted", "late calls that landed", "claims lost"):
        if not found.totals[name]:
            yield f"{name}: none, so nothing was tried"


def _grouped(held: Mapping[str, int]) -> Counter[str]:
    """Count reasons without the names in them."""
    grouped: Counter[str] = Counter()
    for why, times in held.items():
        grouped[
            re.sub(r"KEY\d+|inc-[\d.r]+|by-hand-\d+|owner-[\d-]+|v\d+|[0-9a-f]{32}|http://\S+|web-\d", "…", why)[:110]
        ] += times
    return grouped

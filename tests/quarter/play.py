"""Ninety days on the product's own parts: decided, sent and advanced as a dispatcher and a worker do, and signed.

The process goes by the town's clock. Minutes in which no window is open and nothing is due are passed over.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import itertools
import logging
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import func, or_, select
from structlog.testing import capture_logs

from rotator import clock, discovery, hygiene
from rotator.clock import SteadyClock
from rotator.flow.hygiene import window
from rotator.flow.run import BranchState
from rotator.ledger import tables, why_stopped
from rotator.shown.hygiene import policies
from tests.fakes.deployment import sqlite
from tests.quarter.estate import CONFIGURATION, DAY_S, MANY_MACHINES, POLICIES, Company, Estate
from tests.quarter.world import Town

BEGINS = datetime(2026, 7, 1, tzinfo=UTC).timestamp()
MINUTE_S = 60.0
SIGN_S = DAY_S / 4
DISCOVER_S = 7 * DAY_S
WHOLE = 90
"""Of so many days are the dates of what happens; in a shorter form all of it comes sooner."""
DOWN = (34.25, 36.25)
"""From which day until which nothing of the rotator ran."""
_WATCHFUL_S = 3 * 3600.0
"""For so long after something happened the clock goes by what is due, to the second, and not by minutes."""
_branch, _gate = tables.branch, tables.gate
_NEXT_DUE = select(func.min(_branch.c.due_at)).where(
    or_(_branch.c.state == BranchState.OPEN.value, _branch.c.state == BranchState.HELD.value),
    _branch.c.due_at.is_not(None),
    _branch.c.holder.is_(None),
    why_stopped.of_branch().is_(None),
)


@contextlib.contextmanager
def going_by(now: Callable[[], float]) -> Iterator[None]:
    """Let this process, with all who took its clock before, go by another until the block ends."""
    before = dict(clock.now.__dict__)
    clock.now.__dict__.update(SteadyClock(now, now).__dict__)
    try:
        yield
    finally:
        clock.now.__dict__.update(before)


@contextlib.contextmanager
def heard() -> Iterator[list[str]]:
    """Give what the product logs as a warning or worse, until the block ends."""
    found: list[str] = []

    class Keep(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            found.append(record.getMessage())

    keep, log = Keep(logging.WARNING), logging.getLogger("rotator")
    log.addHandler(keep)
    try:
        with capture_logs() as entries:
            yield found
        found += [str(each) for each in entries if each["log_level"] in {"warning", "error", "critical"}]
    finally:
        log.removeHandler(keep)


class Quarter:
    """A company and its quarter, in which things happen `at` their day; on PostgreSQL at `url`, or in a file.

    `ages` are how old access keys may be at first, and by the policy that comes in the middle.
    """

    def __init__(  # noqa: PLR0917 - what a quarter is
        self,
        folder: Path,
        seed: str,
        size: int,
        days: int = WHOLE,
        ages: tuple[str, str] = ("180d", "150d"),
        url: str = "",
    ) -> None:
        self.folder, self.seed, self.size, self.days = folder, seed, size, days
        self.begins, self.ends = BEGINS, BEGINS + days * DAY_S
        self.world = Town(BEGINS, seed)
        self.estate = Estate(self.world, seed, size)
        self.at_once = max(2, size // 400)
        folder.mkdir(parents=True, exist_ok=True)
        ledger = url or f"sqlite:///{folder / 'data' / 'ledger.db'}"
        (folder / "rotator.toml").write_text((MANY_MACHINES if url else "") + CONFIGURATION.format(url=ledger))
        for name in ("seal", "signing"):
            (folder / f"{name}.key").write_text(base64.b64encode(hashlib.sha256(name.encode()).digest()).decode())
        self.ages = ages
        self.agree(ages[0])
        self.parts = Company(folder, self.estate)
        if not url:
            self.parts.seal  # noqa: B018 - the key file comes before the ledger that is sealed with it
            self.parts.__dict__["database"] = sqlite(folder / "data" / "ledger.db")
        self._ahead = hygiene.Outlook(self.parts)
        self.starts: dict[int, int] = {}
        self.decided = self.open_minutes = 0
        self._agenda: list[tuple[float, int, Callable[[], None]]] = []
        self._numbers = itertools.count()
        self._watched_until = 0.0

    def agree(self, keys_age: str) -> None:
        """Write the policies, by which access keys may be so old."""
        (self.folder / "hygiene.yaml").write_text(POLICIES.format(keys_age=keys_age, at_once=self.at_once))

    def at(self, day: float, what: Callable[[], None]) -> None:
        """Let something happen on a day, counted from 0."""
        self.after(self.at_day(day) - self.world.now(), what)

    def at_day(self, day: float) -> float:
        """Return the moment of one of the ninety days, in epoch seconds."""
        return self.begins + day * DAY_S * self.days / WHOLE

    def after(self, seconds: float, what: Callable[[], None]) -> None:
        """Let something happen so much later."""
        self._agenda.append((self.world.now() + seconds, next(self._numbers), what))
        self._agenda.sort()

    def again_and_again(self, every_s: float, what: Callable[[], None]) -> None:
        """Let something happen now, and again for as long as the quarter lasts; not while all is down."""

        def happen() -> None:
            if not self.is_down:
                what()
            if self.world.now() + every_s < self.ends:
                self.after(every_s, happen)

        self.after(0.0, happen)

    @property
    def is_down(self) -> bool:
        """Tell whether nothing of the rotator runs."""
        return self.was_down(self.world.now())

    def was_down(self, at: float) -> bool:
        """Tell whether nothing of the rotator ran at a moment."""
        return self.at_day(DOWN[0]) <= at < self.at_day(DOWN[1])

    def play(self) -> None:
        """Let the quarter pass."""
        parts = self.parts
        parts.inventory.take(self.estate.said(self.estate.planted), "ann")
        self.again_and_again(DISCOVER_S, self.discover)
        self.again_and_again(SIGN_S, self.sign)
        while self.world.now() < self.ends:
            self._happen()
            if self.is_down:
                self._wait_until(min([self.at_day(DOWN[1]), *(at for at, _, _ in self._agenda[:1])]))
                continue
            self._decide()
            self.work()
            self._wait_until(self._next())
        self.sign()

    def discover(self) -> None:
        """Ask every issuer what there is, and keep it."""
        for each in self.parts.connections:
            discovery.kept(self.parts, discovery.discovered(self.parts, each.name))

    def sign(self) -> None:
        """Sign what has grown of the evidence."""
        key = self.parts.settings.signing_key()
        assert key is not None
        _, altered = self.parts.checkpoints.sign(key)
        assert altered == []

    def waiting_for_destruction(self) -> list[str]:
        """Return the hygiene whose old credentials are stopped and wait for somebody's yes to their end."""
        of_hygiene = _gate.c.incident.in_(select(tables.hygiene.c.incident))
        query = select(_gate.c.incident).where(_gate.c.name.startswith("destruction"), _gate.c.open == 0, of_hygiene)
        with self.parts.database.read() as connection:
            return sorted(set(connection.execute(query).scalars()))

    def _happen(self) -> None:
        while self._agenda and self._agenda[0][0] <= self.world.now():
            _, _, what = self._agenda.pop(0)
            what()

    def watch(self) -> None:
        """Look closely for a while."""
        self._watched_until = self.world.now() + _WATCHFUL_S

    def _decide(self) -> None:
        now = self.world.now()
        self.decided += 1
        self.open_minutes += now % MINUTE_S == 0.0 and any(window(each, now) for each in policies(self.parts))
        for each in hygiene.run(self.parts, now, self._ahead):
            runs = int(each.title.rpartition(", ")[2].split()[0])
            minute = int((now - self.begins) // MINUTE_S)
            self.starts[minute] = self.starts.get(minute, 0) + runs

    def work(self) -> None:
        """Send and advance what is due, until nothing is."""
        due, engine = self.parts.due, self.parts.engine
        while True:
            due.wake_leak_safe()
            due.wake_at_gates()
            due.wake_minting()
            due.open_waves()
            due.compare_late()
            found = due.take_due(200)
            if not found:
                due.forget_expired()
                return
            for branch, _lane in found:
                engine.advance(branch)

    def _next(self) -> float:
        """Return when something is to be done next."""
        now = self.world.now()
        with self.parts.database.read() as connection:
            due = connection.execute(_NEXT_DUE).scalar()
        soon = self.ends if due is None else max(due, now)
        if now > self._watched_until:
            soon = self._minute(soon)
        agenda = self._agenda[0][0] if self._agenda else self.ends
        return min(soon, agenda, self._next_open(now))

    def _next_open(self, now: float) -> float:
        """Return the next minute in which some policy's window is open: it is decided in each."""
        found = self.ends
        for each in policies(self.parts):
            at = self._minute(now + 1.0)
            opens = at if window(each, at) is not None else each.timetable.after(now, each.zone)
            found = min(found, self.ends if opens is None else opens)
        return found

    def _minute(self, moment: float) -> float:
        return -(-moment // MINUTE_S) * MINUTE_S

    def _wait_until(self, moment: float) -> None:
        self.world.wait_until(min(moment, self.ends))

"""Exercises: what is agreed to be practised, and when. How a drill of one came out: `drill.py`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import tzinfo
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    # Only named: every command reads a configuration that may have exercises.
    from rotator.flow.playbook_words import Strategy
    from rotator.flow.scope import ConsumerAddress
    from rotator.flow.timetable import Timetable
    from rotator.ports.store import Place


class Trigger(StrEnum):
    """How a canary leaks."""

    SCANNER = "scanner"
    ALARM = "alarm"
    ADVISORY = "advisory"
    MANUAL = "manual"


class Outcome(StrEnum):
    """How a drill ended. Abandoned: nothing was answered, as its own process ended or was refused before."""

    PROVEN = "proven"
    STATED = "stated"
    OPEN = "open"
    ABANDONED = "abandoned"


@dataclass(frozen=True, slots=True)
class Schedule:
    """When an exercise is held: once in each window, until it `expires` (epoch seconds), agreed to by somebody."""

    timetable: Timetable
    window_s: float
    zone: tzinfo
    approved_by: str
    expires: float


@dataclass(frozen=True, slots=True)
class Exercise:
    """What is practised: `count` canaries of one kind, minted for `owners` in turn, and what answers them.

    `like` is the id of a credential of theirs as which they are made, "" where its kind needs none. `deliver` and
    `consumers` are the drill's own: what an inventory says of others is not used.
    """

    name: str
    connection: str
    kind: str
    owners: tuple[str, ...]
    trigger: Trigger = Trigger.SCANNER
    count: int = 1
    like: str = ""
    strategy: Strategy | None = None
    deliver: tuple[Place, ...] = ()
    consumers: tuple[ConsumerAddress, ...] = ()
    page: bool = False
    schedule: Schedule | None = None


def opened(schedule: Schedule, last: float | None, now: float) -> float | None:
    """Return when the window opened in which a drill is due now; None where none is, or one began in it by now."""
    at = schedule.timetable.before(now, schedule.zone)
    if at is None or now >= at + schedule.window_s or now > schedule.expires:
        return None
    return at if last is None or last < at else None

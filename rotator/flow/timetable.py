"""Timetables: when a window opens, as five fields of cron in a time zone, and for how long.

The clock on the wall counts: where it is put forward, a moment that is skipped comes as much later; where it is put
back, a moment that comes twice opens its window the first time alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_WEEKDAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_FIELDS: tuple[tuple[str, int, int, tuple[str, ...]], ...] = (
    ("minute", 0, 59, ()),
    ("hour", 0, 23, ()),
    ("day of the month", 1, 31, ()),
    ("month", 1, 12, _MONTHS),
    ("day of the week", 0, 7, _WEEKDAYS),
)
_PART = re.compile(r"(\*|[0-9]{1,2}|[a-z]{3})(?:-([0-9]{1,2}|[a-z]{3}))?(?:/([0-9]{1,2}))?")
_DAYS = 8 * 366
"""How far is looked for a day: 29 February is eight years apart at most."""


@dataclass(frozen=True, slots=True)
class Timetable:
    """What a line of cron says. Where days of the month and of the week are both limited, either is enough."""

    text: str
    times: tuple[tuple[int, int], ...]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]
    either: bool

    def before(self, now: float, zone: tzinfo) -> float | None:
        """Return when it opened last, `now` included, in epoch seconds; None where it never does."""
        return self._first(now, zone, -1)

    def after(self, now: float, zone: tzinfo) -> float | None:
        """Return when it opens next, `now` excluded, in epoch seconds; None where it never does."""
        return self._first(now, zone, 1)

    def _first(self, now: float, zone: tzinfo, step: int) -> float | None:
        try:
            today = datetime.fromtimestamp(now, zone).date()
            for number in range(_DAYS):
                day = today + timedelta(days=step * number)
                if not self._has(day):
                    continue
                found = [at for at in self._of(day, zone) if (at <= now if step < 0 else at > now)]
                if found:
                    return max(found) if step < 0 else min(found)
        except (OverflowError, ValueError):  # there is no date: issuers say of what never ends that it does in 9999
            return None
        return None

    def _has(self, day: date) -> bool:
        if day.month not in self.months:
            return False
        in_month, in_week = day.day in self.days, day.isoweekday() % 7 in self.weekdays
        return in_month or in_week if self.either else in_month and in_week

    def _of(self, day: date, zone: tzinfo) -> Iterator[float]:
        for hour, minute in self.times:
            yield datetime(day.year, day.month, day.day, hour, minute, tzinfo=zone).astimezone(UTC).timestamp()


def timetable(text: str) -> Timetable:
    """Read five fields of cron. Raises ValueError, in words, for what is none."""
    fields = text.lower().split()
    if len(fields) != len(_FIELDS):
        raise ValueError(f"`{text}` has {len(fields)} fields: minute, hour, day, month, day of the week")
    minutes, hours, days, months, weekdays = (
        _field(given, *field) for given, field in zip(fields, _FIELDS, strict=True)
    )
    found = Timetable(
        text=text,
        times=tuple((hour, minute) for hour in sorted(hours) for minute in sorted(minutes)),
        days=days,
        months=months,
        weekdays=frozenset(each % 7 for each in weekdays),
        either=not fields[2].startswith("*") and not fields[4].startswith("*"),
    )
    if found.after(0.0, UTC) is None:
        raise ValueError(f"`{text}` never comes: no such month has that day")
    return found


def _field(text: str, name: str, least: int, most: int, names: tuple[str, ...]) -> frozenset[int]:
    found: set[int] = set()
    for part in text.split(","):
        match = _PART.fullmatch(part)
        if match is None:
            raise ValueError(f"`{part}` is no {name}: write *, a number, 1-5, */2 or a list of those")
        first, last, every = match[1], match[2], int(match[3] or 1)
        if every == 0 or (first == "*" and last):
            raise ValueError(f"`{part}` is no {name}")
        start = least if first == "*" else _number(first, name, least, most, names)
        end = most if first == "*" or (match[3] and last is None) else start
        end = _number(last, name, least, most, names) if last else end
        if end < start:
            raise ValueError(f"`{part}` goes backwards: write {end}-{most} and {least}-{start} as a list")
        found.update(range(start, end + 1, every))
    return frozenset(found)


def _number(text: str, name: str, least: int, most: int, names: tuple[str, ...]) -> int:
    found = (
        int(text) if text.isdigit() else names.index(text) + (least if names is _MONTHS else 0) if text in names else -1
    )
    if not least <= found <= most:
        raise ValueError(f"`{text}` is no {name}: {least} to {most}{f', or {names[0]} …' if names else ''}")
    return found

"""Drills: how one came out, and whether it was slower than it should be. What is practised: `exercise.py`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from statistics import median
from typing import Any

from rotator.flow.exercise import Outcome
from rotator.flow.response import CLOCKS, Response, spans, times

PROVEN_DEAD = CLOCKS["proven_dead"]
_LAST, _ENOUGH, _WORSE = 10, 3, 2.0
"""Over how many of the latest times the median is taken, how many there must be, and how much longer is worse."""


def outcome(responses: Sequence[Response]) -> Outcome:
    """Return how a drill came out: as its worst canary did."""
    if not responses:
        return Outcome.ABANDONED
    if any(each.dead_at is None and not each.stated for each in responses):
        return Outcome.OPEN
    return Outcome.STATED if any(each.stated for each in responses) else Outcome.PROVEN


def took_s(each: Response) -> float | None:
    """Return the seconds from detection to proven death, None where it was not proven."""
    return None if each.dead_at is None else max(each.dead_at - each.detected_at, 0.0)


def slow(responses: Sequence[Response], earlier: Iterable[Response], target_s: float | None) -> list[str]:
    """Say which of these died too late: later than the target, or than twice the median of the last of its provider.

    What no machine can prove dead, or of which nobody leaked the material, is not held against either.
    """
    before: dict[str, list[float]] = {}
    for each in sorted(earlier, key=lambda one: one.detected_at):
        if (seconds := took_s(each)) is not None:
            before.setdefault(each.provider, []).append(seconds)
    return [why for each in responses if (why := _slow(each, before.get(each.provider, []), target_s))]


def _slow(each: Response, before: Sequence[float], target_s: float | None) -> str:
    if each.stated:
        return ""
    seconds = took_s(each)
    if seconds is None:
        return f"{each.provider} {each.credential} was not proven dead"
    told = f"{each.provider} {each.credential} took {seconds:.1f} s to proven dead"
    if target_s is not None and seconds > target_s:
        return f"{told}, and the target is {target_s:g} s"
    usual = median(before[-_LAST:]) if len(before) >= _ENOUGH else None
    if usual is not None and seconds > _WORSE * usual:
        return f"{told}, and the last {len(before[-_LAST:])} took {usual:.1f} s in the middle"
    return ""


def week(at: float) -> str:
    """Return the ISO week of a moment, UTC: 2026-W48."""
    year, number, _ = datetime.fromtimestamp(at, UTC).isocalendar()
    return f"{year}-W{number:02}"


def trend(responses: Iterable[Response], now: float) -> list[Mapping[str, Any]]:
    """Return, for each provider and ISO week, how many canaries there were and how long they lived, in seconds.

    What was never proven dead counts as open still, as `flow/survival.py` has it; `worst` is the incident in which one
    lived longest.
    """
    groups: dict[tuple[str, str], list[Response]] = {}
    for each in responses:
        groups.setdefault((each.provider, week(each.declared_at)), []).append(each)
    return [_of_week(provider, name, of, now) for (provider, name), of in sorted(groups.items())]


def readiness(responses: Sequence[Response], now: float) -> Mapping[str, Any]:
    """Return what the drills of a period measured: every clock, but of what is dead by its issuer's word alone."""
    measured = [each for each in responses if not each.stated]
    return {
        "drills": len({each.incident for each in responses}),
        "canaries": len(responses),
        "stated": len(responses) - len(measured),
        "clocks": {name: times(spans(clock, measured, now)) for name, clock in CLOCKS.items()},
        "trend": trend(responses, now),
    }


def _of_week(provider: str, name: str, of: Sequence[Response], now: float) -> Mapping[str, Any]:
    measured = [each for each in of if not each.stated]
    found = times(spans(PROVEN_DEAD, measured, now))
    lasted = [(took_s(each), each.incident) for each in measured]
    still = sorted(incident for seconds, incident in lasted if seconds is None)
    ended = [(seconds, incident) for seconds, incident in lasted if seconds is not None]
    return {
        "provider": provider,
        "week": name,
        "drills": len({each.incident for each in of}),
        "canaries": len(of),
        "stated": len(of) - len(measured),
        **{key: found[key] for key in ("ended", "open", "p50_s", "p95_s", "max_s")},
        "worst": still[0] if still else max(ended)[1] if ended else None,
    }

"""The survival curve: how many exposed credentials were not proven dead, from moment to moment, as an SVG.

Its markup carries no style, so that a page under a strict policy may hold it: classes, and attributes that any style
overrules, for what prints an image without its page's style. `STYLE` is for a file that stands alone. Each line has a
dash pattern and a number of its own, as nobody may depend on colours.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from rotator.report.clocks import moment
from rotator.report.lives import Line
from rotator.report.plain import plain

_WIDTH, _HEIGHT = 720, 280
_LEFT, _RIGHT, _TOP, _BOTTOM = 64, 16, 14, 34
_STEPS_S = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 21600, 43200, 86400)
_DAY_S = 86400
_TICKS = 5
_POINTS = 400
"""How many steps of a line are drawn at most: one more would be narrower than a line is thick."""

_LOOKS = (
    'stroke="#1b1d21" stroke-width="3"',
    'stroke="#2563a8" stroke-width="2" stroke-dasharray="8 3"',
    'stroke="#a2560c" stroke-width="2" stroke-dasharray="2 3"',
    'stroke="#6d3fa6" stroke-width="2" stroke-dasharray="10 3 2 3"',
    'stroke="#19704e" stroke-width="2" stroke-dasharray="5 5"',
    'stroke="#a32d62" stroke-width="2" stroke-dasharray="14 4"',
    'stroke="#5d6470" stroke-width="2" stroke-dasharray="1 4"',
)
STYLE = """
.curve { display: block; width: 100%; height: auto; max-width: 760px; }
.curve text { fill: var(--ink); font: 12px system-ui, sans-serif; font-variant-numeric: tabular-nums; }
.curve-grid { stroke: var(--line); } .curve-0 { stroke: var(--ink); }
.curve-key { display: inline-block; width: 34px; height: 8px; vertical-align: middle; }
"""


def svg(lines: Sequence[Line], until: float) -> str:
    """Return the curve up to a moment in epoch seconds. The first line is the whole; there are COLOURS more at most."""
    begun = min((each.points[0][0] for each in lines if each.points), default=until)
    span = max(until - begun, 1.0)
    most = max((count for each in lines for _, count in each.points), default=0)
    drawn = [_drawn(number, each, begun, span, max(most, 1)) for number, each in reversed([*enumerate(lines)])]
    return (
        f'<svg class="curve" role="img" viewBox="0 0 {_WIDTH} {_HEIGHT}" font-size="12" font-family="sans-serif" '
        f'aria-label="{escape(told(lines, until))}">'
        f"{_counts(most)}{_times(begun, span)}{''.join(drawn)}</svg>"
    )


def key(number: int) -> str:
    """Return the sample of a line that stands before its name."""
    return (
        '<svg class="curve-key" width="34" height="8" viewBox="0 0 34 8" aria-hidden="true">'
        f'<path class="curve-line curve-{number}" fill="none" {_LOOKS[number]} d="M0 4H34"/></svg>'
    )


def told(lines: Sequence[Line], until: float) -> str:
    """Return the curve in words, for who cannot see it."""
    whole = lines[0] if lines else Line("", ())
    if not whole.points:
        return "No credential is known yet."
    most = max(count for _, count in whole.points)
    begun = moment(whole.points[0][0])[:19]
    now = f"{whole.at(until):,} at {moment(until)[:19]}Z"
    return f"Exposed credentials not proven dead: at most {most:,} since {begun}Z, {now}."


def rows(lines: Sequence[Line], until: float, most: int = 12) -> list[tuple[str, list[int]]]:
    """Return the curve as a table: moments, ISO 8601 in UTC, and how many of each line lived then."""
    every = sorted({at for each in lines for at, _ in each.points if at <= until} | {until})
    last = len(every) - 1
    shown = every if len(every) <= most else [every[last * number // (most - 1)] for number in range(most)]
    return [(moment(at), [each.at(at) for each in lines]) for at in shown]


def _drawn(number: int, each: Line, begun: float, span: float, most: int) -> str:
    if not each.points:
        return ""
    path, level = [], None
    for x, count in _thinned(each, begun, span):
        y = _y(count, most)
        path.append(f"M{x:g} {y:g}" if level is None else f"H{x:g}" + (f"V{y:g}" if y != level else ""))
        level = y
    path.append(f"H{_WIDTH - _RIGHT}")
    name = escape(plain(each.name))
    looks = f'class="curve-line curve-{number}" fill="none" {_LOOKS[number]}'
    return f'<path {looks} d="{"".join(path)}"><title>{name}</title></path>'


def _thinned(each: Line, begun: float, span: float) -> list[tuple[float, int]]:
    """Return where its steps are drawn, of those that fall on one place the last."""
    wide = _WIDTH - _LEFT - _RIGHT
    found: dict[float, int] = {}
    for at, count in each.points:
        if at > begun + span:
            break
        share = round((at - begun) / span * _POINTS) / _POINTS if len(each.points) > _POINTS else (at - begun) / span
        found[round(_LEFT + share * wide, 1)] = count
    return [*found.items()]


def _y(count: float, most: int) -> float:
    return round(_HEIGHT - _BOTTOM - count / most * (_HEIGHT - _TOP - _BOTTOM), 1)


def _counts(most: int) -> str:
    """Return the lines of the grid with their counts: from none to the most, in whole numbers."""
    top = max(most, 1)
    found = sorted({0, top, *(round(top * part / 4) for part in (1, 2, 3) if top >= 4)})  # noqa: PLR2004
    return "".join(
        f'<path class="curve-grid" stroke="#d9dce2" d="M{_LEFT} {_y(each, top):g}H{_WIDTH - _RIGHT}"/>'
        f'<text x="{_LEFT - 8}" y="{_y(each, top) + 4:g}" text-anchor="end">{each:,}</text>'
        for each in found
    )


def _times(begun: float, span: float) -> str:
    """Return the times below, counted from the first detection."""
    days = (_DAY_S * each for each in (2, 5, 10, 30, 100, 365))
    step = next((each for each in (*_STEPS_S, *days) if span / each <= _TICKS), span / _TICKS)
    wide, found = _WIDTH - _LEFT - _RIGHT, []
    for number in range(int(span / step) + 1):
        x = _LEFT + number * step / span * wide
        anchor = "start" if number == 0 else "end" if x > _WIDTH - _RIGHT - 24 else "middle"
        text = moment(begun)[11:19] + "Z" if number == 0 else _after(number * step)
        found.append(f'<path class="curve-grid" stroke="#d9dce2" d="M{x:.1f} {_HEIGHT - _BOTTOM}v5"/>')
        found.append(f'<text x="{x:.1f}" y="{_HEIGHT - 10}" text-anchor="{anchor}">{text}</text>')
    return "".join(found)


def _after(seconds: float) -> str:
    for unit, size in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= size and seconds % (size / 2) == 0:
            return f"+{seconds / size:g} {unit}"
    return f"+{seconds:g} s"

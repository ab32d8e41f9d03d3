"""Read the JSON of leakkill 0.8 (`leakkill scan --json`, `verify --json`): places, and whether each secret lives.

It shows no secret beyond its first four letters, and has no option to: each place is a task for a person.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from rotator.credential import Leaked
from rotator.flow.exposure import Exposure
from rotator.intake.fields import mapping, word
from rotator.intake.json_pieces import elements
from rotator.intake.report import Head, Report
from rotator.intake.shapes import untold

SOURCE = "leakkill"
DESCRIPTION = "leakkill (JSON: places alone)"

_SAYS = {"LIVE": "active", "DEAD": "inactive"}
_PLACE = re.compile(r"(?:(?P<commit>[0-9a-f]{7,64}):)?(?P<path>.*):(?P<line>\d{1,9})", re.DOTALL)


def claims(head: Head) -> bool:
    """Tell whether this is such a report."""
    return head.opens == "[" and {"type", "value", "status", "locations"} <= head.keys


def exposures(report: Report) -> Iterator[Exposure]:
    """Yield one exposure for each place. Raises BadInput where the report is damaged."""
    for ordinal, value in enumerate(elements(report), start=1):
        finding = mapping(value)
        rule, places = word(finding, "type"), finding.get("locations")
        if not rule or not isinstance(places, list):
            raise report.bad("this is not a leakkill finding", f"finding {ordinal}", "give it as leakkill wrote it")
        for each in places:
            text = word({"place": each}, "place")
            place = _PLACE.fullmatch(text)
            yield Exposure(
                source=SOURCE,
                rule=untold(rule),
                leaked=Leaked(),
                path=place["path"] if place else text,
                line=int(place["line"]) or None if place else None,
                commit=place["commit"] if place else None,
                scanner_says=_SAYS.get(word(finding, "status")),
            )

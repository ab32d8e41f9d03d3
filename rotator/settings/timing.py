"""How a schedule is written: five fields of cron, and the name of a time zone."""

from __future__ import annotations

from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator

from rotator.flow.timetable import timetable


def _comes(value: str) -> str:
    timetable(value)
    return value


def _is_known(value: str) -> str:
    try:
        ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f"no time zone is called `{value}`: write one such as Europe/Berlin") from None
    return value


Cron = Annotated[str, AfterValidator(_comes)]
"""When something comes, such as `0 3 * * 1`."""
TimeZone = Annotated[str, AfterValidator(_is_known)]
"""Such as Europe/Berlin."""

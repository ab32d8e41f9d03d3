"""Durations as people write them, in playbooks and in the configuration: 30s, 5m, 12h or 7d."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema

from rotator.flow.mistake import wrong

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_MOST = 999_999


def _seconds(value: object) -> object:
    if isinstance(value, str) and (match := re.fullmatch(r"([0-9]{1,6})([smhd])", value)):
        return int(match[1]) * _UNITS[match[2]]
    raise wrong(f"`{value}` is no duration", "a whole number and a unit: 30s, 5m, 12h or 7d")


def _written(seconds: int) -> str:
    """Write it so that it can be read again: in the smallest unit in which it has no more digits than are read."""
    fits = (f"{seconds // size}{unit}" for unit, size in _UNITS.items() if seconds // size <= _MOST)
    return next(fits)


Duration = Annotated[
    int,
    BeforeValidator(_seconds),
    PlainSerializer(_written, return_type=str),
    WithJsonSchema({"type": "string", "pattern": "^[0-9]{1,6}[smhd]$"}),
]
"""Seconds, written as 30s, 5m, 12h or 7d."""

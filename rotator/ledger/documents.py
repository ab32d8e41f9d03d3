"""Read large documents of our own making, with other threads in between: `json.loads` lets none in until its end."""

from __future__ import annotations

import json
import re
from typing import Any

_value_at = json.JSONDecoder().raw_decode
_between = re.compile(r"[\s,:]*").match


def read(text: str) -> dict[str, Any]:
    """Return what `json.loads` returns of an object; the elements of its lists are read one by one."""
    found, at = {}, _next(text, _next(text, 0) + 1)
    while text[at] != "}":
        name, at = _value_at(text, at)
        at = _next(text, at)
        found[name], at = _elements(text, at + 1) if text[at] == "[" else _value_at(text, at)
        at = _next(text, at)
    return found


def _elements(text: str, at: int) -> tuple[list[Any], int]:
    found, at = [], _next(text, at)
    while text[at] != "]":
        each, at = _value_at(text, at)
        found.append(each)
        at = _next(text, at)
    return found, at + 1


def _next(text: str, at: int) -> int:
    """Return where the next value begins, or its list or object ends."""
    found = _between(text, at)
    return found.end() if found else at

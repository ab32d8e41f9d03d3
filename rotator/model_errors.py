"""What is wrong with a value, in words for whoever wrote the file: the library's own speak of types and inputs."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic_core import ErrorDetails

_ECHO = 40
_KINDS: Mapping[str, str] = {
    "string": "a text",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "list": "a list",
    "tuple": "a list",
    "set": "a list",
    "dict": "a table of keys",
    "model": "a table of keys",
    "path": "a path",
}
_BOUNDS: Mapping[str, str] = {
    "missing": "is missing",
    "extra_forbidden": "unknown key",
    "enum": "must be one of {among}",
    "literal_error": "must be one of {among}",
    "string_pattern_mismatch": "must match {pattern}",
    "string_too_short": "is too short: at least {min_length} letters",
    "too_short": "is too short: at least {min_length}",
    "string_too_long": "is too long: at most {max_length} letters",
    "too_long": "is too long: at most {max_length}",
    "greater_than": "must be above {gt:g}",
    "greater_than_equal": "must be {ge:g} or more",
    "less_than_equal": "must be {le:g} or less",
    "less_than": "must be below {lt:g}",
    "finite_number": "must be a finite number",
}
_NOT_QUOTED = {"missing", "extra_forbidden", "string_too_short", "too_short", "string_too_long", "too_long"}
_GIVEN: Mapping[type, str] = {
    str: "a text",
    bool: "true or false",
    int: "a number",
    float: "one with a fraction",
    list: "a list",
    dict: "a table",
    type(None): "nothing",
}


def in_words(error: ErrorDetails) -> str:
    """Return what is wrong with the value at its place. It quotes the value only where that may be no secret."""
    context: dict[str, Any] = error.get("ctx", {})
    found, given = error["type"], error.get("input")
    if found == "value_error":
        return str(context["error"])
    if found in _BOUNDS:
        quoted = f", not {one_line(str(given)[:_ECHO])}" if isinstance(given, str | int | float) else ""
        told = {**context, "among": ", ".join(re.findall(r"'([^']+)'", str(context.get("expected", ""))))}
        return _BOUNDS[found].format(**told) + (quoted if found not in _NOT_QUOTED else "")
    wanted = _KINDS.get(found.split("_", maxsplit=1)[0])
    if wanted is None:
        return f"cannot be {_kind(given)} like this"
    return f"must be {wanted}, not {_kind(given)}"


def one_line(text: str) -> str:
    """Return what somebody wrote as it may be quoted: a mistake is told in one line, whatever stands in the file."""
    return "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in text)


def place(location: Sequence[str | int], document: Any) -> str:
    """Return where it is, an entry of a list by its name where it has one: `connections aws-prod: budget`."""
    words: list[str] = []
    for part in location:
        document = _inside(document, part)
        if isinstance(part, str):
            words.append(part)
            continue
        name = document.get("name") if isinstance(document, dict) else None
        words[-1:] = [
            f"{words[-1] if words else 'entry'} {name if name and isinstance(name, str) else f'number {part + 1}'}"
        ]
    return ": ".join(words)


def _inside(document: Any, part: str | int) -> Any:
    try:
        return document[part]
    except (KeyError, IndexError, TypeError):
        return None


def _kind(given: Any) -> str:
    return _GIVEN.get(type(given), "a value")

"""On which line of a TOML file each of its keys stands: the standard library's parser tells of values alone.

A statement is as many lines as it takes until that parser can read them by themselves: no part of one can be read.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from typing import Any

Path = tuple[str | int, ...]
"""Where a value stands: keys, and behind a list's key the number of the entry, from 0."""


def lines(text: str) -> dict[Path, int]:
    """Return the line, from 1, of each key, table and entry of a list. `text` is a whole file that can be read."""
    found: dict[Path, int] = {}
    last: dict[Path, int] = {}
    here: Path = ()
    for number, statement, told in _statements(text):
        if not statement.lstrip().startswith("["):
            for path in _inside(here, told):
                found.setdefault(path, number)
            continue
        keys, ends = _header(told)
        here = _resolved(keys, last)
        if isinstance(ends, list):
            array = (*_resolved(keys[:-1], last), keys[-1])
            last[array] = last.get(array, -1) + 1
            here = (*array, last[array])
        found.setdefault(here, number)
    return found


def _statements(text: str) -> Iterator[tuple[int, str, dict[str, Any]]]:
    statement, begins = "", 0
    for number, line in enumerate(text.replace("\r\n", "\n").split("\n"), 1):
        begins = begins if statement else number
        statement += f"{line}\n"
        try:
            told = tomllib.loads(statement)
        except tomllib.TOMLDecodeError:
            continue
        if told:
            yield begins, statement, told
        statement = ""


def _header(told: Mapping[str, Any]) -> tuple[tuple[str, ...], Any]:
    """Return the keys of a table's head, and what stands at their end: a list for `[[…]]`."""
    keys: tuple[str, ...] = ()
    value: Any = told
    while isinstance(value, dict) and value:
        [(key, value)] = value.items()
        keys += (key,)
    return keys, value


def _resolved(keys: tuple[str, ...], last: Mapping[Path, int]) -> Path:
    """Return where keys lead: in a list of tables to its last entry."""
    found: Path = ()
    for key in keys:
        found += (key,)
        if found in last:
            found += (last[found],)
    return found


def _inside(here: Path, value: Any) -> Iterator[Path]:
    """Yield the paths of all that a value has in it."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, each in inner:
        yield (*here, key)
        yield from _inside((*here, key), each)

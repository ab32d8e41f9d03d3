"""Every setting in force, and where it comes from: a variable of the environment, a line of the file, the default.

A secret is shown as the reference that it is, and no reference is read. Of an address only what may be shown is told.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rotator.model_errors import place
from rotator.settings import lines
from rotator.settings.configuration import Settings
from rotator.settings.file import variable

DEFAULT = "default"
_URL = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*://)(\S*)")
_QUERY = re.compile(r"[?#].*")
_EMPTY: tuple[Any, ...] = (None, "", [], {})


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting: where it stands among the others, its value, and its origin in words."""

    path: lines.Path
    name: str
    value: Any
    origin: str


def in_force(settings: Settings, file: Path | None) -> Iterator[Setting]:
    """Yield every setting, as `file` and the environment made them; inside an entry not what is left empty."""
    written = lines.lines(file.read_text()) if file is not None else {}
    values = settings.model_dump(mode="json")
    for key in values:
        by_variable = variable(key) if variable(key) in os.environ else None
        for path, value in _leaves((key,), values[key]):
            origin = by_variable or (f"{file}:{written[path]}" if path in written else DEFAULT)
            if origin != DEFAULT or len(path) == 1 or value not in _EMPTY:
                yield Setting(path, place(path, values), shown(value), origin)


def _leaves(path: lines.Path, value: Any) -> Iterator[tuple[lines.Path, Any]]:
    """Yield what stands at the ends of the tree; a list of plain values is one."""
    if isinstance(value, Mapping) and value:
        for key, each in value.items():
            yield from _leaves((*path, key), each)
    elif isinstance(value, list) and any(isinstance(each, Mapping) for each in value):
        for number, each in enumerate(value):
            yield from _leaves((*path, number), each)
    else:
        yield path, value


def shown(value: Any) -> Any:
    """Return a value as it may be shown: an address without a login before its host and without its query."""
    if isinstance(value, list):
        return [shown(each) for each in value]
    return _URL.sub(_address, value) if isinstance(value, str) else value


def _address(url: re.Match[str]) -> str:
    login, at, rest = url[2].rpartition("@")
    if _QUERY.search(login):  # it may be the query that has an @, or the password that has a ?
        return f"{url[1]}…"
    return f"{url[1]}{'…@' if at else ''}{_QUERY.sub('?…', rest)}"

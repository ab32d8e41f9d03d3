"""Made-up names of a form that a playbook asks of ids and owners: who is asked about one has to look for it."""

from __future__ import annotations

import re
import re._parser as grammar  # type: ignore[import-not-found] # the library shows nobody else how it reads a form
from collections.abc import Iterable
from typing import Any

NOBODY = "rotator-provider-check"
"""The credential, and its owner, that are asked about: there is none."""


def fitting(form: str | None) -> str:
    """Return a name of that form; NOBODY where it fits, or where none can be made."""
    if form is None or re.fullmatch(form, NOBODY):
        return NOBODY
    made = "".join(map(_text, grammar.parse(form)))
    return made if re.fullmatch(form, made) else NOBODY


def _text(part: tuple[Any, Any]) -> str:
    """Return the least that one part of a form takes, and of what may be left out, one."""
    sort, given = str(part[0]), part[1]
    match sort:
        case "LITERAL":
            return chr(given)
        case "IN":
            return _one(given)
        case "MAX_REPEAT" | "MIN_REPEAT" | "POSSESSIVE_REPEAT":
            least, most, inner = given
            times = int(max(least, min(1, most)))
            return "".join(map(_text, inner)) * times
        case "SUBPATTERN":
            return "".join(map(_text, given[-1]))
        case "BRANCH":
            return "".join(map(_text, given[1][0]))
        case "ANY":
            return "0"
        case _:
            return ""


def _one(choices: Iterable[tuple[Any, Any]]) -> str:
    """Return the first letter of a set, and a zero for a class of letters."""
    sort, given = next(iter(choices))
    match str(sort):
        case "LITERAL":
            return chr(given)
        case "RANGE":
            return chr(given[0])
        case _:
            return "0"

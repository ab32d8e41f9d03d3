"""Pages of a list: a cursor names the last row that was given, so that what comes newly moves nothing."""

from __future__ import annotations

import base64
import binascii
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Annotated, Any

from fastapi import Query

from rotator.api.problems import Problem

After = Annotated[str | None, Query(max_length=1024, description="The `next` of the page before; the first without.")]
Limit = Annotated[int, Query(ge=1, le=500, description="How many at most.")]
USUAL = 100


def page(rows: Sequence[dict[str, Any]], key: Callable[[dict[str, Any]], str], after: str | None, limit: int) -> Any:
    """Return the rows behind the one that `after` names, and the cursor of the last one where there are more.

    Raises Problem for a cursor that names none.
    """
    seen: Counter[str] = Counter()
    names = []
    for each in map(key, rows):  # some are called alike
        seen[each] += 1
        names.append(f"{each}\n{seen[each]}")
    begin = 0
    if after is not None:
        name = opened(after)
        if name not in names:
            raise lost()
        begin = names.index(name) + 1
    end = begin + limit
    return {"items": rows[begin:end], "next": closed(names[end - 1]) if end < len(rows) else None}


def closed(name: str) -> str:
    """Return a cursor for a name."""
    return base64.urlsafe_b64encode(name.encode()).decode().rstrip("=")


def opened(cursor: str) -> str:
    """Return the name of a cursor. Raises Problem for what is none."""
    try:
        name = base64.b64decode(cursor + "=" * (-len(cursor) % 4), b"-_", validate=True).decode()
    except (binascii.Error, ValueError):
        raise lost() from None
    if "\0" in name:  # PostgreSQL takes no such text
        raise lost()
    return name


def lost() -> Problem:
    """Return what is said of a cursor that leads nowhere."""
    return Problem(404, "no_such_cursor", "`after` is the `next` of a page before, as it was given")

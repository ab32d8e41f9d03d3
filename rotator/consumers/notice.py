"""What a consumer is sent and what it may answer: the same for every way of telling it."""

from __future__ import annotations

import json
from collections.abc import Mapping

from rotator.ports.consumer import Notice

ANOTHER = "(another)"
"""Stands for an id that is neither the exposed nor the new one. It is not repeated: a consumer that is wrongly built
might answer with the secret itself, and what it answers is recorded."""


def fields_of(event: str, notice: Notice) -> dict[str, object]:
    """Return the notice in JSON's terms: names only."""
    return {
        "event": event,
        "incident": notice.incident,
        "exposed": notice.exposed.id,
        "replacement": notice.replacement.id,
        "places": [str(place) for place in notice.places],
    }


def said_last(output: str) -> object:
    """Return the JSON of a command's last line of output, None where that is none."""
    lines = output.strip().splitlines()
    try:
        return json.loads(lines[-1]) if lines else None
    except (ValueError, RecursionError):
        return None


def using_of(said: object, notice: Notice) -> str | None:
    """Return which credential the consumer says it holds, None when it does not say."""
    using = said.get("using") if isinstance(said, Mapping) else None
    if not isinstance(using, str) or not using:
        return None
    return using if using in (notice.exposed.id, notice.replacement.id) else ANOTHER

"""The progress of an incident, as a service tells it live or when it is asked."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import fields
from typing import Any

from rotator.errors import Unavailable
from rotator.far.asking import V1, Asking
from rotator.ledger.records import Progress
from rotator.ledger.stops import Stop
from rotator.operations.operation import segment

_COUNTS = "counts"


def streamed(asking: Asking, incident: str) -> Iterator[Progress]:
    """Yield what the stream counts, until it ends. Raises Unavailable or Uncertain where it is lost or says no sense.

    Form of the stream: the HTML standard, "Server-sent events": fields to a line, an empty line ends an event.
    """
    event, data = "", list[str]()
    with asking.lines(f"{V1}/incidents/{segment(incident)}/events") as lines:
        for line in lines:
            name, _, value = line.partition(":")
            if not line:
                if event == _COUNTS:
                    yield told(_read("\n".join(data)))
                event, data = "", []
            elif name == "event":
                event = value.removeprefix(" ")
            elif name == "data":
                data.append(value.removeprefix(" "))


def told(data: Any) -> Progress:
    """Read it from plain data. Raises Unavailable for what is none."""
    try:
        known = {each.name: data[each.name] for each in fields(Progress) if each.name in data}
        return Progress(**{**known, "stopped": tuple(_stop(each) for each in known.get("stopped", ()))})
    except (TypeError, KeyError):
        raise Unavailable("not_understood", "its counts cannot be read: is it of another version?") from None


def _stop(data: Mapping[str, Any]) -> Stop:
    return Stop(**{each.name: data[each.name] for each in fields(Stop)})


def _read(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise Unavailable("not_understood", "its counts cannot be read: is it of another version?") from None

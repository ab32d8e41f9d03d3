"""An advisory as an alarm: an OSV record, of which what tells whom it concerns is kept, and no page of prose."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Mapping

from rotator.errors import BadInput
from rotator.intake.shapes import holds_material
from rotator.packages import advisory
from rotator.packages.advisory_record import essence
from rotator.triggers.message import Refused, Trigger

_ID = re.compile(r"(?=.{1,128}\Z)[A-Za-z]{2,20}(?:-[A-Za-z0-9._]{1,60}){1,5}")
"""Of the form that every advisory's id has: it becomes the name of a file, and of a row."""


def alarm(record: Mapping[str, object], delivery: str | None, where: str = "") -> Trigger:
    """Return the alarm. Raises Refused for what is no OSV record that names a package, or holds a secret."""
    kept = json.dumps(essence(record), sort_keys=True)
    name = record.get("id")
    if not isinstance(name, str) or not _ID.fullmatch(name):
        raise Refused("unreadable", "it is no advisory: its id is of another form")
    if holds_material(kept):
        raise Refused("unreadable", "a secret seems to stand in it")
    try:
        advisory.read("advisory", io.BytesIO(kept.encode()))
    except BadInput as error:
        raise Refused("unreadable", error.what) from None
    except (UnicodeError, ValueError, TypeError):
        raise Refused("unreadable", "it is no OSV record") from None
    return Trigger(f"Advisory {name}{where}", delivery=delivery, advisories=(kept,))

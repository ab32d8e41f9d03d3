"""Look an advisory up by its id, on the one server that `[advisories]` names, and all that it names as the same event.

Source: OSV's documentation, "GET /v1/vulns/{id}": the record, with the other names that OSV itself works out; case
counts; 404 for what is not there. What comes is read as a record from a file is.
"""

from __future__ import annotations

import contextlib
import io
import json
import re
from http import HTTPStatus
from urllib.parse import quote

from rotator.errors import BadInput, RotatorError, asking
from rotator.families.http_wire import Wire
from rotator.packages.advisory import Advisory, merged, read

_ID = re.compile(r"[A-Za-z]{2,20}(?:-[A-Za-z0-9._]{1,60}){1,5}")
_MOST = 12
"""Records of one event that are asked for: its own, and of its other names."""
_OFFLINE = "give its record as a file: that needs no network"


def is_id(text: str) -> bool:
    """Tell whether this has the form of an advisory's id: `GHSA-...`, `PYSEC-2026-2`, `MAL-...`."""
    return _ID.fullmatch(text) is not None


def looked_up(url: str | None, wanted: str) -> Advisory:
    """Return the advisory of an id, with what its other names say of it. Raises BadInput where it cannot be had."""
    if url is None:
        mend = "give its record as a file, or say in `[advisories] url` where it is looked up"
        raise BadInput("there is no such file, and no server is named that knows advisories", wanted, mend)
    found: list[Advisory] = []
    asked: set[str] = set()
    waiting = [wanted]
    with contextlib.closing(Wire(url.rstrip("/"))) as wire:
        while waiting and len(asked) < _MOST:
            name = waiting.pop(0)
            asked.add(name)
            try:
                told = _record(wire, f"{url.rstrip('/')}/v1/vulns/{quote(name, safe='')}", name)
            except BadInput:
                # A name may have no record of its own, or one of commits alone. The one that was asked for must.
                if name == wanted:
                    raise
                continue
            found += told
            names = sorted(alias for each in told for alias in each.aliases if is_id(alias))
            waiting += [each for each in names if each not in asked and each not in waiting]
    [whole, *_] = merged(found)
    return whole


def _record(wire: Wire, address: str, name: str) -> tuple[Advisory, ...]:
    try:
        with asking():
            reply = wire.send("GET", address, {"Accept": "application/json", "User-Agent": "rotator"})
    except RotatorError as error:
        raise BadInput(f"the server of `[advisories]` does not answer ({error.reason})", name, _OFFLINE) from None
    if reply.status == HTTPStatus.NOT_FOUND:
        raise BadInput("the server of `[advisories]` has no such record", name, "is it spelt as there, case and all?")
    if not reply.ok or not isinstance(reply.content, dict):
        raise BadInput(f"the server of `[advisories]` gives no record (HTTP {reply.status})", name, _OFFLINE)
    told = read(name, io.BytesIO(json.dumps(reply.content).encode()))
    if not all(name in each.names for each in told):
        raise BadInput("the server of `[advisories]` gives another record", name, _OFFLINE)
    return told

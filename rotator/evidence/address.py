"""How a keeper of evidence is written: a folder, or s3://BUCKET/PREFIX."""

from __future__ import annotations

import re

from rotator.errors import BadInput

_BUCKET = re.compile(r"s3://([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:/([A-Za-z0-9!_.'()/-]*))?")


def bucket_of(address: str) -> tuple[str, str] | None:
    """Return bucket and prefix of an address; None for a folder. Raises BadInput for what is neither."""
    found = _BUCKET.fullmatch(address)
    if found is not None:
        return found[1], (found[2] or "").strip("/")
    if "://" in address or not address:
        raise BadInput("this is no keeper of evidence", address, "name a folder, or s3://BUCKET/PREFIX")
    return None

"""From what is written in a configuration or on a command line to the place that it means."""

from __future__ import annotations

import re
from pathlib import Path

from rotator.errors import BadInput
from rotator.evidence.folder import Folder
from rotator.evidence.place import Place
from rotator.ports import Connection

_BUCKET = re.compile(r"s3://([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:/([A-Za-z0-9!_.'()/-]*))?")


def bucket_of(address: str) -> tuple[str, str] | None:
    """Return bucket and prefix of an address; None for a folder. Raises BadInput for what is neither."""
    found = _BUCKET.fullmatch(address)
    if found is not None:
        return found[1], (found[2] or "").strip("/")
    if "://" in address or not address:
        raise BadInput("this is no place for evidence", address, "name a folder, or s3://BUCKET/PREFIX")
    return None


def place_of(address: str, connection: Connection, retain_days: int) -> Place:
    """Return the place of an address; `connection` is how a bucket is reached. Raises BadInput for what is none."""
    where = bucket_of(address)
    if where is None:
        return Folder(Path(address))
    try:
        from rotator.evidence.bucket import Bucket  # noqa: PLC0415 - boto3 is an extra
    except ModuleNotFoundError as error:
        raise BadInput(f"a bucket needs the package {error.name}", address, "pip install 'rotator[aws]'") from None
    return Bucket(*where, connection, retain_days)

"""From the address of a keeper, in a configuration or on a command line, to the keeper."""

from __future__ import annotations

from pathlib import Path

from rotator.errors import BadInput
from rotator.evidence.address import bucket_of
from rotator.evidence.folder import Folder
from rotator.evidence.keeper import Keeper
from rotator.ports.connection import Connection


def keeper_of(address: str, connection: Connection, retain_days: int) -> Keeper:
    """Return the keeper of an address; `connection` is how a bucket is reached. Raises BadInput for what is none."""
    where = bucket_of(address)
    if where is None:
        return Folder(Path(address))
    try:
        from rotator.evidence.bucket import Bucket  # noqa: PLC0415 - boto3 is an extra
    except ModuleNotFoundError as error:
        raise BadInput(f"a bucket needs the package {error.name}", address, "pip install 'rotator[aws]'") from None
    return Bucket(*where, connection, retain_days)

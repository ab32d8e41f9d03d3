"""A part of an S3 bucket as a dataset: the objects whose keys begin with its prefix, as a folder's names would."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from rotator.errors import RotatorError
from rotator.families import aws_objects
from rotator.families.aws import Account
from rotator.families.aws_objects import Object
from rotator.manifests.entry import Entry, encoded
from rotator.manifests.hashing import Found, Meter, changed, failed, file_entry
from rotator.ports.connection import Connection


def walk(connection: Connection, bucket: str, prefix: str) -> Iterator[Found]:
    """Yield the objects below a prefix. Raises RotatorError where they cannot be listed."""
    account = Account(connection)
    for each in aws_objects.objects(account, bucket, prefix):
        path = encoded(each.key.removeprefix(prefix).encode("utf-8", "surrogatepass"))
        yield partial(_entry, account, bucket, each, path)


def _entry(account: Account, bucket: str, found: Object, path: str, meter: Meter) -> Entry:
    try:
        return file_entry(path, found.size, aws_objects.content(account, bucket, found), meter)
    except aws_objects.Replaced:
        return changed(path)
    except RotatorError as error:
        return failed(path, error)

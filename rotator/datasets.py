"""Record what a dataset holds, and check later that it still does: access is given back on what was looked at."""

from __future__ import annotations

import contextlib
import re
import socket
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

from rotator import clock
from rotator.bootstrap import Rotator
from rotator.errors import BadInput
from rotator.ledger.datasets import Check, Manifest, Source
from rotator.manifests import comparing, folder, hashing, listed, ordering
from rotator.manifests.entry import Entry, Written
from rotator.manifests.hashing import Found, Meter
from rotator.settings.configuration import Settings

LIST = "-"
_S3 = "s3://"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


@dataclass(frozen=True, slots=True)
class Asked:
    """Where to look, for whom: `place` is a folder, `s3://BUCKET/PREFIX` or `-` for the list in `given`."""

    place: str
    by: str
    connection: str = ""
    incident: str = ""
    given: BinaryIO | None = None


def record(parts: Rotator, name: str, asked: Asked, meter: Meter) -> Manifest:
    """Record what is there under a new name. Raises BadInput, or RotatorError where a bucket cannot be listed."""
    if not _NAME.fullmatch(name):
        raise BadInput("a manifest is not called so", name, "take letters, digits, `.`, `_` and `-`, 64 at most")
    there, files = source(parts.settings, asked), found(parts.settings, asked)
    recording = parts.manifests.begin(name, there, asked.by, asked.incident)
    with in_order(files, meter) as entries:
        written = parts.manifests.keep(recording, entries)
    if not written.counts.entries:
        raise BadInput(
            "there is nothing in it, and a manifest of nothing shows nothing", asked.place, "is it the place?"
        )
    return parts.manifests.end(name, recording, written)


def verify(parts: Rotator, name: str, asked: Asked, meter: Meter) -> Check:
    """Compare what is there with what was recorded; an empty place is where that was.

    Raises BadInput, also where the manifest in the ledger was altered, or RotatorError as `record` does.
    """
    manifest = parts.manifests.one(name)
    if asked.incident:
        asked = replace(asked, incident=parts.reading.named(asked.incident))
    # A dataset may take hours to read: not for a manifest that is altered, nor in a place that it was altered to.
    for _ in parts.manifests.entries(manifest):
        pass
    asked = _there(manifest, asked) if not asked.place else asked
    there, files = source(parts.settings, asked), found(parts.settings, asked)
    written, began_at = Written(), clock.now()
    with in_order(files, meter) as entries:
        compared = comparing.compare(parts.manifests.entries(manifest), written.through(entries))
    told = (manifest, there, compared, written.digest)
    return parts.manifests.checked(*told, by=asked.by, began_at=began_at, incident=asked.incident)


@contextlib.contextmanager
def in_order(found: Iterator[Found], meter: Meter) -> Iterator[Iterator[Entry]]:
    """Give what is read of all that is found, by its paths, once all of it is read."""
    with contextlib.closing(hashing.entries(found, meter)) as entries, ordering.in_order(entries) as ordered:
        yield ordered


def _there(manifest: Manifest, asked: Asked) -> Asked:
    was = manifest.source
    if was.place == LIST:
        raise BadInput("it was recorded from a list", manifest.name, "name the place, or give a list as -")
    if not was.place.startswith(_S3) and was.host != socket.gethostname():
        what = f"it was recorded on {was.host}, in {was.place}"
        raise BadInput(what, manifest.name, "check it there, or name the place on this machine")
    return replace(asked, place=was.place, connection=asked.connection or was.connection)


def source(settings: Settings, asked: Asked) -> Source:
    """Return where that is, as it is kept. Raises BadInput for a bucket without a connection that reads it."""
    host = socket.gethostname()
    if asked.place == LIST:
        return Source(LIST, host)
    if not asked.place.startswith(_S3):
        return Source(str(Path(asked.place).absolute()), host)
    if not asked.connection:
        what = "a bucket is read through a connection of the family aws"
        raise BadInput(what, asked.place, "name it with --connection")
    if (family := settings.connection(asked.connection).family) != "aws":
        raise BadInput(f"this connection is of the family {family}", asked.connection, "name one of the family aws")
    return Source(asked.place, host, asked.connection)


def found(settings: Settings, asked: Asked) -> Iterator[Found]:
    """Yield what is there, to be read. Raises BadInput, or RotatorError, where that cannot be listed."""
    if asked.place == LIST:
        assert asked.given is not None, "who asks for a list gives it"  # noqa: S101
        return listed.read(asked.given, "standard input")
    if not asked.place.startswith(_S3):
        return folder.walk(Path(asked.place))
    from rotator.manifests import bucket  # noqa: PLC0415 - boto3 is not free

    name, prefix = _place(asked.place)
    return bucket.walk(settings.connection(asked.connection), name, prefix)


def _place(place: str) -> tuple[str, str]:
    """Return a bucket, and how the keys begin: they may hold whatever ends a path in a URL, `?` and `#` too."""
    name, _, prefix = place.removeprefix(_S3).partition("/")
    if not name:
        raise BadInput("this names no bucket", place, "write s3://BUCKET/PREFIX")
    return name, prefix if prefix.endswith("/") or not prefix else f"{prefix}/"

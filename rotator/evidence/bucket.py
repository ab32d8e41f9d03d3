"""A bucket in which checkpoints are kept, locked: S3's Object Lock in compliance mode, which no account can lift.

The bucket must be made with Object Lock. Its credential needs s3:PutObject, PutObjectRetention, GetObjectVersion,
GetObjectRetention and ListBucketVersions, and none that deletes. A file is written on the condition that none of its
name is there (docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html); whoever lays another version
over it, or marks it as deleted, hides nothing, as all versions are read.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, BinaryIO

from rotator import clock
from rotator.errors import Rejected, Unavailable
from rotator.evidence.keeper import Entry, chunks
from rotator.families.aws import Account
from rotator.ports.connection import Connection

MOST_BYTES = 5 << 30
"""What S3 takes in one piece."""
PIECE = 8 << 20
"""Bytes that are read back in one call, well within its deadline."""
_LOCK = "COMPLIANCE"


class Bucket:
    """What lies under `prefix` in a bucket. Each file is locked for `retain_days` from when it is written."""

    def __init__(
        self, bucket: str, prefix: str, connection: Connection, retain_days: int, now: Callable[[], float] = clock.now
    ) -> None:
        self.address = f"s3://{bucket}/{prefix}".rstrip("/")
        self._bucket, self._prefix = bucket, f"{prefix.rstrip('/')}/" if prefix.strip("/") else ""
        self._account, self._retain, self._now = Account(connection), timedelta(days=retain_days), now

    def keep(self, name: str, content: BinaryIO) -> None:
        """Write a file under a lock and read it back. Raises as `Keeper` says; "not_locked" without a lock."""
        content.seek(0)
        digest, size = hashlib.sha256(), 0
        for each in chunks(content):
            digest.update(each)
            size += len(each)
        if size > MOST_BYTES:
            raise Rejected("too_large", f"{name}: {size:,} bytes, and S3 takes {MOST_BYTES:,} in one piece")
        content.seek(0)
        try:
            written = self._account.exchange().change(
                "s3",
                "put_object",
                **self._named(name),
                Body=content,
                IfNoneMatch="*",
                ChecksumAlgorithm="SHA256",
                ChecksumSHA256=base64.b64encode(digest.digest()).decode(),
                ObjectLockMode=_LOCK,
                ObjectLockRetainUntilDate=datetime.fromtimestamp(self._now(), UTC) + self._retain,
            )
        except Rejected as error:
            if error.reason != "already_exists":
                raise
            found = [each for each in self._versions(name) if each.name == name]
        else:
            found = [Entry(name, str(written.get("VersionId", "")))]
        locks = [lock for each in found if (lock := self._compared(each, content, size)) is not None]
        if not locks:
            raise Rejected("differs", f"{self.address}/{name} is there already and says something else")
        if _LOCK not in locks:
            raise Rejected(
                "not_locked", f"{self.address}/{name}: made with Object Lock? s3:GetObjectRetention allowed?"
            )

    def entries(self) -> Iterator[Entry]:
        """Yield every version of every file, also where it was marked as deleted. Raises one of the three errors."""
        return self._versions("")

    def read(self, entry: Entry) -> bytes:
        """Return one version's bytes. Raises one of the three errors."""
        found, size, _ = self._piece(entry, 0)
        while len(found) < size:
            found += self._piece(entry, len(found))[0]
        return found

    def _versions(self, beginning: str) -> Iterator[Entry]:
        more: dict[str, str] = {}
        while True:
            asked: dict[str, str] = {"Bucket": self._bucket, "Prefix": self._prefix + beginning, **more}
            page = self._account.exchange().read("s3", "list_object_versions", **asked)
            for each in page.get("Versions", ()):
                name, at = str(each["Key"]).removeprefix(self._prefix), each["LastModified"].timestamp()
                yield Entry(name, str(each["VersionId"]), at, int(each["Size"]))
            if not page.get("IsTruncated"):
                return
            more = {"KeyMarker": page["NextKeyMarker"], "VersionIdMarker": page["NextVersionIdMarker"]}

    def _compared(self, entry: Entry, content: BinaryIO, size: int) -> str | None:
        """Return how a version is locked that is the same, "" for not at all; None for one that is another."""
        content.seek(0)
        at, lock = 0, ""
        while at < size:
            piece, whole, lock = self._piece(entry, at)
            if whole != size or piece != content.read(len(piece)):
                return None
            at += len(piece)
        return lock

    def _piece(self, entry: Entry, begin: int) -> tuple[bytes, int, str]:
        """Return the bytes from `begin` on, eight megabytes at most, how many there are in all, and the lock."""
        part = f"bytes={begin}-{begin + PIECE - 1}"
        answer = self._account.exchange().read("s3", "get_object", **self._of(entry), Range=part)
        try:
            piece: bytes = answer["Body"].read()
            size = int(str(answer["ContentRange"]).rpartition("/")[2])
        except Exception:  # noqa: BLE001 - botocore's stream raises its own errors, urllib3's and the system's
            raise Unavailable("answer_lost", f"{self.address}/{entry.name}") from None
        if not piece:
            raise Unavailable("answer_lost", f"{self.address}/{entry.name}")
        return piece, size, str(answer.get("ObjectLockMode", ""))

    def _named(self, name: str) -> dict[str, Any]:
        return {"Bucket": self._bucket, "Key": self._prefix + name}

    def _of(self, entry: Entry) -> dict[str, Any]:
        return {**self._named(entry.name), **({"VersionId": entry.version} if entry.version else {})}

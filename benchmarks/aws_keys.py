"""Where AWS keys are stolen for a measurement: an emulator, a rotator configured for it, and planted keys."""

from __future__ import annotations

import contextlib
import io
import json
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from botocore.httpsession import URLLib3Session

from rotator.bootstrap import Rotator
from rotator.credential import Secret
from rotator.practice.ministack import Ministack, ministack
from rotator.settings.configuration import Settings

KIND = "aws_iam_access_key"
CONNECTION = "aws"


@dataclass(frozen=True, slots=True)
class Planted:
    """One live key of a user of its own."""

    owner: str
    id: str
    secret: Secret


@contextlib.contextmanager
def emulator(folder: Path) -> Iterator[Ministack]:
    """Run the emulator. The rotator acts as its root user, whose calls cost it the least."""
    with ministack(folder) as aws:
        yield aws


def plant(aws: Ministack, count: int) -> list[Planted]:
    """Make users with a key each."""
    with ThreadPoolExecutor(16) as pool:
        return [Planted(*made) for made in pool.map(lambda _: aws.plant(), range(count))]


def destroy(aws: Ministack, keys: Sequence[Planted]) -> None:
    """Delete the keys, so that the emulator, which searches all it has, is as fast for the next ones."""
    with ThreadPoolExecutor(16) as pool:
        list(pool.map(lambda key: aws.iam.delete_access_key(UserName=key.owner, AccessKeyId=key.id), keys))


def rotator(folder: Path, aws: Ministack, settle_s: float | None) -> Rotator:
    """Return a rotator with a ledger of its own in `folder`; `settle_s` None means the provider's own."""
    folder.mkdir(parents=True)
    own = {"aws_access_key_id": aws.admin_id, "aws_secret_access_key": aws.admin_secret.reveal()}
    (folder / "aws.json").write_text(json.dumps(own))
    connection = {
        "name": CONNECTION,
        "family": "aws",
        "account": aws.account,
        "endpoint_url": aws.endpoint_url,
        "region": aws.region,
        "credential": "file:aws.json",
    }
    if settle_s is not None:
        connection["settle_s"] = settle_s
    return Rotator(Settings(folder=folder, data_dir=folder, connections=[connection]))


def report(keys: Sequence[Planted]) -> io.BytesIO:
    """Return what TruffleHog would print of a machine where these keys lie."""
    findings = (
        {
            "SourceMetadata": {"Data": {"Filesystem": {"file": f"home/{key.owner}/.aws/credentials", "line": 2}}},
            "DetectorName": "AWS",
            "Verified": False,
            "Raw": key.id,
            "RawV2": f"{key.id}:{key.secret.reveal()}",
        }
        for key in keys
    )
    return io.BytesIO("\n".join(map(json.dumps, findings)).encode())


@contextlib.contextmanager
def requests() -> Iterator[list[str]]:
    """Count every request that leaves this process for AWS: botocore's clients and the knocks share one sender."""
    sent: list[str] = []
    send = URLLib3Session.send

    def counted(session: URLLib3Session, request: object) -> object:
        sent.append(request.url)
        return send(session, request)

    URLLib3Session.send = counted
    try:
        yield sent
    finally:
        URLLib3Session.send = send

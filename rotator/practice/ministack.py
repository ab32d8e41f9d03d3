"""Run ministack, an AWS emulator that checks signatures, refuses inactive keys and knows Secrets Manager.

It lives in a virtual environment of its own (`build/ministack`), since it pins another botocore than the product.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

from rotator.credential import Secret
from rotator.errors import BadInput
from rotator.practice.process import free_port, listening, running

ACCOUNT = "000000000000"
REGION = "us-east-1"
TRAIL = "cloudtrail"
"""The service that remembers calls; where it is not wanted none are kept, since each costs the emulator time."""
_ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Ministack:
    """A running emulator. `admin_id` and `admin_secret` are its root user's key, made anew at each start."""

    endpoint_url: str
    admin_id: str
    admin_secret: Secret
    account: str = ACCOUNT
    region: str = REGION

    def client(self, service: str) -> Any:
        """Return a boto3 client that signs as the root user."""
        return boto3.client(
            service,
            endpoint_url=self.endpoint_url,
            region_name=self.region,
            aws_access_key_id=self.admin_id,
            aws_secret_access_key=self.admin_secret.reveal(),
            config=Config(max_pool_connections=64, connect_timeout=5, read_timeout=15),
        )

    @cached_property
    def iam(self) -> Any:
        """The root user's IAM client."""
        return self.client("iam")

    def plant(self, owner: str | None = None) -> tuple[str, str, Secret]:
        """Make a key for a new user, or for `owner` where named; return (user, key id, secret)."""
        user = owner or f"user-{secrets.token_hex(6)}"
        with contextlib.suppress(self.iam.exceptions.EntityAlreadyExistsException):
            self.iam.create_user(UserName=user)
        key = self.iam.create_access_key(UserName=user)["AccessKey"]
        return user, key["AccessKeyId"], Secret(key["SecretAccessKey"])


@contextlib.contextmanager
def ministack(folder: Path, services: str = "iam,sts,secretsmanager") -> Iterator[Ministack]:
    """Run the emulator of these services until the block ends; its log goes to `folder`.

    Raises BadInput when it is not installed.
    """
    command, port = _binary(), free_port()
    folder.mkdir(parents=True, exist_ok=True)
    # Whoever signs with the key of the server's own environment is root; the emulator does not check its signature.
    admin_id, admin_secret = "AKIAROOT" + secrets.token_hex(6).upper(), Secret(secrets.token_hex(20))
    settings = {
        "GATEWAY_PORT": str(port),
        "BIND_HOST": "127.0.0.1",
        "AUTH": "true",
        "SERVICES": services,
        "LOG_LEVEL": "WARNING",
        "MINISTACK_ACCOUNT_ID": ACCOUNT,
        **({"CLOUDTRAIL_RECORDING": "1"} if TRAIL in services.split(",") else {}),
        "AWS_ACCESS_KEY_ID": admin_id,
        "AWS_SECRET_ACCESS_KEY": admin_secret.reveal(),
        "AWS_SESSION_TOKEN": "",
        "TMPDIR": str(folder),
    }
    log = folder / "ministack.log"
    with running([str(command)], ready=lambda: listening(port), log=log, env=settings):
        yield Ministack(f"http://127.0.0.1:{port}", admin_id, admin_secret)


def _binary() -> Path:
    """Return the emulator's program."""
    built = _ROOT / "build" / "ministack" / "bin" / "ministack"
    named = os.environ.get("ROTATOR_MINISTACK")
    found = Path(named) if named else built if built.exists() else shutil.which("ministack")
    if found is None or not Path(found).exists():
        raise BadInput(
            "the AWS emulator ministack is not installed",
            str(named or built),
            "run `make build/ministack`, or name it in ROTATOR_MINISTACK",
        )
    return Path(found)

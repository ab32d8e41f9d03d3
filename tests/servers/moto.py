"""Run moto's server with its authentication switched on: it enforces IAM's quota of two keys and tracks last use.

Two things differ from AWS and are why ministack is used beside it: an Inactive key still authenticates, and a policy's
conditions are not read, so that a deny of older sessions denies the key too.
"""

from __future__ import annotations

import contextlib
import json
import secrets
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import boto3
from botocore.config import Config

from rotator.credential import Secret
from rotator.practice.process import free_port, listening, running

ACCOUNT = "123456789012"
REGION = "us-east-1"
ALLOW_ALL = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}


@dataclass(frozen=True)
class Moto:
    """A running server, with the key of a user that may do everything."""

    endpoint_url: str
    admin_id: str
    admin_secret: Secret
    account: str = ACCOUNT
    region: str = REGION

    def client(self, service: str) -> Any:
        """Return a boto3 client that signs as the admin."""
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
        return self.client("iam")

    def plant(self, owner: str | None = None) -> tuple[str, str, Secret]:
        """Make a key for a new user, or for `owner` where named; return (user, key id, secret)."""
        user = owner or f"user-{secrets.token_hex(6)}"
        with contextlib.suppress(self.iam.exceptions.EntityAlreadyExistsException):
            self.iam.create_user(UserName=user)
            # AWS lets anyone ask who he is; moto wants it allowed.
            self.iam.put_user_policy(UserName=user, PolicyName="all", PolicyDocument=json.dumps(ALLOW_ALL))
        key = self.iam.create_access_key(UserName=user)["AccessKey"]
        return user, key["AccessKeyId"], Secret(key["SecretAccessKey"])


@contextlib.contextmanager
def moto_server(folder: Path) -> Iterator[Moto]:
    """Run the server until the block ends; its log goes to `folder`."""
    port = free_port()
    endpoint = f"http://127.0.0.1:{port}"
    folder.mkdir(parents=True, exist_ok=True)
    command = [str(Path(sys.executable).with_name("moto_server")), "-H", "127.0.0.1", "-p", str(port)]
    with running(command, ready=lambda: listening(port), log=folder / "moto.log"):
        user, key_id, secret = Moto(endpoint, "first", Secret("first")).plant("admin")
        assert user == "admin"
        # From the first call on, every call is authenticated. (A form's content type would hide the body from moto.)
        switch = Request(f"{endpoint}/moto-api/reset-auth", data=b"0", headers={"Content-Type": "text/plain"})
        urlopen(switch, timeout=10).close()
        yield Moto(endpoint, key_id, secret)

"""Service-specific credentials, against our fake of IAM's published API: no emulator has them."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rotator.credential import CredentialRef, Leaked, Secret
from rotator.ports.connection import Connection
from rotator.practice.process import free_port
from rotator.providers.aws_service_specific_credential import AwsServiceSpecificCredential, connect
from tests.contracts.case import Case
from tests.fakes.aws_iam_server import FakeIam, fake_iam

NAME = "aws_service_specific_credential"
GIT = "codecommit.amazonaws.com"


def connected(server: FakeIam, key_id: str = "", **changed) -> AwsServiceSpecificCredential:
    own = Secret(json.dumps({"aws_access_key_id": key_id or server.key_id, "aws_secret_access_key": server.secret}))
    fields = {"account": server.account, "endpoint_url": server.endpoint_url, "credential": lambda: own, **changed}
    return connect(Connection("aws-test", "aws", **fields), NAME)


def plant(server: FakeIam, owner: str | None = None, service: str = GIT) -> tuple[CredentialRef, Secret]:
    user = owner or f"user-{secrets.token_hex(6)}"
    server.users.add(user)
    made = server.create(user, service)
    ref = CredentialRef(NAME, "aws-test", user, made["ServiceSpecificCredentialId"])
    return ref, Secret(made.get("ServicePassword") or made["ServiceCredentialSecret"])


@contextmanager
def open_case(tmp_path: Path) -> Iterator[Case]:  # noqa: ARG001 - the fake is in memory
    with fake_iam() as server:
        yield Case(
            provider=connected(server),
            unreachable=connected(server, endpoint_url=f"http://127.0.0.1:{free_port()}"),
            elsewhere=lambda address: connected(server, endpoint_url=address),
            plant=lambda owner=None: plant(server, owner),
            leaked=lambda ref, secret: Leaked(id=ref.id, secret=secret),
            garbled=lambda secret: Secret(secret.reveal()[:-4]),
            unknown=lambda ref: ref.with_id(f"ACCA{secrets.token_hex(8).upper()}"),
            own=Secret(server.secret),
            narrow=connected(server, server.looks_alone),
        )

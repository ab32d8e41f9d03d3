"""Versions of parameters, against ministack."""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC
from pathlib import Path

from rotator.credential import CredentialRef, Leaked, Secret
from rotator.practice.ministack import Ministack, ministack
from rotator.practice.process import free_port
from rotator.providers.aws_ssm_parameter import connect
from tests.contracts.case import Case
from tests.contracts.cases.aws_iam_access_key import connection

NAME = "aws_ssm_parameter"
SERVICES = "iam,sts,ssm"


def plant(server: Ministack, owner: str | None = None) -> tuple[CredentialRef, Secret]:
    """Write a parameter, or one more version of it."""
    client = server.client("ssm")
    name, value = owner or f"/app/{secrets.token_hex(6)}", Secret(secrets.token_urlsafe(24))
    client.put_parameter(Name=name, Value=value.reveal(), Type="SecureString", Overwrite=True)
    made = client.get_parameter_history(Name=name)["Parameters"][-1]
    tag = f"{name}:{made['Version']}:{made['LastModifiedDate'].astimezone(UTC):%Y%m%dT%H%M%SZ}"
    return CredentialRef(NAME, "aws-test", name, tag), value


def delete(server: Ministack, ref: CredentialRef) -> None:
    client = server.client("ssm")
    with contextlib.suppress(client.exceptions.ParameterNotFound):
        client.delete_parameter(Name=ref.owner)


@contextmanager
def open_case(tmp_path: Path) -> Iterator[Case]:
    with ministack(tmp_path, SERVICES) as server:
        yield Case(
            provider=connect(connection(server), NAME),
            unreachable=connect(connection(server, endpoint_url=f"http://127.0.0.1:{free_port()}"), NAME),
            elsewhere=lambda address: connect(connection(server, endpoint_url=address), NAME),
            plant=lambda owner=None: plant(server, owner),
            leaked=lambda ref, secret: Leaked(owner=ref.owner, secret=secret),
            garbled=lambda secret: Secret(secret.reveal()[:-4]),
            unknown=lambda ref: ref.with_id(f"{ref.owner}:99:20010101T000000Z"),
            own=server.admin_secret,
            by_hand=lambda ref: delete(server, ref),
            alone=False,
        )

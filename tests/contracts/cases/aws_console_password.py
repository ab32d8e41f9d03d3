"""Console passwords, against ministack."""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from rotator.credential import CredentialRef, Leaked, Secret
from rotator.practice.ministack import ministack
from rotator.practice.process import free_port
from rotator.providers.aws_console_password import connect
from tests.contracts.case import Case
from tests.contracts.cases.aws_iam_access_key import LOOKING, allowed, as_user, connection

NAME = "aws_console_password"


def plant_password(server, owner: str | None = None) -> tuple[CredentialRef, Secret]:
    """Give a user a console password; he is made where he is missing. `server`: ministack or moto."""
    user, password = owner or f"user-{secrets.token_hex(6)}", Secret(f"Aa1!{secrets.token_hex(12)}")
    with contextlib.suppress(server.iam.exceptions.EntityAlreadyExistsException):
        server.iam.create_user(UserName=user)
    made = server.iam.create_login_profile(UserName=user, Password=password.reveal())["LoginProfile"]["CreateDate"]
    return CredentialRef(NAME, "aws-test", user, f"{user}:{made:%Y%m%dT%H%M%SZ}"), password


@contextmanager
def open_case(tmp_path: Path) -> Iterator[Case]:
    with ministack(tmp_path) as server:
        yield Case(
            provider=connect(connection(server), NAME),
            unreachable=connect(connection(server, endpoint_url=f"http://127.0.0.1:{free_port()}"), NAME),
            elsewhere=lambda address: connect(connection(server, endpoint_url=address), NAME),
            plant=lambda owner=None: plant_password(server, owner),
            leaked=lambda ref, secret: Leaked(owner=ref.owner, secret=secret),
            garbled=lambda secret: Secret(secret.reveal()[:-4]),
            unknown=lambda ref: replace(ref, id=f"{ref.owner}:20010101T000000Z"),
            own=server.admin_secret,
            narrow=connect(as_user(server, allowed(*LOOKING)), NAME),
            several=False,
        )

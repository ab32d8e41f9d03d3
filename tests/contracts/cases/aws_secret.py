"""Versions of secrets, against ministack: what was AWSCURRENT before the last rotation, and labels of one's own."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

from rotator.credential import CredentialRef, Leaked, Secret
from rotator.practice.ministack import Ministack, ministack
from rotator.practice.process import free_port
from rotator.providers.aws_secret import connect
from tests.contracts.case import Case
from tests.contracts.cases.aws_iam_access_key import LOOKING, allowed, as_user, connection

NAME = "aws_secret"


def plant(server: Ministack, owner: str | None = None) -> tuple[CredentialRef, Secret]:
    """Make a secret whose value was rotated once; return the version that was left behind, or label one more."""
    client = server.client("secretsmanager")
    name, value = owner or f"app/{secrets.token_hex(6)}", Secret(secrets.token_urlsafe(24))
    if owner is None:
        version = client.create_secret(Name=name, SecretString=value.reveal())["VersionId"]
        client.put_secret_value(SecretId=name, SecretString=secrets.token_urlsafe(24))
    else:
        label = {"VersionStages": [f"BLUE-{secrets.token_hex(2)}"], "ClientRequestToken": str(uuid4())}
        version = client.put_secret_value(SecretId=name, SecretString=value.reveal(), **label)["VersionId"]
    return CredentialRef(NAME, "aws-test", name, version), value


def current(server: Ministack, ref: CredentialRef) -> frozenset[CredentialRef]:
    stages = server.client("secretsmanager").describe_secret(SecretId=ref.owner)["VersionIdsToStages"]
    return frozenset(ref.with_id(version) for version, given in stages.items() if "AWSCURRENT" in given)


@contextmanager
def open_case(tmp_path: Path) -> Iterator[Case]:
    with ministack(tmp_path) as server:
        yield Case(
            provider=connect(connection(server), NAME),
            unreachable=connect(connection(server, endpoint_url=f"http://127.0.0.1:{free_port()}"), NAME),
            elsewhere=lambda address: connect(connection(server, endpoint_url=address), NAME),
            plant=lambda owner=None: plant(server, owner),
            leaked=lambda ref, secret: Leaked(owner=ref.owner, secret=secret),
            garbled=lambda secret: Secret(secret.reveal()[:-4]),
            unknown=lambda ref: ref.with_id(str(uuid4())),
            own=server.admin_secret,
            narrow=connect(as_user(server, allowed(*LOOKING)), NAME),
            beside=lambda ref: current(server, ref),
        )

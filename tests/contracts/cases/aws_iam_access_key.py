"""AWS access keys, against ministack: it refuses inactive and deleted keys as AWS does."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from rotator.credential import CredentialRef, Leaked, Secret
from rotator.ports.connection import Connection
from rotator.practice.ministack import Ministack, ministack
from rotator.practice.process import free_port
from rotator.providers.aws_iam_access_key import connect
from tests.contracts.case import Case

NAME = "aws_iam_access_key"


def connection(server: Ministack, **changed) -> Connection:
    document = {"aws_access_key_id": server.admin_id, "aws_secret_access_key": server.admin_secret.reveal()}
    own = Secret(json.dumps(document))
    settings = {"account": server.account, "endpoint_url": server.endpoint_url, "credential": lambda: own, **changed}
    return Connection("aws-test", "aws", **settings)


LOOKING = (
    *("iam:Get*", "iam:List*", "iam:SimulatePrincipalPolicy"),
    *("secretsmanager:Describe*", "secretsmanager:Get*", "secretsmanager:List*"),
    *("ssm:Get*", "ssm:Describe*"),
)
"""What looks and changes nothing."""


def as_user(server: Ministack, *statements: dict[str, object]) -> Connection:
    """Let the rotator in by the key of a new user with a policy of these statements."""
    user, key_id, secret = server.plant()
    policy = json.dumps({"Version": "2012-10-17", "Statement": list(statements)})
    server.iam.put_user_policy(UserName=user, PolicyName="what-the-rotator-may", PolicyDocument=policy)
    own = Secret(json.dumps({"aws_access_key_id": key_id, "aws_secret_access_key": secret.reveal()}))
    return connection(server, credential=lambda: own)


def allowed(*actions: str, on: str = "*") -> dict[str, object]:
    return {"Effect": "Allow", "Action": list(actions), "Resource": on}


@contextmanager
def open_case(tmp_path: Path) -> Iterator[Case]:
    with ministack(tmp_path, "iam,sts,secretsmanager,cloudtrail") as server:

        def plant(owner: str | None = None) -> tuple[CredentialRef, Secret]:
            user, key_id, secret = server.plant(owner)
            return CredentialRef(NAME, "aws-test", user, key_id), secret

        def makes(ref: CredentialRef, secret: Secret) -> str:
            policy = json.dumps({"Version": "2012-10-17", "Statement": [allowed("iam:*")]})
            server.iam.put_user_policy(UserName=ref.owner, PolicyName="all-of-iam", PolicyDocument=policy)
            stolen = replace(server, admin_id=ref.id, admin_secret=secret)
            stolen.iam.create_user(UserName=f"guest-of-{ref.owner}")
            return f"guest-of-{ref.owner}"

        yield Case(
            provider=connect(connection(server), NAME),
            unreachable=connect(connection(server, endpoint_url=f"http://127.0.0.1:{free_port()}"), NAME),
            elsewhere=lambda address: connect(connection(server, endpoint_url=address), NAME),
            plant=plant,
            leaked=lambda ref, secret: Leaked(id=ref.id, secret=secret),
            garbled=lambda secret: Secret(secret.reveal()[:-4]),
            unknown=lambda ref: ref.with_id(f"AKIA{secrets.token_hex(8).upper()}"),
            own=server.admin_secret,
            narrow=connect(as_user(server, allowed(*LOOKING)), NAME),
            makes=makes,
        )

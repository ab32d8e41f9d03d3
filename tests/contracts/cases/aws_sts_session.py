"""Sessions of roles, against ministack: it reads the time of issue in a deny, and words its denials as AWS does."""

from __future__ import annotations

import contextlib
import json
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import boto3

from rotator.credential import CredentialRef, Leaked, Secret
from rotator.ports.connection import Connection
from rotator.practice.ministack import REGION, Ministack, ministack
from rotator.practice.process import free_port
from rotator.providers.aws_sts_session import connect
from tests.contracts.case import Case
from tests.contracts.cases.aws_iam_access_key import LOOKING, allowed, as_user

NAME = "aws_sts_session"
SERVICES = "iam,sts,dynamodb,cloudtrail"
PARTS = ("AccessKeyId", "SecretAccessKey", "SessionToken")
ANYONE = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:*"}]}


def connection(server: Ministack, **changed) -> Connection:
    document = {"aws_access_key_id": server.admin_id, "aws_secret_access_key": server.admin_secret.reveal()}
    own = Secret(json.dumps(document))
    settings = {"account": server.account, "endpoint_url": server.endpoint_url, "credential": lambda: own, **changed}
    return Connection("aws-test", "aws", **settings)


def session_of(server: Ministack, role: str) -> tuple[str, Secret]:
    """Make a session of a role, and the role where there is none; return its key id and all three parts."""
    with contextlib.suppress(server.iam.exceptions.EntityAlreadyExistsException):
        server.iam.create_role(RoleName=role, AssumeRolePolicyDocument=json.dumps(ANYONE))
    arn = f"arn:aws:iam::{server.account}:role/{role}"
    made = server.client("sts").assume_role(RoleArn=arn, RoleSessionName="ci")["Credentials"]
    return made["AccessKeyId"], Secret(json.dumps({part: made[part] for part in PARTS}))


@contextmanager
def open_case(tmp_path: Path) -> Iterator[Case]:
    with ministack(tmp_path, SERVICES) as server:

        def plant(owner: str | None = None) -> tuple[CredentialRef, Secret]:
            role = (owner or f"role/deploy-{secrets.token_hex(6)}").partition("/")[2]
            key_id, parts = session_of(server, role)
            return CredentialRef(NAME, "aws-test", f"role/{role}", key_id), parts

        def makes(ref: CredentialRef, secret: Secret) -> str:
            role, user = ref.owner.partition("/")[2], f"guest-{secrets.token_hex(4)}"
            policy = json.dumps({"Version": "2012-10-17", "Statement": [allowed("iam:*")]})
            server.iam.put_role_policy(RoleName=role, PolicyName="all-of-iam", PolicyDocument=policy)
            parts = [json.loads(secret.reveal())[part] for part in PARTS]
            names = ("aws_access_key_id", "aws_secret_access_key", "aws_session_token")
            stolen = boto3.Session(region_name=REGION, **dict(zip(names, parts, strict=True)))
            stolen.client("iam", endpoint_url=server.endpoint_url).create_user(UserName=user)
            return user

        yield Case(
            provider=connect(connection(server), NAME),
            unreachable=connect(connection(server, endpoint_url=f"http://127.0.0.1:{free_port()}"), NAME),
            elsewhere=lambda address: connect(connection(server, endpoint_url=address), NAME),
            plant=plant,
            leaked=lambda ref, secret: Leaked(id=ref.id, secret=secret),
            garbled=lambda secret: Secret(secret.reveal()[:-8]),
            unknown=lambda ref: ref.with_id(f"ASIA{secrets.token_hex(8).upper()}"),
            own=server.admin_secret,
            narrow=connect(as_user(server, allowed(*LOOKING)), NAME),
            lists=False,
            alone=False,
            makes=makes,
        )

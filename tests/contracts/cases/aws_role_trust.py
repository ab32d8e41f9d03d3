"""Roles that other accounts may assume, against ministack: it keeps trust policies, and denies older sessions."""

from __future__ import annotations

import contextlib
import json
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from rotator.credential import CredentialRef, Leaked, Secret
from rotator.ports.provider import Answer
from rotator.practice.ministack import Ministack, ministack
from rotator.practice.process import free_port
from rotator.providers import aws_sts_session
from rotator.providers.aws_role_trust import connect
from tests.contracts.case import Case
from tests.contracts.cases.aws_iam_access_key import LOOKING, allowed, as_user, connection
from tests.contracts.cases.aws_sts_session import session_of

NAME = "aws_role_trust"
SERVICES = "iam,sts,dynamodb"
NO_SECRET = Secret("a grant has no secret of its own")
OURS = {
    "Sid": "Ours",
    "Effect": "Allow",
    "Principal": {"AWS": "arn:aws:iam::000000000000:role/deploy", "Service": "ec2.amazonaws.com"},
    "Action": "sts:AssumeRole",
}
"""Whom a role trusts beside: no grant."""


def trust(server: Ministack, role: str) -> dict:
    return server.iam.get_role(RoleName=role)["Role"]["AssumeRolePolicyDocument"]


def write(server: Ministack, role: str, *statements: dict) -> None:
    """Give a role, which is made where there is none, this trust policy."""
    document = json.dumps({"Version": "2012-10-17", "Statement": list(statements)})
    with contextlib.suppress(server.iam.exceptions.EntityAlreadyExistsException):
        server.iam.create_role(RoleName=role, AssumeRolePolicyDocument=document)
    server.iam.update_assume_role_policy(RoleName=role, PolicyDocument=document)


def trusting(*principals: str, **more: object) -> dict:
    told = {"Effect": "Allow", "Principal": {"AWS": list(principals)}, "Action": "sts:AssumeRole"}
    return {**told, "Condition": {"StringEquals": {"sts:ExternalId": "acme-7"}}, **more}


def plant(server: Ministack, owner: str | None = None) -> tuple[CredentialRef, Secret]:
    """Let one more account assume a role, which is new unless named, beside those whom it trusts already."""
    role = (owner or f"role/vendor-{secrets.token_hex(6)}").partition("/")[2]
    account = f"9{secrets.randbelow(10**11):011}"
    before = trust(server, role)["Statement"] if owner else [OURS]
    write(server, role, *before, trusting(f"arn:aws:iam::{account}:root"))
    return CredentialRef(NAME, "aws-test", f"role/{role}", f"{role}/{account}"), NO_SECRET


def opened(server: Ministack, ref: CredentialRef) -> Callable[[], bool]:
    """Open a session through the grant, as whoever is trusted would; return who tells whether it lives."""
    key_id, parts = session_of(server, ref.owner.partition("/")[2])
    sessions = aws_sts_session.connect(connection(server), "aws_sts_session")
    session = CredentialRef("aws_sts_session", "aws-test", ref.owner, key_id)
    return lambda: (
        sessions._governed.knock(  # verify asks for the policy of its own kind
            aws_sts_session.material(Leaked(id=session.id, secret=parts))
        ).answer
        is Answer.ACCEPTED
    )


@contextmanager
def open_case(tmp_path: Path) -> Iterator[Case]:
    with ministack(tmp_path, SERVICES) as server:
        yield Case(
            provider=connect(connection(server), NAME),
            unreachable=connect(connection(server, endpoint_url=f"http://127.0.0.1:{free_port()}"), NAME),
            elsewhere=lambda address: connect(connection(server, endpoint_url=address), NAME),
            plant=lambda owner=None: plant(server, owner),
            leaked=lambda ref, _: Leaked(id=ref.id),
            garbled=lambda secret: secret,
            unknown=lambda ref: ref.with_id(f"{ref.owner.partition('/')[2]}/123456789012"),
            session=lambda ref, _: opened(server, ref),
            narrow=connect(as_user(server, allowed(*LOOKING)), NAME),
        )

"""Legacy tokens of service accounts, at a fake of ours of the Kubernetes API."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

from rotator.credential import CredentialRef, Leaked, Secret
from rotator.ports.connection import Connection
from rotator.practice.process import free_port
from rotator.providers.kubernetes_service_account_token import connect
from tests.contracts.case import Case
from tests.fakes.kubernetes_access import Rule
from tests.fakes.kubernetes_server import KubernetesServer, kubernetes_server

KIND = "kubernetes_service_account_token"
LOOKS = (
    Rule(("get", "list"), ("secrets", "serviceaccounts", "pods")),
    Rule(("create",), ("tokenreviews",), groups=("authentication.k8s.io",)),
)
"""What it takes to look, and no more."""


def connection(address: str, own: Secret) -> Connection:
    """Return the rotator's own way in."""
    return Connection("cluster", "kubernetes", endpoint_url=address, credential=lambda: own)


def new_token(server: KubernetesServer, name: str, account: str) -> tuple[CredentialRef, Secret]:
    """Make a Secret with a token of an account, which is made too."""
    server.account(account)
    secret = server.legacy_token(name, account)
    ref = CredentialRef(KIND, "cluster", f"default/{account}", f"secrets/{name}@{secret['metadata']['uid']}")
    return ref, Secret(base64.b64decode(secret["data"]["token"]).decode())


@contextmanager
def open_case(tmp_path: Path) -> Iterator[Case]:  # noqa: ARG001 - it keeps nothing on disk
    numbers = count(1)
    with kubernetes_server() as server:

        def plant(owner: str | None = None) -> tuple[CredentialRef, Secret]:
            number = next(numbers)
            return new_token(server, f"token-{number}", owner.partition("/")[2] if owner else f"service-{number}")

        looks = server.bearer("looks", *LOOKS)
        absent = "secrets/none@00000000-0000-4000-8000-000000000000"
        yield Case(
            provider=connect(connection(server.address, server.admin), KIND),
            unreachable=connect(connection(f"http://127.0.0.1:{free_port()}", server.admin), KIND),
            elsewhere=lambda address: connect(connection(address, server.admin), KIND),
            plant=plant,
            leaked=lambda _ref, secret: Leaked(secret=secret),
            garbled=lambda secret: Secret(secret.reveal()[:-30]),
            unknown=lambda ref: ref.with_id(absent),
            wrong_account=lambda: CredentialRef(KIND, "cluster", "default/of-another-cluster", absent),
            own=server.admin,
            narrow=connect(connection(server.address, looks), KIND),
            makes=lambda ref, _secret: plant(ref.owner)[0].id,
        )

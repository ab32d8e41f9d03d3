"""Client certificates at a fake of ours of the Kubernetes API, over TLS."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes

from rotator.credential import CredentialRef, Leaked, Secret
from rotator.ports.connection import Connection
from rotator.practice.process import free_port
from rotator.providers.kubernetes_client_certificate import connect
from tests.contracts.case import Case
from tests.fakes.kubernetes_server import KubernetesServer, kubernetes_server

KIND = "kubernetes_client_certificate"


def connection(server: KubernetesServer, address: str | None = None) -> Connection:
    """Return the rotator's own way in."""
    settings = {"ca_file": str(server.ca_file)}
    return Connection(
        "cluster", "kubernetes", None, address or server.address, lambda: server.admin, settings, settle_s=0.0
    )


def new_certificate(server: KubernetesServer, user: str) -> tuple[CredentialRef, Secret]:
    """Let the cluster's authority sign one for a user."""
    assert server.authority is not None
    pem = server.authority.client(user, "developers")
    fingerprint = x509.load_pem_x509_certificate(pem).fingerprint(hashes.SHA256()).hex()
    return CredentialRef(KIND, "cluster", user, f"sha256:{fingerprint}"), Secret(pem.decode())


@contextmanager
def open_case(tmp_path: Path) -> Iterator[Case]:
    numbers = count(1)
    with kubernetes_server(tls_in=tmp_path) as server:
        yield Case(
            provider=connect(connection(server), KIND),
            unreachable=connect(connection(server, f"https://127.0.0.1:{free_port()}"), KIND),
            plant=lambda owner=None: new_certificate(server, owner or f"person-{next(numbers)}"),
            leaked=lambda _ref, secret: Leaked(secret=secret),
            garbled=lambda secret: Secret(secret.reveal()[: len(secret.reveal()) // 2]),
            unknown=lambda ref: ref.with_id(f"sha256:{'0' * 64}"),
            own=server.admin,
            by_hand=lambda ref: server.distrust(ref.id.removeprefix("sha256:")),
            lists=False,
            views=False,
        )

"""Keys of service accounts, against our fake of Google's published REST behaviour: no emulator has them."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rotator.credential import CredentialRef, Leaked, Secret
from rotator.ports.connection import Connection
from rotator.practice.process import free_port
from rotator.providers.gcp_service_account_key import GcpServiceAccountKey, connect
from tests.contracts.case import Case
from tests.fakes.gcp_iam_server import FakeGcp, fake_gcp

NAME = "gcp_service_account_key"


def own_key(server: FakeGcp) -> Secret:
    """Return the key file of the rotator's own account."""
    return Secret(json.dumps(server.create_key(server.account("rotator"))))


def looking_key(server: FakeGcp) -> Secret:
    """Return the key file of an account that may look, and no more."""
    email = server.account("auditor")
    server.grants.give(email, "iam.serviceAccountKeys.list", "iam.serviceAccountKeys.get", "iam.serviceAccounts.get")
    return Secret(json.dumps(server.create_key(email)))


def connected(server: FakeGcp, own: Secret, **changed) -> GcpServiceAccountKey:
    fields = {"account": server.project, "endpoint_url": server.endpoint_url, "credential": lambda: own}
    fields |= {"settle_s": 0.0, "propagation_s": 0.0, **changed}
    return connect(Connection("gcp-test", "gcp", **fields), NAME)


def plant(server: FakeGcp, owner: str | None = None) -> tuple[CredentialRef, Secret]:
    email = server.account(owner or f"app-{secrets.token_hex(4)}")
    made = server.create_key(email)
    return CredentialRef(NAME, "gcp-test", email, made["private_key_id"]), Secret(json.dumps(made))


@contextmanager
def open_case(tmp_path: Path) -> Iterator[Case]:  # noqa: ARG001 - the fake is in memory
    with fake_gcp() as server:
        own = own_key(server)
        yield Case(
            provider=connected(server, own),
            unreachable=connected(server, own, endpoint_url=f"http://127.0.0.1:{free_port()}"),
            elsewhere=lambda address: connected(server, own, endpoint_url=address),
            plant=lambda owner=None: plant(server, owner),
            leaked=lambda _ref, secret: Leaked(secret=secret),
            garbled=lambda secret: Secret(secret.reveal()[:900]),
            unknown=lambda ref: ref.with_id(secrets.token_hex(20)),
            wrong_account=lambda: CredentialRef(
                NAME, "gcp-test", "ci@elsewhere.iam.gserviceaccount.com", secrets.token_hex(20)
            ),
            own=own,
            narrow=connected(server, looking_key(server)),
        )

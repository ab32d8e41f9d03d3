"""Client secrets of Entra applications, against a fake of the published behaviour of Graph and of sign-in."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rotator.credential import CredentialRef, Leaked, Secret
from rotator.ports.connection import Connection
from rotator.practice.process import free_port
from rotator.providers.azure_entra_secret import connect
from tests.contracts.case import Case
from tests.fakes.azure_server import FakeAzure, fake_azure

KIND = "azure_entra_secret"
LOOKS = ("Application.Read.All", "RoleManagement.Read.Directory")


def own(server: FakeAzure) -> Secret:
    """Return the document by which the rotator comes in."""
    return Secret(json.dumps({"client_id": server.own_application, "client_secret": server.own_secret.reveal()}))


def looking(server: FakeAzure, *assigned: str) -> tuple[str, Secret]:
    """Make an application to which these are assigned, and no more; return its client id and its document."""
    client = server.application()
    server.rights.assigned[client] = set(assigned)
    _, secret = server.plant(client)
    return client, Secret(json.dumps({"client_id": client, "client_secret": secret.reveal()}))


@contextmanager
def open_case(tmp_path: Path) -> Iterator[Case]:  # noqa: ARG001 - the fake keeps nothing on disk
    with fake_azure() as server:

        def connected(address: str, credential: Secret | None = None):
            quick = {"settle_s": 0.0, "propagation_s": 0.0}
            let_in = credential or own(server)
            return connect(Connection(KIND, "azure", server.tenant, address, lambda: let_in, **quick), KIND)

        def plant(owner: str | None = None) -> tuple[CredentialRef, Secret]:
            client = owner or server.application()
            key, secret = server.plant(client)
            return CredentialRef(KIND, KIND, client, key), secret

        yield Case(
            provider=connected(server.address),
            unreachable=connected(f"http://127.0.0.1:{free_port()}"),
            elsewhere=connected,
            plant=plant,
            leaked=lambda ref, secret: Leaked(owner=ref.owner, secret=secret),
            garbled=lambda secret: Secret(secret.reveal()[:-6]),
            unknown=lambda ref: ref.with_id(str(uuid.uuid4())),
            wrong_account=lambda: CredentialRef(KIND, KIND, str(uuid.uuid4()), str(uuid.uuid4())),
            own=server.own_secret,
            narrow=connected(server.address, looking(server, *LOOKS)[1]),
        )

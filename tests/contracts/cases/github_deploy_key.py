"""Deploy keys of GitHub, against a fake of its published lists and an SSH server of ours that keeps to them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rotator.credential import CredentialRef, Leaked, Secret
from rotator.ports.connection import Connection
from rotator.practice.process import free_port
from rotator.providers.github_deploy_key import connect
from tests.contracts.case import Case
from tests.fakes.github_keys import OWN, fake_github_keys

KIND = "github_deploy_key"


@contextmanager
def open_case(tmp_path: Path) -> Iterator[Case]:  # noqa: ARG001 - the fake keeps nothing on disk
    with fake_github_keys() as server:

        def connected(address: str):
            settings = {"ssh_address": server.ssh_address}
            return connect(Connection(KIND, "github", None, address, lambda: OWN, settings, settle_s=0.0), KIND)

        def plant(owner: str | None = None) -> tuple[CredentialRef, Secret]:
            repository = owner or server.repository()
            name, key = server.plant(f"/repos/{repository}/keys")
            return CredentialRef(KIND, KIND, repository, name), key

        yield Case(
            provider=connected(server.address),
            unreachable=connected(f"http://127.0.0.1:{free_port()}"),
            elsewhere=connected,
            plant=plant,
            leaked=lambda _ref, secret: Leaked(secret=secret),
            garbled=lambda secret: Secret(secret.reveal()[:-60]),
            unknown=lambda ref: ref.with_id("SHA256:" + "A" * 43),
            wrong_account=lambda: CredentialRef(KIND, KIND, "somebody/else", "SHA256:" + "A" * 43),
            own=OWN,
        )

"""SSH keys of a GitHub user, against a fake of the published list and an SSH server of ours that keeps to it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rotator.credential import CredentialRef, Leaked, Secret
from rotator.ports.connection import Connection
from rotator.practice.process import free_port
from rotator.providers.github_ssh_key import connect
from tests.contracts.case import Case
from tests.fakes.github_keys import LOGIN, OWN, fake_github_keys

KIND = "github_ssh_key"
PATH = "/user/keys"


@contextmanager
def open_case(tmp_path: Path) -> Iterator[Case]:  # noqa: ARG001 - the fake keeps nothing on disk
    with fake_github_keys() as server:
        asked_for: set[str] = set()

        def connected(address: str, own: Secret = OWN):
            settings = {"ssh_address": server.ssh_address}
            return connect(Connection(KIND, "github", None, address, lambda: own, settings, settle_s=0.0), KIND)

        def plant(owner: str | None = None) -> tuple[CredentialRef, Secret]:
            name, key = server.plant(PATH)
            if owner is None:
                asked_for.clear()
            else:
                asked_for.add(name)
            return CredentialRef(KIND, KIND, LOGIN, name), key

        def beside(ref: CredentialRef) -> frozenset[CredentialRef]:
            """Return the rest of the one user's list."""
            listed = connected(server.address).siblings(ref)
            return frozenset(each for each in listed if each.id not in asked_for | {ref.id})

        yield Case(
            provider=connected(server.address),
            unreachable=connected(f"http://127.0.0.1:{free_port()}"),
            elsewhere=connected,
            plant=plant,
            leaked=lambda _ref, secret: Leaked(secret=secret),
            garbled=lambda secret: Secret(secret.reveal()[:-60]),
            unknown=lambda ref: ref.with_id("SHA256:" + "A" * 43),
            wrong_account=lambda: CredentialRef(KIND, KIND, "hubot", "SHA256:" + "A" * 43),
            own=OWN,
            beside=beside,
            narrow=connected(server.address, server.bearer("read:public_key")),
        )

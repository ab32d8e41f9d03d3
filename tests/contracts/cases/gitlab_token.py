"""Tokens of a GitLab's projects, against a fake of the published behaviour; of users and groups: tests/providers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rotator.credential import CredentialRef, Leaked, Secret
from rotator.ports.connection import Connection
from rotator.practice.process import free_port
from rotator.providers.gitlab_token import connect
from tests.contracts.case import Case
from tests.fakes.gitlab_tokens import fake_gitlab

KIND = "gitlab_token"


@contextmanager
def open_case(tmp_path: Path) -> Iterator[Case]:  # noqa: ARG001 - the fake keeps nothing on disk
    with fake_gitlab() as server:
        _, looks = server.plant("user", server.root, scopes=["read_api"])

        def connected(address: str, own: Secret = server.own):
            return connect(Connection(KIND, "gitlab", None, address, lambda: own, settle_s=0.0), KIND)

        def plant(owner: str | None = None) -> tuple[CredentialRef, Secret]:
            project = int(owner.partition("/")[2]) if owner else server.place("project")
            number, token = server.plant("project", project)
            return CredentialRef(KIND, KIND, f"project/{project}", str(number)), token

        yield Case(
            provider=connected(server.address),
            unreachable=connected(f"http://127.0.0.1:{free_port()}"),
            elsewhere=connected,
            plant=plant,
            leaked=lambda _ref, secret: Leaked(secret=secret),
            garbled=lambda secret: Secret(secret.reveal()[:-6]),
            unknown=lambda ref: ref.with_id("987654321"),
            wrong_account=lambda: CredentialRef(KIND, KIND, "project/987654321", "1"),
            own=server.own,
            narrow=connected(server.address, looks),
            makes=lambda ref, _secret: f"'{plant(ref.owner)[0].id} of {ref.owner}'",
        )

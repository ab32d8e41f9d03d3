"""Outside collaborators, against our fake of GitHub's published lists; its users are managed, so they join at once."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rotator.credential import CredentialRef, Leaked, Secret
from rotator.ports.connection import Connection
from rotator.practice.process import free_port
from rotator.providers.github_collaborator import GitHubCollaborator, connect
from tests.contracts.case import Case
from tests.contracts.cases.aws_role_trust import NO_SECRET
from tests.fakes.github_trust import OWN, FakeTrust, fake_trust

NAME = "github_collaborator"


def connected(address: str) -> GitHubCollaborator:
    return connect(Connection(NAME, "github", None, address, lambda: OWN, settle_s=0.0), NAME)


def plant(server: FakeTrust, owner: str | None = None) -> tuple[CredentialRef, Secret]:
    repository, login = owner or server.repository(), server.login()
    server.repositories[repository][login] = "write"
    return CredentialRef(NAME, NAME, repository, f"{repository}/{login}:{server.number(login)}"), NO_SECRET


@contextmanager
def open_case(tmp_path: Path) -> Iterator[Case]:  # noqa: ARG001 - the fake keeps nothing on disk
    with fake_trust() as server:
        yield Case(
            provider=connected(server.address),
            unreachable=connected(f"http://127.0.0.1:{free_port()}"),
            elsewhere=connected,
            plant=lambda owner=None: plant(server, owner),
            leaked=lambda ref, _: Leaked(id=ref.id.lower()),
            garbled=lambda secret: secret,
            unknown=lambda ref: ref.with_id(f"{ref.owner}/nobody"),
            wrong_account=lambda: CredentialRef(NAME, NAME, "somebody/else", "somebody/else/nobody"),
            own=OWN,
            forgets=True,
        )

"""Apps that organizations have installed, against our fake of GitHub's published list; a person uninstalls them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rotator.credential import CredentialRef, Leaked, Secret
from rotator.ports.connection import Connection
from rotator.practice.process import free_port
from rotator.providers.github_app_installation import GitHubAppInstallation, connect
from tests.contracts.case import Case
from tests.contracts.cases.aws_role_trust import NO_SECRET
from tests.fakes.github_trust import OWN, FakeTrust, fake_trust

NAME = "github_app_installation"


def connected(address: str, account: str | None = None) -> GitHubAppInstallation:
    return connect(Connection(NAME, "github", account, address, lambda: OWN, settle_s=0.0), NAME)


def plant(server: FakeTrust, owner: str | None = None) -> tuple[CredentialRef, Secret]:
    organization = owner or server.organization()
    made = server.install(organization)
    return CredentialRef(NAME, NAME, organization, f"{organization}/{made['app_slug']}:{made['app_id']}"), NO_SECRET


@contextmanager
def open_case(tmp_path: Path) -> Iterator[Case]:  # noqa: ARG001 - the fake keeps nothing on disk
    with fake_trust() as server:
        yield Case(
            provider=connected(server.address),
            unreachable=connected(f"http://127.0.0.1:{free_port()}"),
            elsewhere=connected,
            plant=lambda owner=None: plant(server, owner),
            leaked=lambda ref, _: Leaked(id=ref.id),
            garbled=lambda secret: secret,
            unknown=lambda ref: ref.with_id(f"{ref.owner}/no-such-app"),
            by_hand=lambda ref: server.uninstall(*ref.id.partition(":")[0].split("/")),
            own=OWN,
        )

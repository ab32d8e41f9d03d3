"""Tokens of GitHub, against a fake of the published behaviour: never against GitHub itself."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

from rotator.credential import CredentialRef, Leaked, Secret
from rotator.ports.connection import Connection
from rotator.practice.process import free_port
from rotator.providers.github_token import connect, hashed
from tests.contracts.case import Case
from tests.fakes.github_server import github_server


@contextmanager
def open_case(tmp_path: Path) -> Iterator[Case]:  # noqa: ARG001 - the fake keeps nothing on disk
    numbers = count(1)
    with github_server() as server:

        def connected(address: str):
            return connect(Connection("github", "github", endpoint_url=address), "github_token")

        def plant(owner: str | None = None) -> tuple[CredentialRef, Secret]:
            name = owner or f"dev-{next(numbers)}"
            server.pass_time(3600.0)  # sixty calls an hour are fewer than the contract makes
            token = server.plant(name)
            return CredentialRef("github_token", "github", name, hashed(token)), token

        yield Case(
            provider=connected(server.address),
            unreachable=connected(f"http://127.0.0.1:{free_port()}"),
            elsewhere=connected,
            plant=plant,
            leaked=lambda _ref, secret: Leaked(secret=secret),
            garbled=lambda secret: Secret(secret.reveal()[:-6]),
            unknown=lambda ref: ref.with_id(hashed(Secret("ghp_" + "x" * 36))),
            lists=False,
            views=False,
        )

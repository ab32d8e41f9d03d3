"""The fake of a chosen kind that its issuer must learn, held to what the real ones promise."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rotator.credential import Leaked, Secret
from tests.contracts.case import Case
from tests.fakes.issuer import Issuer
from tests.fakes.passwords import PasswordIssuer
from tests.fakes.world import World


@contextmanager
def open_case(tmp_path: Path) -> Iterator[Case]:  # noqa: ARG001 - this world is in memory
    world = World()
    provider = PasswordIssuer(Issuer(world, "password", "directory"))
    yield Case(
        provider=provider,
        unreachable=PasswordIssuer(Issuer(world, "password", "directory", reachable=False)),
        plant=provider.plant,
        leaked=lambda _ref, secret: Leaked(secret=secret),
        garbled=lambda secret: Secret(secret.reveal()[:-6]),
        unknown=lambda ref: ref.with_id(f"{ref.owner}:00000000"),
    )

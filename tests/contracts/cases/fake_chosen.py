"""The fake of a chosen kind on several doors, held to what the real ones promise."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rotator.credential import Leaked, Secret
from tests.contracts.case import Case
from tests.fakes.doors import DoorIssuer
from tests.fakes.issuer import Issuer
from tests.fakes.world import World


@contextmanager
def open_case(tmp_path: Path) -> Iterator[Case]:  # noqa: ARG001 - this world is in memory
    world = World()
    doors = ("web-1", "web-2", "db-1")
    provider = DoorIssuer(Issuer(world, "ssh_authorized_key", "hosts"), doors)
    yield Case(
        provider=provider,
        unreachable=DoorIssuer(Issuer(world, "ssh_authorized_key", "hosts", reachable=False), doors),
        plant=provider.plant,
        leaked=lambda _ref, secret: Leaked(secret=secret),
        garbled=lambda secret: Secret(secret.reveal()[:-6]),
        unknown=lambda ref: ref.with_id("0" * 32),
    )

"""The fake of a minted kind that can only be destroyed, in a world that is a file, held to what the real ones are."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rotator.credential import Leaked, Secret
from tests.contracts.case import Case
from tests.fakes.issuer import Issuer, TokenIssuer
from tests.fakes.world import FileWorld


@contextmanager
def open_case(tmp_path: Path) -> Iterator[Case]:
    world = FileWorld(tmp_path / "world.json")
    issuer = Issuer(world, "vault_token", "vault")
    yield Case(
        provider=TokenIssuer(issuer),
        unreachable=TokenIssuer(Issuer(world, "vault_token", "vault", reachable=False)),
        plant=issuer.plant,
        leaked=lambda _ref, secret: Leaked(secret=secret),
        garbled=lambda secret: Secret(secret.reveal()[:-6]),
        unknown=lambda ref: ref.with_id("KEY99999"),
    )

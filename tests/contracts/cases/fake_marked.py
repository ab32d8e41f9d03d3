"""The fake of a minted kind that carries a marker, held to what the real ones promise."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rotator.credential import Leaked, Secret
from tests.contracts.case import Case
from tests.fakes.issuer import Issuer, MarkedIssuer
from tests.fakes.world import World


@contextmanager
def open_case(tmp_path: Path) -> Iterator[Case]:  # noqa: ARG001 - this world is in memory
    world = World()
    issuer = Issuer(world, "acme_api_token", "acme")
    yield Case(
        provider=MarkedIssuer(issuer),
        unreachable=MarkedIssuer(Issuer(world, "acme_api_token", "acme", reachable=False)),
        plant=issuer.plant,
        leaked=lambda _ref, secret: Leaked(secret=secret),
        garbled=lambda secret: Secret(secret.reveal()[:-6]),
        unknown=lambda ref: ref.with_id("KEY99999"),
    )

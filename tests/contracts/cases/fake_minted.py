"""The fake of a minted kind with sessions and a quota, held to what the real ones promise."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rotator.credential import Leaked, Secret
from tests.contracts.case import Case
from tests.fakes.issuer import Issuer, KeyIssuer
from tests.fakes.world import World


@contextmanager
def open_case(tmp_path: Path) -> Iterator[Case]:  # noqa: ARG001 - this world is in memory
    world = World()
    issuer = Issuer(world, "aws_iam_access_key", "aws", quota=3)
    yield Case(
        provider=KeyIssuer(issuer),
        unreachable=KeyIssuer(Issuer(world, "aws_iam_access_key", "aws", reachable=False)),
        plant=issuer.plant,
        leaked=lambda ref, secret: Leaked(id=ref.id, secret=secret),
        garbled=lambda secret: Secret(secret.reveal()[:-6]),
        unknown=lambda ref: ref.with_id("KEY99999"),
    )

"""A contract case for every kind that people alone end: nothing answers a machine, so there is no target.

What the suite holds is that the kind says so: it names what leaked, claims nothing else, and does nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count

from rotator.credential import CredentialRef, Leaked, Secret
from rotator.families.by_hand import CONNECTION
from rotator.providers.by_hand import connect
from tests.contracts.case import Case


@contextmanager
def by_hand_case(name: str) -> Iterator[Case]:
    """Open the case of one such kind."""
    numbers = count(1)
    provider = connect(CONNECTION, name)

    def plant(owner: str | None = None) -> tuple[CredentialRef, Secret]:
        number = next(numbers)
        ref = CredentialRef(name, CONNECTION.name, owner or f"owner-{number}", f"laptop-{number}")
        return ref, Secret(f"-----BEGIN KEY-----\ncanary-{number}-7f3a9b2c51\n-----END KEY-----")

    yield Case(
        provider=provider,
        unreachable=provider,
        plant=plant,
        leaked=lambda ref, secret: Leaked(id=ref.id, secret=secret, owner=ref.owner),
        garbled=lambda secret: Secret(secret.reveal()[:-30]),
        unknown=lambda ref: ref.with_id("never-heard-of"),
        lists=False,
        views=False,
    )

"""The other sides, as the engine finds them: providers, stores and consumers."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Protocol

from rotator.credential import CredentialRef
from rotator.errors import RotatorError
from rotator.flow.scope import ConsumerAddress
from rotator.ports.consumer import Consumer
from rotator.ports.provider import Provider
from rotator.ports.store import Place, Store


class World(Protocol):
    """Where the engine finds the other sides: made once, thread-safe."""

    def provider(self, ref: CredentialRef) -> Provider: ...
    def store(self, place: Place) -> Store: ...
    def consumer(self, address: ConsumerAddress) -> Consumer: ...


@contextlib.contextmanager
def elsewhere() -> Iterator[None]:
    """Mark what a store or a consumer raises: it says nothing of the credential's own account."""
    try:
        yield
    except RotatorError as error:
        error.elsewhere = True
        raise

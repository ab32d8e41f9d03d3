"""The fake store, held to what the real ones promise."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

from tests.fakes.store import FakeStore
from tests.fakes.world import World
from tests.stores.store_contract import StoreCase


@contextmanager
def open_case(tmp_path: Path) -> Iterator[StoreCase]:  # noqa: ARG001 - this world is in memory
    numbers = count(1)
    world = World()
    store = FakeStore(world, "vault")
    yield StoreCase(
        store=store,
        unreachable=FakeStore(world, "vault", reachable=False),
        fresh_name=lambda: f"app/service-{next(numbers)}",
        put=store.put,
        consumer_reads=store.consumed,
    )

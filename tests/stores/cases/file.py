"""Real files in a folder of the test's own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

from rotator.ports.connection import Connection
from rotator.stores.file import connect
from tests.stores.store_contract import StoreCase


@contextmanager
def open_case(tmp_path: Path) -> Iterator[StoreCase]:
    numbers = count(1)
    folder = tmp_path / "secrets"
    (folder / "app").mkdir(parents=True)

    def connected(at: Path):
        return connect(Connection("here", "file", settings={"folder": str(at)}))

    def put(name: str, text: str) -> None:
        beside = folder / f"{name}.new"
        beside.write_text(text)
        beside.rename(folder / name)

    yield StoreCase(
        store=connected(folder),
        unreachable=connected(tmp_path / "not mounted"),
        fresh_name=lambda: f"app/service-{next(numbers)}.json",
        put=put,
        consumer_reads=lambda name: (folder / name).read_text() if (folder / name).exists() else None,
    )

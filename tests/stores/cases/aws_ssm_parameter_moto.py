"""AWS Systems Manager's parameters, as moto plays them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.servers.moto import moto_server
from tests.stores.ssm_case import store_case
from tests.stores.store_contract import StoreCase


@contextmanager
def open_case(tmp_path: Path) -> Iterator[StoreCase]:
    with moto_server(tmp_path) as server:
        yield store_case(server)

"""AWS Systems Manager's parameters, as ministack plays them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rotator.practice.ministack import ministack
from tests.stores.ssm_case import store_case
from tests.stores.store_contract import StoreCase


@contextmanager
def open_case(tmp_path: Path) -> Iterator[StoreCase]:
    with ministack(tmp_path, services="iam,sts,ssm") as server:
        yield store_case(server)

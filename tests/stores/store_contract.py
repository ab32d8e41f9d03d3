"""What a kind of store brings so that the store contract can be run on it, against a real server.

Each module in `cases/` has one function, `open_case(tmp_path)`, a context manager that starts what the store needs
and yields a `StoreCase`. A new module is found by being there; `test_store_contract.py` tries it.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from rotator.ports.store import Store
from tests.stores import cases


@dataclass(frozen=True)
class StoreCase:
    """One kind of store, ready to be tried.

    `unreachable` is the same store, connected to a port where nothing listens. `fresh_name` names a place that holds
    nothing yet. `put` lets another hand write a new current value, and `consumer_reads` returns what a consumer gets
    there now (None: nothing, or nothing a consumer could use); both with a client that is not rotator's.
    `narrow` is the same store let in by a credential that may look and no more, where the store tells what one may.
    """

    store: Store
    unreachable: Store
    fresh_name: Callable[[], str]
    put: Callable[[str, str], None]
    consumer_reads: Callable[[str], str | None]
    narrow: Store | None = None


def case_names() -> list[str]:
    """Return the stores that have a case, in order."""
    return sorted(module.name for module in pkgutil.iter_modules(cases.__path__))


def opener(name: str) -> Callable[[Path], AbstractContextManager[StoreCase]]:
    """Return the `open_case` of one store."""
    return importlib.import_module(f"{cases.__name__}.{name}").open_case

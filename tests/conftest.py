"""What every test begins with."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest
import structlog

LONGEST = frozenset({"browser", "faults", "soak", "crash", "e2e", "contracts", "test_benchmarks.py"})
"""The folders whose tests take or wait longest; a file of many is one process's, as is the one of the benchmarks."""
WAITING = frozenset({"faults", "e2e"})
"""Those that wait for leases, settle times and processes of their own, and compute little."""
BY_THEN = 0.6
"""When the last of these begins, as a share of all other files: what waits may wait long."""


@pytest.fixture(autouse=True)
def fresh_logging():
    """Let no test inherit how another, a quiet command say, had set up logging in this process."""
    structlog.reset_defaults()
    logging.getLogger("rotator").setLevel(logging.NOTSET)


def pytest_collection_modifyitems(items):
    """Let what takes longest begin first, and what waits go among what computes: no processor is left without work."""
    here = Path(__file__).parent
    folder_of = {item.path: item.path.relative_to(here).parts[0] for item in items}
    files = sorted(folder_of, key=lambda file: folder_of[file] not in LONGEST)
    waiting = [file for file in files if folder_of[file] in WAITING]
    computing = [file for file in files if folder_of[file] not in WAITING]
    begins = {file: number / len(computing) for number, file in enumerate(computing)}
    begins |= {file: number / len(waiting) * BY_THEN for number, file in enumerate(waiting)}
    items.sort(key=lambda item: begins[item.path])

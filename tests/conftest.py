"""What every test begins with."""

from __future__ import annotations

from pathlib import Path

import pytest
import structlog

LONGEST = frozenset({"browser", "faults", "soak", "crash", "e2e", "contracts", "test_benchmarks.py"})
"""The folders whose tests take or wait longest; a file of many is one process's, as is the one of the benchmarks."""


@pytest.fixture(autouse=True)
def fresh_logging():
    """Let no test inherit how another, a quiet command say, had set up logging in this process."""
    structlog.reset_defaults()


def pytest_collection_modifyitems(items):
    """Let what waits longest begin first: no process is left alone with it at the end."""
    here = Path(__file__).parent
    items.sort(key=lambda item: item.path.relative_to(here).parts[0] not in LONGEST)

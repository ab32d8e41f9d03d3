"""What every test begins with."""

from __future__ import annotations

import gc
import logging
import os
import random
from pathlib import Path

import pytest
import structlog

from rotator.ledger.database import Database
from rotator.practice.servers import running_servers
from tests import ledgers_at_once

LONGEST = frozenset({"browser", "faults", "soak", "crash", "e2e", "contracts", "test_benchmarks.py"})
"""The folders whose tests take or wait longest; a file of many is one process's, as is the one of the benchmarks."""
WAITING = frozenset({"faults", "e2e"})
"""Those that wait for leases, settle times and processes of their own, and compute little."""
SOME = 0.5
"""How many of very many moments that are alike are tried, where not all are asked for."""
BY_THEN = 0.6
"""When the last of these begins, as a share of all other files: what waits may wait long."""

gc.set_threshold(20_000, 20, 100)  # with the usual ones, a third of the time to find the tests went into collecting


@pytest.fixture(autouse=True)
def fresh_logging():
    """Let no test inherit how another, a quiet command say, had set up logging in this process."""
    structlog.reset_defaults()
    logging.getLogger("rotator").setLevel(logging.NOTSET)


@pytest.fixture(scope="session", autouse=True)
def migrated_once():
    """Give each new SQLite ledger of this process its tables in one go: hundreds of tests begin with one."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Database, "migrate", ledgers_at_once.migrate)
        yield


@pytest.fixture(scope="session")
def servers(tmp_path_factory):
    """Run what all end-to-end tests, faults and crashes of this process share: a server that idles costs too."""
    with running_servers(tmp_path_factory.mktemp("servers")) as up:
        yield up


@pytest.fixture(scope="session")
def everything():
    """Tell whether all is to be tried, which takes its time: CRASH=all, of `make crash`."""
    return os.environ.get("CRASH") == "all"


@pytest.fixture(scope="session")
def seed():
    return os.environ.get("SEED", "1")


@pytest.fixture
def is_tried(request, everything, seed):
    """Return a function that tells of each moment whether it is tried: all of them, or else half, as the seed says."""
    return lambda at: everything or random.Random(f"{seed} {request.node.nodeid} {at}").random() < SOME


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


def pytest_collection_finish():
    """Leave all tests, and what they import, out of every later collection."""
    gc.freeze()

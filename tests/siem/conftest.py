"""A house for each test, on one ledger that is emptied."""

from __future__ import annotations

import pytest

from tests.fakes.deployment import emptied, sqlite
from tests.siem.house import House


@pytest.fixture(scope="module")
def ledger(tmp_path_factory):
    database = sqlite(tmp_path_factory.mktemp("siem") / "ledger.db")
    yield database
    database.close()


@pytest.fixture
def house(ledger):
    return House(emptied(ledger))

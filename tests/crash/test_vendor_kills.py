"""A vendor's pause and restore, killed at any moment and done once more: whole, once, and nothing lost.

Here a few moments, which the seed draws; `make crash` tries every one.
"""

from __future__ import annotations

import pytest

from tests.crash.vendors import some, told
from tests.fakes.deployment import sqlite

SEED, COUNT = "20261123", 5


@pytest.fixture(scope="module")
def ledger(tmp_path_factory):
    database = sqlite(tmp_path_factory.mktemp("vendor-kills") / "ledger.db")
    yield database
    database.close()


def test_a_pause_or_a_restore_that_is_killed_and_done_once_more_is_whole_and_done_once(tmp_path, ledger):
    met, wrong = told(tmp_path, ledger, 0)
    assert wrong == []
    ended = {at: told(tmp_path, ledger, at)[1] for at in some(met, COUNT, SEED)}
    assert {at: found for at, found in ended.items() if found} == {}

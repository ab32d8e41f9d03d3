"""The same tests on both ledgers: SQLite as embedded, and a real PostgreSQL as in production."""

from __future__ import annotations

import pytest

from rotator.ledger.database import Database
from tests.fakes.company import founded
from tests.fakes.deployment import emptied, sqlite
from tests.servers.postgres import postgres

BACKENDS = ("sqlite", "postgresql")


@pytest.fixture(scope="session")
def postgresql():
    """Run one PostgreSQL; give its address."""
    with postgres() as url:
        yield url


@pytest.fixture(scope="session", params=BACKENDS)
def migrated(request, tmp_path_factory):
    """Open one ledger of each kind, its tables made."""
    if request.param == "sqlite":
        database = sqlite(tmp_path_factory.mktemp("sqlite") / "ledger.db")
    else:
        database = Database(request.getfixturevalue("postgresql"))
        database.migrate()
    yield database
    database.close()


@pytest.fixture
def database(migrated):
    """Give an empty ledger."""
    return emptied(migrated)


@pytest.fixture
def house(database, tmp_path):
    """Give a company of fakes and a deployment on this ledger."""
    return founded(tmp_path, database=database)

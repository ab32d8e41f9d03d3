"""Drills stand on the same ledgers as everything else."""

from tests.ledger.conftest import database, house, migrated, postgresql  # noqa: F401 - fixtures

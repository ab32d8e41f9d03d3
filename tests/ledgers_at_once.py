"""New SQLite ledgers of the tests' own process: forty migrations, and the wording of each statement, done once for all.

What a ledger holds then is what the migrations made of another, read from it; tests/ledger/test_migrations.py goes
through them one by one.
"""

from __future__ import annotations

import functools
import secrets
import sqlite3
import tempfile
from pathlib import Path
from typing import Any

from sqlalchemy import update

from rotator.ledger import tables
from rotator.ledger.database import Database

MIGRATED = Database.migrate


class Worded(dict[tuple[Any, ...], Any]):
    """Keep how statements are worded, for all ledgers of a process: each would word them anew.

    The first part of a key is the engine's dialect, and those of SQLite ledgers are all alike.
    """

    def get(self, key: tuple[Any, ...], default: Any = None) -> Any:
        return super().get(key[1:], default)

    def __setitem__(self, key: tuple[Any, ...], value: Any) -> None:
        super().__setitem__(key[1:], value)


WORDED = Worded()


def migrate(database: Database) -> None:
    """Bring the tables to HEAD as the product does, those of a new SQLite ledger in one go."""
    if database.sqlite:
        database.engine.update_execution_options(compiled_cache=WORDED)
        if database.engine.url.database and _is_new(database):
            with database.write() as connection:
                at_once = connection.connection.cursor()
                if _holds_nothing(at_once):  # nobody else made them meanwhile
                    for statement in made():
                        at_once.execute(statement)
                    connection.execute(update(tables.epoch).values(name=secrets.token_hex(8)))  # a ledger of its own
    MIGRATED(database)


def _is_new(database: Database) -> bool:
    with database.engine.connect() as connection:
        return _holds_nothing(connection.connection.cursor())


def _holds_nothing(cursor: Any) -> bool:
    return cursor.execute("SELECT count(*) FROM sqlite_master").fetchone() == (0,)


@functools.cache
def made() -> tuple[str, ...]:
    """Return the statements that make the tables of a migrated ledger, and what stands in them from the beginning."""
    with tempfile.TemporaryDirectory() as folder:
        database = Database(f"sqlite:///{Path(folder) / 'ledger.db'}")
        MIGRATED(database)
        database.close()
        kept = sqlite3.connect(Path(folder) / "ledger.db")
        made = tuple(each for each in kept.iterdump() if each not in {"BEGIN TRANSACTION;", "COMMIT;"})
        kept.close()
    return made

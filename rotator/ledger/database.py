"""Open the ledger's database: SQLite by default, PostgreSQL in production.

SQLite runs in WAL mode with FULL synchronisation, since what it keeps is evidence. Writers begin IMMEDIATE under an
in-process lock: with deferred transactions and eight writers most of them fail with "database is locked".
"""

from __future__ import annotations

import contextlib
import threading
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.exc import SQLAlchemyError

from rotator.errors import BadInput
from rotator.ledger.group_commit import Answer, GroupCommit

HEAD = "0040"
"""The newest migration; a test compares it with the scripts."""


LedgerFailed = SQLAlchemyError
"""What any use of the ledger may raise. Its words quote rows, so only its kind is ever told."""

IDLE_S = 20
"""A process that says nothing for so long inside a transaction is frozen or cut off: PostgreSQL ends it."""
WAIT_S = 25
"""How long one waits for what another holds: longer than it takes to end one that is frozen."""
_LINE = {"connect_timeout": 10, "keepalives_idle": 10, "keepalives_interval": 5, "tcp_user_timeout": 30_000}
"""How soon a server that is cut off is given up."""

UNDEFINED_TABLE = "42P01"
"""What PostgreSQL calls it, in every language."""


class Database:
    """A pool of connections and the two ways to use one."""

    def __init__(self, url: str) -> None:
        try:
            self.url = make_url(url)
            self.sqlite = self.url.get_backend_name() == "sqlite"
            self.engine = _sqlite(url) if self.sqlite else _postgres(url)
        except (ImportError, ValueError, SQLAlchemyError) as error:
            raise BadInput(
                f"cannot use this database ({type(error).__name__})",
                "ROTATOR_DATABASE_URL",
                "PostgreSQL needs postgresql+psycopg://… and the `postgres` extra",
            ) from None
        except OSError as error:
            raise BadInput(
                f"the ledger cannot be kept there ({error.strerror})", str(self.url.database), "is data_dir right?"
            ) from None
        # At the latest as the process ends: then SQLite takes its log into the file, which people copy and move.
        weakref.finalize(self, self.engine.dispose)
        self._writer = threading.Lock()
        self._group = GroupCommit(self.write)

    @contextlib.contextmanager
    def write(self) -> Iterator[Connection]:
        """Give a connection inside a write transaction; commit at the end, roll back on an exception."""
        if not self.sqlite:
            with self.engine.begin() as connection:
                yield connection
            return
        with self._writer, self.engine.connect() as connection:
            connection.exec_driver_sql("BEGIN IMMEDIATE")
            try:
                yield connection
            except BaseException:
                connection.rollback()
                raise
            connection.commit()

    def commit(self, work: Callable[[Connection], Answer]) -> Answer:
        """Do short work in a write transaction and return its answer once it is durable; raise what it raises.

        On SQLite, threads that come together share one transaction: see `group_commit.py` for what that asks of `work`.
        """
        if self.sqlite:
            return self._group.do(work)
        with self.write() as connection:
            return work(connection)

    @contextlib.contextmanager
    def read(self) -> Iterator[Connection]:
        """Give a connection that sees one consistent state."""
        with self.engine.connect() as connection:
            if self.sqlite:
                connection.exec_driver_sql("BEGIN")
            yield connection
            connection.rollback()

    @contextlib.contextmanager
    def picture(self) -> Iterator[Connection]:
        """Give a connection whose every question is answered as of the first one, however long that takes."""
        with self.read() as connection:
            if not self.sqlite:
                connection.execution_options(isolation_level="REPEATABLE READ")
            yield connection

    def migrate(self) -> None:
        """Bring the tables to HEAD; do nothing when they are there. Safe while other processes do the same."""
        found = self._revision()
        if found == HEAD:
            return
        if found is not None and found > HEAD:
            raise BadInput(
                f"the ledger is of a newer rotator (its tables are {found}, ours {HEAD})", self._shown, "update rotator"
            )
        from alembic import command  # noqa: PLC0415 - a fifth of a second that only a migration should cost
        from alembic.config import Config  # noqa: PLC0415

        config = Config()
        config.set_main_option("script_location", str(Path(__file__).with_name("migrations")))
        with self.write() as connection:
            if not self.sqlite:
                connection.execute(text("SET LOCAL lock_timeout = 0"))  # however long another's migration takes
                connection.execute(text("SELECT pg_advisory_xact_lock(491286114)"))
            config.attributes["connection"] = connection
            command.upgrade(config, "head")

    def _revision(self) -> str | None:
        try:
            with self.engine.connect() as connection:
                return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
        except SQLAlchemyError as error:
            if _no_such_table(error):
                return None
            raise BadInput(
                f"the ledger's database does not answer ({type(error).__name__})",
                self._shown,
                "is it running, and is ROTATOR_DATABASE_URL right?",
            ) from None

    @property
    def _shown(self) -> str:
        # A password may stand in the query too.
        return self.url.set(query={}).render_as_string(hide_password=True)

    def close(self) -> None:
        """Close every connection."""
        self.engine.dispose()


def _no_such_table(error: SQLAlchemyError) -> bool:
    said = getattr(error, "orig", None)
    return getattr(said, "sqlstate", None) == UNDEFINED_TABLE or "no such table" in str(said)


def _postgres(url: str) -> Engine:
    # What the address says of its own connection goes first.
    line = {name: value for name, value in _LINE.items() if name not in make_url(url).query}
    # Parameters stay out of errors: they are names, and still nobody's business in a log.
    engine = create_engine(url, connect_args=line, pool_size=40, max_overflow=10, hide_parameters=True)

    @event.listens_for(engine, "connect")
    def _bound(connection: Any, _record: object) -> None:
        """Let the server give up who is frozen or cut off inside a transaction, and who waits for him."""
        told = {
            "idle_in_transaction_session_timeout": f"{IDLE_S}s",
            "lock_timeout": f"{WAIT_S}s",
            "tcp_keepalives_idle": "10",
            "tcp_keepalives_interval": "5",
            "tcp_user_timeout": "30000",
        }
        # Not as `options` of the connection: those may be the address's own.
        connection.autocommit = True
        connection.execute(
            "SELECT " + ", ".join(f"set_config('{name}', '{value}', false)" for name, value in told.items())
        )
        connection.autocommit = False

    return engine


def _sqlite(url: str) -> Engine:
    path = make_url(url).database
    if path and path != ":memory:":
        Path(path).parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        Path(path).touch(mode=0o600)
    engine = create_engine(
        url,
        connect_args={"check_same_thread": False, "timeout": 30},
        pool_size=40,
        hide_parameters=True,
        pool_reset_on_return=None,  # each way to use one ends its transaction itself
    )

    @event.listens_for(engine, "connect")
    def _prepare(connection: object, _record: object) -> None:
        connection.isolation_level = None  # type: ignore[attr-defined]  # we say BEGIN ourselves
        cursor = connection.cursor()  # type: ignore[attr-defined]
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "busy_timeout=30000"):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    return engine

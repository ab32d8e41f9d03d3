"""Back up the ledger into one file, and restore it into an empty ledger of either kind.

The file is a SQLite database with the ledger's own tables, whichever database they came from: one format, no tool of a
server's release, no password on a command line. It is read as one snapshot, and nobody waits for it. Sealed secrets are
in it as the ledger keeps them; the key that opens them is not, and must be kept elsewhere.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import URL, Connection, Table, func, insert, select, text

from rotator import __version__, clock
from rotator.errors import BadInput
from rotator.ledger import health, restored, tables
from rotator.ledger.database import HEAD, Database, LedgerFailed
from rotator.seal import Seal

AT_ONCE = 1_000
"""Rows that are copied in one go."""

OF_HERE_AND_NOW = frozenset({"machine", "leader", "epoch"})
"""Tables that say which machines and dispatchers live now, and which ledger it is: a restored one is another."""
_OF_HERE: dict[str, dict[str, object]] = {"evidence": {"tx": 0}}
"""What numbers mean nothing elsewhere: of transactions. What is brought back comes before every one that follows."""

MADE_BY = "made with: rotator ledger backup FILE"


@dataclass(frozen=True, slots=True)
class Backup:
    """What a backup holds. `taken_at` in epoch seconds; `rows` in all tables."""

    taken_at: float
    release: str
    incidents: int
    rows: int


@dataclass(frozen=True, slots=True)
class Restored:
    """What was restored, which mints are looked for before any other, and how many sealed secrets the key opens not."""

    backup: Backup
    looked_for: int
    unopened: int


def back_up(database: Database, path: Path, now: float | None = None) -> Backup:
    """Write the ledger as it is now to a new file of mode 0600; return what is in it.

    Raises BadInput where the file is there already, or cannot be written. What was begun is then removed.
    """
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))  # so that nobody's file is written over
    except FileExistsError:
        raise BadInput("a file is there already", str(path), "name a new one: a backup is never written over") from None
    except OSError as error:
        raise BadInput(f"the backup cannot be kept there ({error.strerror})", str(path), "name another place") from None
    try:
        with tempfile.TemporaryDirectory(prefix=".rotator-backup-", dir=path.parent) as folder:
            part = Path(folder) / "ledger.db"
            found = _write(database, part, clock.now() if now is None else now)
            part.replace(path)
    except (OSError, LedgerFailed) as error:
        path.unlink()
        raise BadInput(f"the backup failed ({type(error).__name__})", str(path), "is there room for it?") from None
    except BaseException:
        path.unlink()
        raise
    return found


def restore(database: Database, path: Path, seal: Seal, by: str, now: float | None = None) -> Restored:
    """Bring a backup into an empty ledger, all of it or nothing, stopped until a person lets it go on.

    Raises BadInput for what is no backup, or is of a newer release, and where the ledger is not empty.
    """
    taken_at, release = _described(path)
    with _opened(path) as kept:
        at = clock.now() if now is None else now
        with kept.read() as source, database.write() as target:
            if any(target.execute(select(each).limit(1)).first() is not None for each in _tables()):
                where = database.url.set(query={}).render_as_string(hide_password=True)
                mend = "a backup is restored into a new one: name another database_url, or data_dir"
                raise BadInput("this ledger is not empty", where, mend)
            copied = _copy(source, target)
            _count_on(database, target)
            looked_for = restored.mark(target, taken_at, at, by)
            incidents = target.execute(select(func.count()).select_from(tables.incident)).scalar_one()
            unopened = health.unopened(target, seal)
    return Restored(Backup(taken_at, release, incidents, copied), looked_for, unopened)


def _tables() -> list[Table]:
    """Return what is restored, each table after those to which its rows refer."""
    return [each for each in tables.metadata.sorted_tables if each.name not in OF_HERE_AND_NOW]


def _write(database: Database, part: Path, taken_at: float) -> Backup:
    kept = Database(_address(part))
    try:
        with _snapshot(database) as source, kept.write() as target:
            tables.metadata.create_all(target)
            target.execute(text("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL PRIMARY KEY)"))
            target.execute(text("INSERT INTO alembic_version VALUES (:head)"), {"head": HEAD})
            target.execute(text("CREATE TABLE backup (taken_at DOUBLE NOT NULL, release TEXT NOT NULL)"))
            target.execute(text("INSERT INTO backup VALUES (:at, :of)"), {"at": taken_at, "of": __version__})
            copied = _copy(source, target)
            incidents = target.execute(select(func.count()).select_from(tables.incident)).scalar_one()
        with kept.engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA journal_mode=DELETE")  # it is one file from here on
    finally:
        kept.close()
    return Backup(taken_at, __version__, incidents, copied)


@contextlib.contextmanager
def _snapshot(database: Database) -> Iterator[Connection]:
    """Give a connection to which the whole ledger stands still, while workers go on."""
    with database.read() as connection:
        if not database.sqlite:
            connection.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"))
        yield connection


def _copy(source: Connection, target: Connection) -> int:
    """Copy the rows of every table; return how many."""
    copied = 0
    for table in _tables():
        rows = source.execute(select(table), execution_options={"yield_per": AT_ONCE}).mappings()
        for some in rows.partitions():
            target.execute(insert(table), [{**row, **_OF_HERE.get(table.name, {})} for row in some])
            copied += len(some)
    return copied


def _count_on(database: Database, target: Connection) -> None:
    """Let PostgreSQL number new rows after those that came with numbers of their own; SQLite does so by itself."""
    if database.sqlite:
        return
    for table in _tables():
        counted = table.autoincrement_column
        if counted is not None and (last := target.execute(select(func.max(counted))).scalar()) is not None:
            where = {"table": table.name, "column": counted.name, "last": last}
            target.execute(text("SELECT setval(pg_get_serial_sequence(:table, :column), :last)"), where)


def _described(path: Path) -> tuple[float, str]:
    """Return when a backup was taken, and by which release. Raises BadInput for what is none that can be used."""
    if not path.is_file():
        raise BadInput("no such file", str(path), f"a backup is {MADE_BY}")
    try:
        # As a database that nobody changes: what a crashed writer left beside it is not looked for.
        with contextlib.closing(sqlite3.connect(f"{path.absolute().as_uri()}?immutable=1", uri=True)) as kept:
            taken_at, release = kept.execute("SELECT taken_at, release FROM backup").fetchone()
            [head] = kept.execute("SELECT version_num FROM alembic_version").fetchone()
            [sound] = kept.execute("PRAGMA quick_check(1)").fetchone()
    except (sqlite3.Error, TypeError):
        raise BadInput("this is no backup of a ledger, or a damaged one", str(path), f"one is {MADE_BY}") from None
    if sound != "ok":
        raise BadInput("the backup is damaged", str(path), "take an older one; what came after it is compared")
    if head > HEAD:
        what = f"the backup is of a newer rotator, {release} (its tables are {head}, ours {HEAD})"
        raise BadInput(what, str(path), "update rotator")
    return float(taken_at), str(release)


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[Database]:
    """Open a copy of the backup, with today's tables: the file itself stays as it was taken."""
    with tempfile.TemporaryDirectory(prefix="rotator-restore-") as folder:
        copy = Path(folder) / "ledger.db"
        try:
            shutil.copyfile(path, copy)
        except OSError as error:
            mend = "make room, or name another place for temporary files by TMPDIR"
            raise BadInput(f"the backup cannot be copied ({error.strerror})", str(path), mend) from None
        kept = Database(_address(copy))
        try:
            kept.migrate()
            yield kept
        finally:
            kept.close()


def _address(path: Path) -> str:
    return URL.create("sqlite", database=str(path.absolute())).render_as_string()

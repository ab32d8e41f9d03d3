"""The tables are what the migrations make, up and down, on both ledgers, however many processes begin at once."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, inspect, select, text

from rotator.errors import BadInput
from rotator.ledger import tables
from rotator.ledger.database import HEAD, Database
from tests.ledgers_at_once import MIGRATED

ROOT = Path(__file__).parents[2]
MIGRATIONS = ROOT / "rotator" / "ledger" / "migrations"
VERSIONS = {"alembic_version", *tables.metadata.tables}


@pytest.fixture(autouse=True)
def one_by_one(monkeypatch):
    """Go through the migrations, as other tests' ledgers do not."""
    monkeypatch.setattr(Database, "migrate", MIGRATED)


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request, tmp_path):
    """Give the address of a database that holds nothing yet."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'fresh.db'}"
        return
    server = create_engine(request.getfixturevalue("postgresql"), isolation_level="AUTOCOMMIT")
    with server.connect() as connection:
        connection.execute(text("CREATE DATABASE fresh"))
    yield server.url.set(database="fresh").render_as_string(hide_password=False)
    with server.connect() as connection:
        connection.execute(text("DROP DATABASE fresh WITH (FORCE)"))
    server.dispose()


@pytest.fixture
def fresh(url):
    database = Database(url)
    yield database
    database.close()


def configured(connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["connection"] = connection
    return config


PARTIAL = ("ix_branch_open", "ix_branch_sent_at", "ix_branch_holder")
"""Alembic does not compare of which rows an index is."""


def comparable(_found, name, kind, *_rest) -> bool:
    """Leave out what Alembic cannot compare on SQLite: an index with a descending column, or one that is not there."""
    return (kind, name) not in {("index", "ix_branch_open"), ("index", "ix_evidence_tx_number")}


def made(database) -> set[str]:
    return set(inspect(database.engine).get_table_names())


def definitions(connection, *names) -> list[str]:
    """Return how the database itself describes indexes."""
    table, column, name = (
        ("sqlite_master", "sql", "name")
        if connection.dialect.name == "sqlite"
        else ("pg_indexes", "indexdef", "indexname")
    )
    query = text(f"SELECT {column} FROM {table} WHERE {name} = :name")
    return [connection.execute(query, {"name": each}).scalar_one() for each in names]


def test_the_head_that_is_asked_for_is_the_scripts_head():
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    assert ScriptDirectory.from_config(config).get_heads() == [HEAD]


def test_what_the_migrations_make_is_what_the_program_uses(fresh):
    fresh.migrate()
    assert made(fresh) == VERSIONS
    with fresh.engine.connect() as connection:
        opts = {"compare_type": True, "include_object": comparable}
        context = MigrationContext.configure(connection, opts=opts)
        assert compare_metadata(context, tables.metadata) == []
        migrated = definitions(connection, *PARTIAL)
    with fresh.write() as connection:
        tables.metadata.drop_all(connection)
        tables.metadata.create_all(connection)
        assert definitions(connection, *PARTIAL) == migrated


def test_evidence_of_a_release_before_keeps_its_order_and_that_release_goes_on_writing(fresh):
    older = text("INSERT INTO evidence (chain, seq, hash, body) VALUES (:chain, 1, '', '')")
    kept = select(tables.evidence.c.chain).order_by(tables.evidence.c.tx, tables.evidence.c.number)
    with fresh.write() as connection:
        command.upgrade(configured(connection), "0014")
        connection.execute(older, [{"chain": each} for each in ("z", "a", "m")])
        command.upgrade(configured(connection), "head")
    with fresh.write() as connection:
        connection.execute(older, [{"chain": each} for each in ("k", "b")])
        assert connection.execute(kept).scalars().all() == ["z", "a", "m", "k", "b"]
        command.downgrade(configured(connection), "0014")
        connection.execute(older, {"chain": "c"})
        command.upgrade(configured(connection), "head")
    with fresh.read() as connection:
        assert connection.execute(kept).scalars().all() == ["z", "a", "m", "k", "b", "c"]


def test_migrating_again_changes_nothing(fresh):
    fresh.migrate()
    with fresh.write() as connection:
        connection.execute(tables.leader.insert().values(name="dispatcher", holder="ann", beat=7))
    fresh.migrate()
    with fresh.read() as connection:
        assert connection.execute(tables.leader.select()).one() == ("dispatcher", "ann", 7)


def test_every_migration_can_be_taken_back_and_done_again(fresh):
    fresh.migrate()
    with fresh.write() as connection:
        command.downgrade(configured(connection), "base")
    assert made(fresh) <= {"alembic_version"}
    fresh.migrate()
    assert made(fresh) == VERSIONS


MIGRATE = """
import sys
from rotator.ledger.database import Database
database = Database(sys.argv[1])
sys.stdin.readline()
database.migrate()
print("ready")
"""


def test_processes_that_migrate_at_once_all_find_it_ready(url):
    ask = [sys.executable, "-c", MIGRATE, url]
    streams = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    processes = [subprocess.Popen(ask, cwd=ROOT, text=True, **streams) for _ in range(3)]
    for process in processes:
        process.stdin.write("now\n")
        process.stdin.flush()
    told = [process.communicate(timeout=120) for process in processes]
    assert [(process.returncode, out, error) for process, (out, error) in zip(processes, told, strict=True)] == [
        (0, "ready\n", "")
    ] * 3
    database = Database(url)
    assert made(database) == VERSIONS
    database.close()


def test_a_ledger_of_a_newer_rotator_is_left_alone_in_one_line(fresh):
    fresh.migrate()
    with fresh.write() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(BadInput, match="newer rotator") as told:
        fresh.migrate()
    assert "\n" not in str(told.value)
    assert made(fresh) == VERSIONS


@pytest.mark.parametrize(
    "address", ["nonsense", "", "oracle://x", "postgresql+psycopg://:badport", "sqlite:////proc/nowhere/ledger.db"]
)
def test_an_address_that_cannot_be_used_is_told_in_one_line(address):
    with pytest.raises(BadInput) as told:
        Database(address).migrate()
    assert "\n" not in str(told.value)


def test_a_server_that_is_not_there_is_told_in_one_line_without_its_password(tmp_path):
    with pytest.raises(BadInput) as told:
        Database(f"postgresql+psycopg://ann:canary@/ledger?host={tmp_path}").migrate()
    assert "canary" not in str(told.value)
    assert "\n" not in str(told.value)

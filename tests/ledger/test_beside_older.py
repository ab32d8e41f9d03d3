"""Every migration leaves room for workers of the release before: they go on beside it until they are replaced.

What they read must stay, and what they write must still be taken. docs/operate.md says how a table is changed then.
"""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.operations import Operations
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, inspect

from tests.ledger.test_migrations import MIGRATIONS, configured

EXCEPTIONS = {
    "0015: evidence (chain, seq) must be unique now": "it was the key of the table",
    "0015: evidence.number must be given now": "it is the number that SQLite gives to every row by itself",
    "0009: plan (incident, number) must be unique now": "the release before wrote one plan for each incident",
}
"""What a migration asks of older workers, each with why they keep it."""


def revisions():
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    return [each.revision for each in reversed(list(ScriptDirectory.from_config(config).walk_revisions()))]


def schema(connection):
    """Return what an older worker relies on: tables, their columns, and what must be unique."""
    found = inspect(connection)
    names = [name for name in found.get_table_names() if name != "alembic_version"]
    columns = {name: {each["name"]: each for each in found.get_columns(name)} for name in names}
    unique = {
        name: {
            tuple(each["column_names"])
            for each in (*found.get_indexes(name), *found.get_unique_constraints(name))
            if each.get("unique", True)
        }
        for name in names
    }
    return columns, unique


def asked_of_older(before, after):
    """Yield what an older worker, which knows `before`, would meet in `after`."""
    (columns, unique), (new_columns, new_unique) = before, after
    for table in columns:
        if table not in new_columns:
            yield f"{table} is gone"
            continue
        then, now = columns[table], new_columns[table]
        yield from (f"{table}.{name} is gone" for name in then.keys() - now.keys())
        for name, column in now.items():
            needed = not column["nullable"] and column["default"] is None
            if name not in then:
                if needed:
                    yield f"{table}.{name} must be given now"
            elif str(column["type"]) != str(then[name]["type"]):
                yield f"{table}.{name} is of another type now"
            elif needed and (then[name]["nullable"] or then[name]["default"] is not None):
                yield f"{table}.{name} must be given now"
        yield from (f"{table} ({', '.join(each)}) must be unique now" for each in new_unique[table] - unique[table])


def test_no_migration_takes_anything_from_who_runs_the_release_before(tmp_path):
    engine = create_engine(f"sqlite:///{tmp_path / 'ledger.db'}")
    asked, known = set(), None
    with engine.begin() as connection:
        for revision in revisions():
            command.upgrade(configured(connection), revision)
            found = schema(connection)
            if known is not None:
                asked |= {f"{revision}: {each}" for each in asked_of_older(known, found)}
            known = found
    engine.dispose()
    assert asked == set(EXCEPTIONS)


CHANGES = {
    "plan is gone": lambda op: op.drop_table("plan"),
    "plan.why is gone": lambda op: op.drop_column("plan", "why"),
    "plan.why must be given now": lambda op: op.alter_column("plan", "why", nullable=False),
    "plan.more must be given now": lambda op: op.add_column("plan", sa.Column("more", sa.Text(), nullable=False)),
    "plan.why is of another type now": lambda op: op.alter_column("plan", "why", type_=sa.Integer()),
    "plan (why) must be unique now": lambda op: op.create_index("ix", "plan", ["why"], unique=True),
}


@pytest.mark.parametrize("told", CHANGES)
def test_what_would_break_an_older_worker_is_noticed(told):
    engine = create_engine("sqlite://")
    with engine.begin() as connection:
        op = Operations(MigrationContext.configure(connection))
        op.create_table("plan", sa.Column("id", sa.Integer(), primary_key=True), sa.Column("why", sa.Text()))
        before = schema(connection)
        if "alter_column" in CHANGES[told].__code__.co_names:
            with op.batch_alter_table("plan") as batch:
                CHANGES[told](Altering(batch))
        else:
            CHANGES[told](op)
        assert list(asked_of_older(before, schema(connection))) == [told]
    engine.dispose()


class Altering:
    """Alters a column within a batch, as SQLite needs it."""

    def __init__(self, batch):
        self._batch = batch

    def alter_column(self, _table, name, **how):
        self._batch.alter_column(name, **how)

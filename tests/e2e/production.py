"""A company whose rotator runs as in production: PostgreSQL, Redis, and workers and dispatchers in processes."""

from __future__ import annotations

import base64
import contextlib
import os
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy
from sqlalchemy import create_engine, text

from rotator.practice.honesty import lies, unfinished
from rotator.practice.servers import Servers
from tests.e2e.commands import QUICKLY, CommandLine, Running, at_work
from tests.e2e.company import Company, company
from tests.servers.postgres import Postgres, postgres_server
from tests.servers.redis import Redis, redis_server


@dataclass(frozen=True)
class Backends:
    """What production stands on."""

    postgres: Postgres
    redis: Redis


@contextlib.contextmanager
def running_backends(folder: Path) -> Iterator[Backends]:
    """Run a PostgreSQL and a Redis until the block ends."""
    with postgres_server() as postgres, redis_server(folder / "redis") as broker:
        yield Backends(postgres, broker)


@dataclass(frozen=True)
class Production:
    """A company, and what its rotator stands on."""

    company: Company
    ledger: sqlalchemy.Engine
    backends: Backends

    def ask(self, query: str) -> list[tuple[Any, ...]]:
        """Ask the ledger in SQL."""
        with self.ledger.connect() as connection:
            return [tuple(row) for row in connection.execute(text(query))]

    def rows(self, table: str) -> list[Mapping[str, Any]]:
        """Return a whole table of the ledger."""
        with self.ledger.connect() as connection:
            return [dict(row) for row in connection.execute(text(f'SELECT * FROM "{table}"')).mappings()]

    @contextlib.contextmanager
    def several(self, *commands: str, by: CommandLine | None = None) -> Iterator[list[Running]]:
        """Run these commands until the block ends, by another command line than the company's where one is given."""
        with contextlib.ExitStack() as up:
            yield [up.enter_context(at_work((by or self.company.rotator).start(each))) for each in commands]


@contextlib.contextmanager
def production(
    folder: Path, servers: Servers, backends: Backends, *kinds: str, tablespace: str = "pg_default"
) -> Iterator[Production]:
    """Stand up a company with one victim of each kind, its ledger and its broker empty, until the block ends."""
    name = f"ledger_{secrets.token_hex(4)}"
    engine = create_engine(backends.postgres.url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name} TABLESPACE {tablespace}"))
    engine.dispose()
    backends.redis.client.flushall()
    with company(folder, servers, *kinds) as found:
        key = found.write("seal.key", base64.b64encode(os.urandom(32)))
        url = backends.postgres.url.replace("/postgres?", f"/{name}?")
        two = {"database_url": url, "broker_url": backends.redis.url}
        found.configure(lambda settings: settings.update(two, seal_key=f"file:{key}", concurrency=4))
        found.rotator.program, found.rotator.is_ready = QUICKLY, True
        # A test's own connection may have died with the server meanwhile.
        ledger = create_engine(url, pool_pre_ping=True)
        yield Production(found, ledger, backends)
        ledger.dispose()


def truth(found: Company, report: Mapping[str, Any]) -> list[str]:
    """Return what the report says that the world denies, and what is not finished."""
    tried, used = [each.tried for each in found.victims], [each.in_use for each in found.victims]
    return lies(report, tried, used) + unfinished(report, tried, used)

"""Run a real PostgreSQL on a Unix socket: the ledger of production. It trusts whoever reaches the socket.

Root may not run it, so pgserver then makes a user for it. That user cannot reach pytest's folders: whenever another
pytest starts, it shuts their parent to everybody else. Hence a folder of its own.
"""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pgserver
from pgserver._commands import pg_ctl


@dataclass(frozen=True)
class Postgres:
    """A server that can die and come back. `user` is whom it runs as; None: whoever runs the tests."""

    url: str
    server: pgserver.PostgresServer

    @property
    def user(self) -> str | None:
        return self.server.system_user

    def crash(self) -> None:
        """End it at once, as a power cut would: every connection is cut, nothing is tidied up."""
        pg_ctl(["-w", "-m", "immediate", "stop"], pgdata=self.server.pgdata, user=self.user)

    def start(self) -> None:
        """Start it again on the same data and socket; return when it takes connections."""
        self.server.ensure_postgres_running()


@contextlib.contextmanager
def postgres_server() -> Iterator[Postgres]:
    """Run the server until the block ends."""
    folder = Path(tempfile.mkdtemp(prefix="rotator-postgres-"))
    server = pgserver.get_server(folder / "data")
    try:
        yield Postgres(server.get_uri().replace("postgresql://", "postgresql+psycopg://", 1), server)
    finally:
        server.cleanup()
        shutil.rmtree(folder)


@contextlib.contextmanager
def postgres() -> Iterator[str]:
    """Run a server until the block ends; yield its address for SQLAlchemy."""
    with postgres_server() as server:
        yield server.url

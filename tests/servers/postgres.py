"""Run a real PostgreSQL on a Unix socket: the ledger of production. It trusts whoever reaches the socket."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pgserver


@contextlib.contextmanager
def postgres(folder: Path) -> Iterator[str]:
    """Run the server until the block ends, its data in `folder`; yield its address for SQLAlchemy."""
    server = pgserver.get_server(folder)
    try:
        yield server.get_uri().replace("postgresql://", "postgresql+psycopg://", 1)
    finally:
        server.cleanup()

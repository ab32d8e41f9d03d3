"""Run a real PostgreSQL on a Unix socket: the ledger of production. It trusts whoever reaches the socket.

Root may not run it, so pgserver then makes a user for it. That user cannot reach pytest's folders: whenever another
pytest starts, it shuts their parent to everybody else. Hence a folder of its own.
"""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pgserver


@contextlib.contextmanager
def postgres() -> Iterator[str]:
    """Run the server until the block ends; yield its address for SQLAlchemy."""
    folder = Path(tempfile.mkdtemp(prefix="rotator-postgres-"))
    server = pgserver.get_server(folder / "data")
    try:
        yield server.get_uri().replace("postgresql://", "postgresql+psycopg://", 1)
    finally:
        server.cleanup()
        shutil.rmtree(folder)

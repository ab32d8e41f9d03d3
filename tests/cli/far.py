"""The same ledger twice: one here, and one behind a service on 127.0.0.1, spoken to over its API."""

from __future__ import annotations

import base64
import contextlib
import getpass
import os
import re
import shutil
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import uvicorn

from rotator.api import app
from rotator.api.heads import PromptLine
from rotator.bootstrap import Rotator
from rotator.flow.approval import Role
from rotator.settings.file import load
from tests.fakes.company import founded
from tests.fakes.deployment import sqlite

CONFIGURATION = 'data_dir = "data"\n[[connections]]\nname = "aws"\nfamily = "aws"\n'
NOBODY_WORKS = re.compile(r"^nobody works there: .*\n", re.MULTILINE)
_DIFFERS = [
    (re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|\+00:00)?"), "MOMENT"),
    (re.compile(r"\b[0-9a-f]{16}\b"), "DIGEST"),
    (re.compile(r"inc-20\d{6}-[0-9a-f]{6}"), "INCIDENT"),
    (re.compile(r"/\S*/rotator(?= )"), "rotator"),
    (re.compile(r'"at": [\d.e+]+'), '"at": 0'),
    (re.compile(r",\d+\.\d+\r$", re.MULTILINE), ",OPEN FOR"),  # the last column of a report's CSV
    (re.compile(r",\d+\.\d+(?=\r?$)", re.MULTILINE), ",LONG"),  # for how long one is open, at the end of its row
]


@dataclass
class Service:
    """A service, and a token that it takes."""

    url: str
    parts: Rotator

    def token(self, role: Role = Role.ADMIN, person: str | None = None) -> str:
        """Return a new token: of whoever runs the tests, so that his name is the same both ways."""
        name = f"{role}-{len(self.parts.tokens.listed())}"
        self.parts.tokens._policy = None
        whose = getpass.getuser() if person is None else person
        return self.parts.tokens.create(name, role, whose, 3600.0, "test")[0].reveal()


def prepared(folder: Path, fill: Any) -> Path:
    """Make a folder with a configuration, a key, and a ledger that is filled between fakes."""
    (folder / "data").mkdir(mode=0o700, parents=True)
    (folder / "rotator.toml").write_text(CONFIGURATION)
    key = folder / "data" / "seal.key"
    key.write_text(base64.b64encode(bytes(32)).decode())
    key.chmod(0o600)
    database = sqlite(folder / "data" / "ledger.db")
    fill(*founded(folder, database=database))
    with database.engine.connect() as line:
        line.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    database.close()
    return folder


def copied(kept: Path, to: Path) -> Path:
    """Return a copy of a prepared folder."""
    shutil.copytree(kept, to)
    return to


@contextlib.contextmanager
def service(folder: Path) -> Iterator[Service]:
    """Serve a prepared folder."""
    parts = Rotator(load(folder / "rotator.toml"))
    parts.database  # noqa: B018 - made here, before threads could make it twice
    door = app.listen("127.0.0.1", 0)
    config = uvicorn.Config(app.make(parts), http=PromptLine, log_level="warning", access_log=False)
    config.timeout_graceful_shutdown = 1
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, args=([door],), daemon=True)
    thread.start()
    try:
        yield Service(f"http://127.0.0.1:{door.getsockname()[1]}", parts)
    finally:
        server.should_exit = True
        thread.join(30)
        parts.database.close()


def alike(text: str) -> str:
    """Return what is said without what differs by the moment, and by who works: here somebody is started."""
    for found, instead in _DIFFERS:
        text = found.sub(instead, text)
    return NOBODY_WORKS.sub("", text)


@contextlib.contextmanager
def environment(**values: str) -> Iterator[None]:
    """Set variables for a while."""
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name, None) if value is None else os.environ.__setitem__(name, value)

"""Run a real PostgreSQL of the Debian package on a free port of 127.0.0.1, where nobody comes in without a password.

PostgreSQL refuses to run as root, so root runs it as the package's account `postgres`.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import psycopg

from rotator.credential import Secret
from rotator.practice.process import free_port, running

ADMIN = "admin"


@dataclass(frozen=True)
class PostgresServer:
    """A running server and its superuser."""

    port: int
    admin: str
    password: Secret

    @property
    def address(self) -> str:
        """Return its address without a login."""
        return f"postgresql://127.0.0.1:{self.port}/postgres"

    def connect(self, user: str | None = None, password: Secret | None = None) -> psycopg.Connection:
        """Log in, as the superuser unless told as whom."""
        return psycopg.connect(
            host="127.0.0.1",
            port=self.port,
            dbname="postgres",
            user=user or self.admin,
            password=(password or self.password).reveal(),
            connect_timeout=10,
            autocommit=True,
        )

    def run(self, statement: str) -> list[tuple[object, ...]]:
        """Carry out one statement as the superuser; return its rows."""
        with self.connect() as connection:
            done = connection.execute(statement)  # type: ignore[arg-type]
            return done.fetchall() if done.description else []


@contextlib.contextmanager
def postgres_scram(*options: str) -> Iterator[PostgresServer]:
    """Run the server until the block ends; `options` are further settings, `NAME=VALUE`."""
    programs = _programs()
    password = Secret(os.urandom(16).hex())
    with tempfile.TemporaryDirectory(prefix="rotator-scram-") as name:
        folder, port = Path(name), free_port()
        file = folder / "password"
        file.write_text(password.reveal())
        as_whom = _owned(folder, file)
        new = ["--pgdata", f"{folder}/data", "--username", ADMIN, "--pwfile", str(file), "--auth=scram-sha-256"]
        subprocess.run(
            [*as_whom, f"{programs}/initdb", *new, "--no-sync", "--encoding=UTF8", "--locale=C"],
            check=True,
            capture_output=True,
            cwd=folder,
        )
        settings = ["listen_addresses=127.0.0.1", f"unix_socket_directories={folder}", "fsync=off", *options]
        command = [f"{programs}/postgres", "-D", f"{folder}/data", "-p", str(port)]
        server = PostgresServer(port, ADMIN, password)
        log = folder / "postgres.log"
        with running([*as_whom, *command, *_each(settings)], ready=partial(_answers, server), log=log):
            yield server


def _each(settings: Sequence[str]) -> list[str]:
    return [word for setting in settings for word in ("-c", setting)]


def _programs() -> Path:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: path.parts[-3])
    if not found:
        raise RuntimeError("no PostgreSQL: install the package postgresql")
    return found[-1].parent


def _owned(folder: Path, file: Path) -> list[str]:
    """Give the folder to whoever runs the server; return what comes before its commands."""
    if os.geteuid() != 0:
        return []
    account = pwd.getpwnam("postgres")
    for path in (folder, file):
        shutil.chown(path, account.pw_uid, account.pw_gid)
    return ["setpriv", f"--reuid={account.pw_uid}", f"--regid={account.pw_gid}", "--clear-groups"]


def _answers(server: PostgresServer) -> bool:
    try:
        server.connect().close()
    except psycopg.OperationalError:
        return False
    return True

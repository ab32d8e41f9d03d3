"""Run a real MariaDB on a free port of 127.0.0.1, with a narrow account of the rotator's own."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pymysql

from rotator.credential import Secret
from rotator.practice.process import free_port, running

OWN_USER = "rotator"


@dataclass(frozen=True)
class MariaDbServer:
    """A running server; statements are run as root over its socket."""

    port: int
    socket: Path
    folder: Path
    own: Secret

    @property
    def url(self) -> str:
        return f"mysql://127.0.0.1:{self.port}"

    @property
    def log(self) -> str:
        return (self.folder / "general.log").read_text(errors="replace")

    def run(self, statement: str, *values: object) -> list[tuple]:
        with self._root() as root, root.cursor() as cursor:
            cursor.execute(statement, values or None)
            return list(cursor.fetchall())

    def _root(self) -> pymysql.Connection:
        return pymysql.connect(unix_socket=str(self.socket), user="root", autocommit=True)

    def connect(self, name: str, password: Secret) -> pymysql.Connection:
        """Log in as an application would."""
        return pymysql.connect(host="127.0.0.1", port=self.port, user=name, password=password.reveal())

    def session(self, name: str, password: Secret) -> Callable[[], bool]:
        """Log in and stay; return who tells whether that connection lives."""
        held = self.connect(name, password)

        def lives() -> bool:
            with contextlib.suppress(pymysql.Error):
                held.ping(reconnect=False)
                return True
            return False

        return lives

    def plant(self, name: str, host: str = "%") -> Secret:
        """Make the account, or give it one more password, as its owner would."""
        password = Secret(f"canary-{secrets.token_hex(16)}")
        self.run("CREATE USER IF NOT EXISTS %s@%s IDENTIFIED VIA unix_socket", name, host)
        [(shown,)] = self.run("SHOW CREATE USER %s@%s", name, host)
        ways = (
            shown.partition(" IDENTIFIED ")[2]
            .removeprefix("VIA ")
            .replace("BY PASSWORD", "mysql_native_password USING")
        )
        kept = f"{ways} OR " if ways != "unix_socket" else ""
        self.run(
            f"ALTER USER %s@%s IDENTIFIED VIA {kept.replace('%', '%%')}mysql_native_password USING PASSWORD(%s)",
            name,
            host,
            password.reveal(),
        )
        return password


@contextlib.contextmanager
def mariadb() -> Iterator[MariaDbServer]:
    """Run the server until the block ends. Its general log has every statement."""
    folder, port = Path(tempfile.mkdtemp(prefix="rotator-mariadb-")), free_port()
    own = Secret(secrets.token_hex(20))
    who = []
    if os.geteuid() == 0:
        who = ["--user=mysql"]
        shutil.chown(folder, "mysql")
    made = ["mariadb-install-db", "--no-defaults", *who, f"--datadir={folder}/data", "--skip-test-db"]
    start = ["/usr/sbin/mariadbd", "--no-defaults", *who, f"--datadir={folder}/data", f"--socket={folder}/socket"]
    start += ["--bind-address=127.0.0.1", f"--port={port}", f"--pid-file={folder}/pid", "--skip-name-resolve"]
    start += ["--general-log=1", f"--general-log-file={folder}/general.log", "--innodb-flush-log-at-trx-commit=0"]
    start += ["--plugin-load-add=auth_ed25519"]
    server = MariaDbServer(port, folder / "socket", folder, own)
    try:
        subprocess.run([*made, "--auth-root-authentication-method=normal"], check=True, capture_output=True)
        with running(start, ready=lambda: _answers(server), log=folder / "server.log"):
            server.run("DELETE FROM mysql.global_priv WHERE User = ''")
            server.run("FLUSH PRIVILEGES")
            server.run("CREATE USER %s@'%%' IDENTIFIED BY %s", OWN_USER, own.reveal())
            server.run("GRANT CREATE USER, CONNECTION ADMIN ON *.* TO %s@'%%'", OWN_USER)
            server.run("GRANT SELECT ON mysql.global_priv TO %s@'%%'", OWN_USER)
            yield server
    finally:
        shutil.rmtree(folder)


def _answers(server: MariaDbServer) -> bool:
    with contextlib.suppress(pymysql.OperationalError):
        server.run("SELECT 1")
        return True
    return False

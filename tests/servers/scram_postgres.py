"""Run a real PostgreSQL that asks for passwords (SCRAM) on a free port of 127.0.0.1.

The binaries are pgserver's, whose own way of starting them trusts everybody. The server refuses to run as root, so it
is then started as nobody.
"""

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

import pgserver
import psycopg
from psycopg.sql import SQL, Identifier, Literal

from rotator.credential import Secret
from rotator.practice.process import free_port, running

OWN_ROLE = "rotator"


@dataclass(frozen=True)
class ScramPostgres:
    """A running server. `admin` is the superuser's password; the rotator's role has only what it needs."""

    port: int
    folder: Path
    admin: Secret
    own: Secret

    @property
    def url(self) -> str:
        return f"postgresql://127.0.0.1:{self.port}/postgres"

    @property
    def log(self) -> str:
        return (self.folder / "server.log").read_text(errors="replace")

    def connect(self, role: str, password: Secret) -> psycopg.Connection:
        """Log in as an application would."""
        return psycopg.connect(
            host="127.0.0.1", port=self.port, dbname="postgres", user=role, password=password.reveal(), autocommit=True
        )

    def session(self, role: str, password: Secret) -> Callable[[], bool]:
        """Log in and stay; return who tells whether that session lives."""
        held = self.connect(role, password)

        def lives() -> bool:
            with contextlib.suppress(psycopg.OperationalError):
                return held.execute("select true").fetchone() == (True,)
            return False

        return lives

    def run(self, *statements) -> None:
        """Run statements as the superuser."""
        with self.connect("admin", self.admin) as admin:
            for each in statements:
                admin.execute(each)

    def now(self) -> float:
        """Return the server's own time, in seconds since 1970."""
        with self.connect("admin", self.admin) as admin:
            return float(admin.execute("select extract(epoch from clock_timestamp())").fetchone()[0])

    def plant(self, role: str) -> Secret:
        """Make a role, which the rotator may handle, with a password that the server hashes itself."""
        password = Secret(f"canary-{secrets.token_hex(16)}")
        self.run(
            SQL("CREATE ROLE {} LOGIN PASSWORD {}").format(Identifier(role), Literal(password.reveal())),
            SQL("GRANT {} TO {} WITH ADMIN TRUE, INHERIT FALSE, SET FALSE").format(
                Identifier(role), Identifier(OWN_ROLE)
            ),
        )
        return password

    def stored(self, role: str) -> str | None:
        """Return what the server keeps of the role's password."""
        with self.connect("admin", self.admin) as admin:
            return admin.execute("select rolpassword from pg_authid where rolname = %s", [role]).fetchone()[0]


@contextlib.contextmanager
def scram_postgres(**more: str) -> Iterator[ScramPostgres]:
    """Run the server until the block ends, with `more` parameters. Its log has every statement."""
    binaries = Path(pgserver.__file__).with_name("pginstall") / "bin"
    folder, port = Path(tempfile.mkdtemp(prefix="rotator-scram-")), free_port()
    admin, own = Secret(secrets.token_hex(20)), Secret(secrets.token_hex(20))
    (folder / "password").write_text(admin.reveal())
    as_nobody = []
    if os.geteuid() == 0:
        as_nobody = ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups"]
        for each in (folder, folder / "password"):
            shutil.chown(each, "nobody")
    how = ["--auth-local=trust", "--auth-host=scram-sha-256", "--no-sync", "--locale=C", "--encoding=UTF8"]
    made = [*as_nobody, str(binaries / "initdb"), "-D", str(folder / "data"), "-U", "admin", *how]
    options = {"listen_addresses": "127.0.0.1", "unix_socket_directories": "", "fsync": "off", "log_statement": "all"}
    options |= more
    start = [*as_nobody, str(binaries / "postgres"), "-D", str(folder / "data"), "-p", str(port)]
    start += [word for name, value in options.items() for word in ("-c", f"{name}={value}")]
    server = ScramPostgres(port, folder, admin, own)
    try:
        subprocess.run([*made, f"--pwfile={folder}/password"], check=True, capture_output=True)
        with running(start, ready=lambda: _answers(server), log=folder / "server.log"):
            server.run(
                SQL("CREATE ROLE {} LOGIN CREATEROLE PASSWORD {}").format(Identifier(OWN_ROLE), Literal(own.reveal())),
                f"GRANT pg_signal_backend TO {OWN_ROLE}",
                f"GRANT SELECT ON pg_authid TO {OWN_ROLE}",
            )
            yield server
    finally:
        shutil.rmtree(folder)


def _answers(server: ScramPostgres) -> bool:
    with contextlib.suppress(psycopg.OperationalError):
        server.connect("admin", server.admin).close()
        return True
    return False

"""What speaks to PostgreSQL as the rotator: one short transaction per call, and the server's codes in our words."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import psycopg
from psycopg.rows import DictRow, dict_row

from rotator.credential import Secret
from rotator.errors import Rejected, RotatorError, Unavailable, Uncertain
from rotator.families import server_login
from rotator.families.postgres_knock import INVALID_PASSWORD, NOT_AUTHORIZED, knock
from rotator.families.server_login import cut_off, own_named, read_address
from rotator.ports.connection import CALL_DEADLINE_S, CONNECT_TIMEOUT_S, READ_TIMEOUT_S, Connection
from rotator.ports.provider import Answer, Verdict

SETTINGS = server_login.SETTINGS
"""Keys of `[[connections]]` that this family knows."""

FAMILY = "postgres"
Session = psycopg.Connection[DictRow]

_PORT = 5432
_OPTIONS = f"-c statement_timeout={int(READ_TIMEOUT_S)}s -c lock_timeout={int(CONNECT_TIMEOUT_S)}s"
_REASONS = {"42501": "permission_denied", "25006": "read_only_server", "42710": "already_exists"}
_BUSY = {"40", "53", "55"}
_CANCELLED = "57014"
_CONCURRENTLY = "XX000"


class Postgres:
    """Reach one server. Safe for many threads at once: each call has a connection of its own."""

    def __init__(self, connection: Connection) -> None:
        self.address = read_address(connection, {"postgresql": True, "postgres": True}, _PORT)
        self._connection = connection

    def own(self) -> tuple[str, Secret]:
        """Return the rotator's own name and password. Raises Rejected("no_credential")."""
        return own_named(self._connection)

    @contextlib.contextmanager
    def session(self, *, changes: bool = False, at_once: bool = False) -> Iterator[Session]:
        """Give one transaction: one that `changes` something is committed at the end, others are not.

        Until the commit is sent nothing has happened, so only what is lost after that is Uncertain; unless what it
        does is done `at_once`, as the end of a session is.
        """
        session = self._connect()
        try:
            with cut_off(session.fileno(), CALL_DEADLINE_S - CONNECT_TIMEOUT_S):
                try:
                    self._is_the_account(session)
                    yield session
                except psycopg.Error as error:
                    raise refused(error, Uncertain if at_once else Unavailable) from None
                if not changes:
                    return
                try:
                    session.commit()
                except psycopg.Error as error:
                    raise refused(error, Uncertain) from None
        finally:
            session.close()

    def knock(self, role: str, password: Secret) -> Verdict:
        """Log in as somebody."""
        return knock(self.address, role, password)

    def _connect(self) -> Session:
        name, password = self.own()
        encrypted: dict[str, Any] = {"sslmode": "verify-full", "sslrootcert": self.address.ca_file or "system"}
        try:
            return psycopg.connect(
                host=self.address.host,
                port=self.address.port,
                dbname=self.address.database or "postgres",
                user=name,
                password=password.reveal(),
                connect_timeout=int(CONNECT_TIMEOUT_S),
                application_name="rotator",
                options=_OPTIONS,
                row_factory=dict_row,
                **(encrypted if self.address.tls else {"sslmode": "disable"}),
            )
        except psycopg.Error:
            raise self._why_not(name, password) from None

    def _why_not(self, name: str, password: Secret) -> RotatorError:
        """Log in once more in the way that tells the code, which libpq keeps to itself."""
        try:
            verdict = self.knock(name, password)
        except Unavailable as error:
            return error
        if verdict.answer is Answer.REJECTED:
            return Rejected("own_credential_refused", f"of connection {self._connection.name}: {verdict.reason}")
        if verdict.reason in {f"sqlstate_{code.lower()}" for code in (INVALID_PASSWORD, NOT_AUTHORIZED)}:
            return Rejected("own_credential_refused", f"pg_hba.conf of {self._connection.name} does not let it in")
        return Unavailable("not_let_in", verdict.reason)

    def _is_the_account(self, session: Session) -> None:
        if self._connection.account is None:
            return
        found = session.execute("select system_identifier::text as it from pg_control_system()").fetchone()
        if found is None or found["it"] != self._connection.account:
            raise Rejected("not_this_account", f"{self.address} is not the server {self._connection.account}")


def refused(error: psycopg.Error, lost: type[RotatorError]) -> RotatorError:
    """Put an error into our words; `lost` is what it means that there was no answer. Its own words stay behind."""
    code = error.sqlstate
    if code is None or code.startswith("08") or (code.startswith("57") and code != _CANCELLED):
        return lost("connection_lost", code or "")
    if code[:2] in _BUSY or code in {_CANCELLED, _CONCURRENTLY}:
        return Unavailable("busy", f"SQLSTATE {code}")
    return Rejected(_REASONS.get(code, f"sqlstate_{code.lower()}"), f"SQLSTATE {code}")

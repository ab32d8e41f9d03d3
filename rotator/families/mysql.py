"""What speaks to MariaDB as the rotator: one short session per call, and the server's codes in our words.

The server's words quote statements, and with them hashes: none of them goes on.
"""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator
from typing import Any

import pymysql
from pymysql.cursors import DictCursor

from rotator.credential import Secret
from rotator.errors import Rejected, RotatorError, Unavailable, Uncertain, asking
from rotator.families import server_login
from rotator.families.mysql_knock import knock
from rotator.families.server_login import cut_off, own_named, read_address
from rotator.ports.connection import CALL_DEADLINE_S, CONNECT_TIMEOUT_S, READ_TIMEOUT_S, Connection
from rotator.ports.provider import Verdict

SETTINGS = server_login.SETTINGS
"""Keys of `[[connections]]` that this family knows."""

FAMILY = "mysql"

_PORT = 3306
_LOCK_WAIT_S = 5
_OURS_REFUSED = {1045, 1698, 4151, 1862}
_EXPIRED = 1820
_DENIED = {1044, 1095, 1142, 1143, 1227, 1370}
_LATER = {1040: "too_many_connections", 1203: "too_many_connections", 1226: "too_many_connections", 1205: "busy"}
_LATER |= {1213: "busy", 1129: "this_host_is_blocked"}
_READ_ONLY = {1290, 1792, 1836}
_NOT_CHANGED = 1396
_THE_SERVERS = {1, 3, 4}
"""Thousands of the codes that the server gives; others are the library's, about an exchange that it lost."""
_LOST = {1053, 1152, 1153, 1158, 1159, 1160, 1161, 1927}


class Session:
    """A connection on which the rotator is let in; each statement stands for itself."""

    def __init__(self, wire: Any) -> None:
        self._wire = wire

    def read(self, statement: str, *values: object) -> list[dict[str, Any]]:
        """Ask something that changes nothing. Raises Rejected or Unavailable."""
        with asking():
            return self._run(statement, values)[0]

    def change(self, statement: str, *values: object) -> int:
        """Send a statement once; return how many it touched. Raises Rejected, Unavailable or Uncertain."""
        return self._run(statement, values)[1]

    def alone(self, what: str) -> None:
        """Wait until no other call of ours changes this; the lock ends with the session. Raises Unavailable."""
        [got] = self.read("select get_lock(%s, %s) as it", f"rotator:{what}"[:64], _LOCK_WAIT_S)
        if got["it"] != 1:
            raise Unavailable("busy", f"another call changes {what}")

    def _run(self, statement: str, values: tuple[object, ...]) -> tuple[list[dict[str, Any]], int]:
        try:
            with self._wire.cursor() as cursor:
                touched = cursor.execute(statement, values or None)
                return list(cursor.fetchall()), int(touched)
        except (pymysql.Error, OSError, RuntimeError) as error:
            raise refused(error) from None


class MariaDb:
    """Reach one server. Safe for many threads at once: each call has a connection of its own."""

    def __init__(self, connection: Connection) -> None:
        self.address = read_address(connection, {"mysql": True, "mariadb": True}, _PORT)
        self._connection = connection

    def own(self) -> tuple[str, Secret]:
        """Return the rotator's own name and password. Raises Rejected("no_credential")."""
        return own_named(self._connection)

    def knock(self, name: str, password: Secret) -> Verdict:
        """Log in as somebody."""
        return knock(self.address, name, password)

    @contextlib.contextmanager
    def session(self) -> Iterator[Session]:
        """Let the rotator in. Raises Unavailable or Rejected("own_credential_refused")."""
        name, password = self.own()
        try:
            plain = socket.create_connection((self.address.host, self.address.port), CONNECT_TIMEOUT_S)
        except OSError:
            raise Unavailable("unreachable", str(self.address)) from None
        with plain, cut_off(plain.fileno(), CALL_DEADLINE_S - CONNECT_TIMEOUT_S):
            wire: Any = pymysql.connect(
                host=self.address.host,
                user=name,
                password=password.reveal(),
                ssl=self.address.tls,
                ssl_disabled=self.address.tls is None,
                read_timeout=READ_TIMEOUT_S,
                write_timeout=READ_TIMEOUT_S,
                autocommit=True,
                cursorclass=DictCursor,
                program_name="rotator",
                defer_connect=True,
            )
            try:
                wire.connect(plain)
            except (pymysql.Error, OSError, RuntimeError) as error:
                raise self._not_let_in(error) from None
            try:
                yield Session(wire)
            finally:
                with contextlib.suppress(pymysql.Error, OSError):
                    wire.close()

    def _not_let_in(self, error: Exception) -> RotatorError:
        code = error.args[0] if error.args else None
        if code in _OURS_REFUSED:
            return Rejected("own_credential_refused", f"of connection {self._connection.name}: error {code}")
        why = refused(error)
        return Unavailable(why.reason, why.detail) if isinstance(why, Uncertain) else why


def refused(error: Exception) -> RotatorError:
    """Put an error into our words."""
    code = error.args[0] if error.args and isinstance(error.args[0], int) else 0
    if code in _LATER:
        return Unavailable(_LATER[code], f"error {code}")
    if code == _EXPIRED:
        return Rejected("own_credential_refused", f"error {code}: its own password has expired")
    if code in _DENIED:
        return Rejected("permission_denied", f"error {code}")
    if code in _READ_ONLY:
        return Rejected("read_only_server", f"error {code}")
    if code == _NOT_CHANGED:
        return Rejected("not_changed", f"error {code}: gone meanwhile, or passwords are validated and hashes refused")
    if code // 1000 not in _THE_SERVERS or code in _LOST:
        return Uncertain("connection_lost", f"error {code}" if code else "")
    return Rejected(f"error_{code}", "")

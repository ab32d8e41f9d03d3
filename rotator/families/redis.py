"""What speaks to Redis: one short session per call, as the rotator or with a login that is tried, and its errors.

The server's words may quote a rule with the hash of a password, so none of them goes on.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

from redis.backoff import NoBackoff
from redis.connection import Connection as Wire
from redis.connection import SSLConnection
from redis.exceptions import AuthenticationError, BusyLoadingError, NoPermissionError, RedisError, ResponseError
from redis.exceptions import TimeoutError as TimedOut
from redis.retry import Retry

from rotator.errors import Rejected, RotatorError, Unavailable, Uncertain, asking
from rotator.families import server_login
from rotator.families.server_login import Login, cut_off, own_login, read_address
from rotator.ports.connection import CALL_DEADLINE_S, CONNECT_TIMEOUT_S, READ_TIMEOUT_S, Connection
from rotator.ports.provider import Answer, Verdict

SETTINGS = server_login.SETTINGS
"""Keys of `[[connections]]` that this family knows."""

FAMILY = "redis"
DEFAULT_USER = "default"

_PORT = 6379


class Session:
    """A connection on which the rotator is let in."""

    def __init__(self, wire: Any) -> None:
        self._wire = wire

    def read(self, *words: str) -> Any:
        """Ask something that changes nothing. Raises Rejected or Unavailable."""
        with asking():
            return self.change(*words)

    def change(self, *words: str) -> Any:
        """Send a command once. Raises Rejected, Unavailable or Uncertain."""
        what = " ".join(words[:2])
        try:
            self._wire.send_command(*words)
            return self._wire.read_response()
        except TimedOut:
            raise Uncertain("timed_out", what) from None
        except (RedisError, OSError) as error:
            raise refused(error, what) from None


class Redis:
    """Reach one server. Safe for many threads at once: each call has a connection of its own."""

    def __init__(self, connection: Connection) -> None:
        self.address = read_address(connection, {"redis": False, "rediss": True}, _PORT)
        self._connection = connection

    def own(self) -> Login:
        """Return the rotator's own login; a password without a name is the default user's, as for Redis itself."""
        own = own_login(self._connection)
        return Login(own.name or DEFAULT_USER, own.password)

    @contextlib.contextmanager
    def session(self) -> Iterator[Session]:
        """Let the rotator in. Raises Unavailable or Rejected("own_credential_refused")."""
        own = self.own()
        with self._wire() as wire:
            try:
                Session(wire).read("AUTH", str(own.name), own.password.reveal())
            except Rejected as error:
                if error.reason == "wrongpass":
                    raise Rejected("own_credential_refused", f"of connection {self._connection.name}") from None
                raise
            yield Session(wire)

    def knock(self, name: str, password: str) -> Verdict:
        """Log in, and do nothing more: whether the user may run any command says nothing of the password."""
        with self._wire() as wire:
            try:
                Session(wire).read("AUTH", name, password)
            except Rejected as error:
                answer = Answer.REJECTED if error.reason == "wrongpass" else Answer.INCONCLUSIVE
                return Verdict(answer, error.reason)
        return Verdict(Answer.ACCEPTED, "authenticated")

    @contextlib.contextmanager
    def _wire(self) -> Iterator[Any]:
        kind: type[Wire] = SSLConnection if self.address.tls else Wire
        encrypted = {"ssl_ca_certs": self.address.ca_file} if self.address.tls else {}
        wire: Any = kind(  # half of its methods have no types
            host=self.address.host,
            port=self.address.port,
            socket_connect_timeout=CONNECT_TIMEOUT_S,
            socket_timeout=READ_TIMEOUT_S,
            retry=Retry(NoBackoff(), 0),  # the library's own default repeats what may have been done
            protocol=2,
            decode_responses=True,
            driver_info=None,  # else it introduces itself before it is let in
            **encrypted,
        )
        try:
            wire.connect()
        except (RedisError, OSError):
            raise Unavailable("unreachable", str(self.address)) from None
        try:
            # The library shows its socket to nobody, and its own time limit begins anew with every byte.
            with cut_off(wire._sock.fileno(), CALL_DEADLINE_S - CONNECT_TIMEOUT_S):  # noqa: SLF001
                yield wire
        finally:
            wire.disconnect()


def refused(error: Exception, what: str) -> RotatorError:
    """Put the server's no, or its silence, into our words; the library has made the no's first word a class."""
    said = str(error)
    if isinstance(error, AuthenticationError):
        wrong = said.startswith("invalid username-password pair")
        return Rejected("wrongpass" if wrong else "not_authenticated", what)
    if isinstance(error, NoPermissionError):
        return Rejected("permission_denied", what)
    if isinstance(error, BusyLoadingError):
        return Unavailable("loading", what)
    if said.startswith("max number of clients"):
        return Unavailable("too_many_clients", what)
    if isinstance(error, ResponseError):
        return Rejected("no_such_password" if "does not exist" in said else "refused", what)
    return Uncertain("connection_lost", what)

"""Send syslog messages (RFC 5424) over TCP or TLS (RFC 5425), each behind its length (octet counting, RFC 6587).

Syslog answers nothing. So each batch has a connection of its own, which we close for writing and then wait for the
receiver to close: it has read all of it then, and a receiver that died with part of it unread resets the connection.
"""

from __future__ import annotations

import contextlib
import os
import socket
import ssl
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from rotator.errors import Unavailable, Uncertain
from rotator.ports.connection import CALL_DEADLINE_S
from rotator.siem import knocking
from rotator.siem.channel import Line

_FACILITY = 13
"""Log audit."""
_TCP_ESTABLISHED, _TCP_CLOSE = 1, 7
"""Linux's states of a connection: neither has closed it; nothing of it is under way any more."""
_LOOK_S = 0.005
"""Seconds between two looks at the state."""
_SEVERITIES = {1: 6, 2: 5, 3: 4, 4: 3, 5: 2}
"""From OCSF's severity to syslog's: informational, notice, warning, error, critical."""


@dataclass(frozen=True, slots=True)
class Receiver:
    """Who takes syslog, over TLS or not; `ca_file` names the authority that is trusted beside none other."""

    host: str
    port: int
    tls: bool
    ca_file: str | None = None


class ToSyslog:
    """One receiver."""

    def __init__(self, receiver: Receiver) -> None:
        self._receiver = receiver

    def send(self, lines: Sequence[Line]) -> str:
        """Send the lines, and wait until all were read. Raises Unavailable, or Uncertain where that is not known."""
        until = time.monotonic() + CALL_DEADLINE_S
        try:
            with contextlib.closing(self._opened()) as opened:
                opened.settimeout(_left(until))
                opened.sendall(b"".join(framed(message(each)) for each in lines))
                _until_read(opened, until)
        except TimeoutError:
            raise Uncertain("siem_did_not_close", "it took the lines and did not close its end") from None
        except OSError as error:
            raise Uncertain("siem_connection_lost", error.strerror or type(error).__name__) from None
        return "read by the receiver"

    def reach(self) -> str:
        """Look whether somebody listens, and is who it says where that is asked. Raises Unavailable."""
        self._opened().close()
        return "somebody listens; nothing was sent"

    def _opened(self) -> socket.socket:
        to = self._receiver
        opened = knocking.connect(to.host, to.port)
        if not to.tls:
            return opened
        try:
            context = ssl.create_default_context(cafile=to.ca_file)
            return context.wrap_socket(opened, server_hostname=to.host)
        except OSError as error:  # ssl's own are such
            opened.close()
            why = getattr(error, "verify_message", "") or error.strerror or type(error).__name__
            raise Unavailable("siem_not_trusted", why) from None


def message(line: Line) -> bytes:
    """Return a line as a syslog message; it is of this machine, and names no process."""
    at = datetime.fromtimestamp(line.at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    priority = _FACILITY * 8 + _SEVERITIES.get(line.severity_id, 6)
    return (
        f"<{priority}>1 {at} {_name(socket.gethostname(), 255)} rotator - {_name(line.name, 32)} - {line.text}".encode()
    )


def framed(content: bytes) -> bytes:
    """Return a message behind its length in bytes."""
    return b"%d %s" % (len(content), content)


def _name(text: str, longest: int) -> str:
    """Return a name of the header: printable ASCII without blanks, `-` for none."""
    return "".join(each if "!" <= each <= "~" else "_" for each in text)[:longest] or "-"


def _until_read(opened: socket.socket, until: float) -> None:
    """Close it for writing, and wait until the receiver has closed too, with all of it taken."""
    if _state(opened) not in {None, _TCP_ESTABLISHED}:
        raise ConnectionAbortedError("it closed first")
    if isinstance(opened, ssl.SSLSocket):
        opened.settimeout(_left(until))
        # A receiver may close without a farewell of its own.
        with contextlib.suppress(ssl.SSLEOFError, ssl.SSLZeroReturnError):
            opened = opened.unwrap()
    opened.shutdown(socket.SHUT_WR)
    opened.settimeout(_left(until))
    while opened.recv(4096):
        opened.settimeout(_left(until))
    # Who died before our last bytes came has closed too: then these are never acknowledged, and it is reset.
    while _state(opened) not in {None, _TCP_CLOSE}:
        _left(until)
        time.sleep(_LOOK_S)
    if error := opened.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
        raise OSError(error, os.strerror(error))


def _state(opened: socket.socket) -> int | None:
    """Return the state of the connection as Linux numbers it, None on another system."""
    asked = getattr(socket, "TCP_INFO", None)
    return None if asked is None else opened.getsockopt(socket.IPPROTO_TCP, asked, 1)[0]


def _left(until: float) -> float:
    left = until - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left

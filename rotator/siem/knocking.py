"""Open a connection, or say in one of our errors why it could not be."""

from __future__ import annotations

import socket

from rotator.errors import Unavailable
from rotator.ports.connection import CONNECT_TIMEOUT_S


def connect(host: str, port: int) -> socket.socket:
    """Return the connection. Raises Unavailable where nobody takes it."""
    try:
        return socket.create_connection((host, port), timeout=CONNECT_TIMEOUT_S)
    except OSError as error:
        raise Unavailable("siem_unreachable", error.strerror or type(error).__name__) from None

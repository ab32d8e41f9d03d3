"""Send syslog messages (RFC 5424) over UDP (RFC 5426): each in a datagram of its own, and nobody says that it came.

What is lost on the way is lost: the records that were sent are taken for sent. What this machine is told at once, that
nobody has that port, is heard.
"""

from __future__ import annotations

import contextlib
import os
import socket
import time
from collections.abc import Sequence
from dataclasses import dataclass

from rotator.errors import Rejected, Unavailable
from rotator.siem.channel import Line
from rotator.siem.to_syslog import message

LONGEST = 65_507
"""Bytes of a datagram of IPv4, and of none more: RFC 5426 has a message in one. An event of ours is far shorter."""
PAUSE_S = 0.001
"""Seconds after each: a receiver has room for few that come at once, and drops the others."""


@dataclass(frozen=True, slots=True)
class ToUdp:
    """One receiver."""

    host: str
    port: int

    def send(self, lines: Sequence[Line]) -> str:
        """Send the lines, one after the other. Raises Unavailable where it is known that nobody takes them."""
        datagrams = [message(each) for each in lines]
        if any(len(each) > LONGEST for each in datagrams):
            raise Rejected("siem_refused_events", f"an event is longer than a datagram, {LONGEST:,} bytes")
        with contextlib.closing(self._opened()) as opened:
            try:
                for each in datagrams:
                    opened.send(each)
                    time.sleep(PAUSE_S)
            except OSError as error:
                raise Unavailable("siem_unreachable", error.strerror or type(error).__name__) from None
            if heard := opened.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
                raise Unavailable("siem_unreachable", os.strerror(heard))
        return "sent over UDP: whether it came, nobody says"

    def reach(self) -> str:
        """Look whether its name is known. Raises Unavailable."""
        self._opened().close()
        return "UDP: whether somebody listens, nobody says; nothing was sent"

    def _opened(self) -> socket.socket:
        try:
            family, kind, proto, _, address = socket.getaddrinfo(self.host, self.port, type=socket.SOCK_DGRAM)[0]
            opened = socket.socket(family, kind, proto)
        except OSError as error:
            raise Unavailable("siem_unreachable", error.strerror or type(error).__name__) from None
        try:
            opened.connect(address)
        except OSError as error:
            opened.close()
            raise Unavailable("siem_unreachable", error.strerror or type(error).__name__) from None
        return opened

"""One login at a MariaDB server with a native password, and with nothing else.

An account may be entered in several ways, which the server asks for one after the other. What is asked for besides is
answered with nothing: PyMySQL would stop at the second question, and would send the password in clear text when asked.
See mariadb.com, "Connecting" (client/server protocol).
"""

from __future__ import annotations

import hashlib
import socket
import struct

from rotator.credential import Secret
from rotator.errors import Unavailable
from rotator.families.server_login import ServerAddress, door, exactly
from rotator.ports.provider import Answer, Verdict

NATIVE = "mysql_native_password"
DENIED, DENIED_WITHOUT_PASSWORD, LOCKED, EXPIRED = 1045, 1698, 4151, 1862

_CAPABILITIES = 0x1 | 0x200 | 0x8000 | 0x80000  # long password, protocol 4.1, its hash, plugins
_TLS = 0x800
_UTF8 = 45
_LARGEST = 1 << 24
_OK, _SWITCH, _MORE, _ERROR = 0x00, 0xFE, 0x01, 0xFF
_SALT = 20
_QUESTIONS = 20
"""More than any account has ways to be entered."""


def knock(address: ServerAddress, name: str, password: Secret) -> Verdict:
    """Log in and leave. Raises Unavailable when there was no answer."""
    with door(address) as plain:
        return _login(_Wire(plain), address, name, password)


def scrambled(password: Secret, salt: bytes) -> bytes:
    """Return the answer to a challenge; an empty password's is empty."""
    if not password:
        return b""
    once = _sha1(password.reveal().encode())
    mask = _sha1(salt + _sha1(once))
    return bytes(a ^ b for a, b in zip(once, mask, strict=True))


def stored(password: Secret) -> str:
    """Return what the server stores of a password, as it writes it."""
    return "*" + _sha1(_sha1(password.reveal().encode())).hex().upper()


def _sha1(text: bytes) -> bytes:
    return hashlib.sha1(text, usedforsecurity=False).digest()


class _Wire:
    """Packets: their length, a running number, their content."""

    def __init__(self, wire: socket.socket) -> None:
        self.wire, self._number = wire, 0

    def send(self, content: bytes) -> None:
        self.wire.sendall(struct.pack("<I", len(content))[:3] + bytes([self._number]) + content)
        self._number = (self._number + 1) % 256

    def receive(self) -> bytes:
        head = exactly(self.wire, 4)
        self._number = (head[3] + 1) % 256
        return exactly(self.wire, int.from_bytes(head[:3], "little"))


def _login(wire: _Wire, address: ServerAddress, name: str, password: Secret) -> Verdict:
    greeting = wire.receive()
    if greeting[0] == _ERROR:
        return _refused(greeting)
    salt, offers_tls = _greeted(greeting)
    capabilities = _CAPABILITIES | (_TLS if address.tls else 0)
    head = struct.pack("<IIB23x", capabilities, _LARGEST, _UTF8)
    if address.tls is not None:
        if not offers_tls:
            raise Unavailable("no_encryption", f"{address} offers no TLS, and the connection does not say tls = false")
        wire.send(head)
        wire.wire = address.tls.wrap_socket(wire.wire, server_hostname=address.host)
    proof = scrambled(password, salt)
    wire.send(head + name.encode() + b"\0" + bytes([len(proof)]) + proof + NATIVE.encode() + b"\0")
    for _ in range(_QUESTIONS):
        said = wire.receive()
        if said[0] == _OK:
            return Verdict(Answer.ACCEPTED, "logged_in")
        if said[0] == _ERROR:
            return _refused(said)
        if said[0] == _SWITCH and (asked := said[1:].split(b"\0", 1))[0] == NATIVE.encode():
            wire.send(scrambled(password, asked[1][:_SALT]))
        elif said[0] in (_SWITCH, _MORE):
            wire.send(b"")
        else:
            return Verdict(Answer.INCONCLUSIVE, "unknown_question")
    return Verdict(Answer.INCONCLUSIVE, "too_many_questions")


def _greeted(greeting: bytes) -> tuple[bytes, bool]:
    """Return the challenge and whether TLS is offered."""
    at = greeting.index(b"\0", 1) + 1 + 4  # behind the version and the number of the connection
    low = struct.unpack_from("<H", greeting, at + 9)[0]
    return greeting[at : at + 8] + greeting[at + 27 : at + 39], bool(low & _TLS)


def _refused(said: bytes) -> Verdict:
    code = struct.unpack_from("<H", said, 1)[0]
    if code == LOCKED:
        # Told only to who has the right password: this is about the account, and not the password.
        return Verdict(Answer.REJECTED, "account_locked", names_id=True)
    if code == EXPIRED:
        return Verdict(Answer.ACCEPTED, "password_right_but_expired")
    if code in (DENIED, DENIED_WITHOUT_PASSWORD):
        return Verdict(Answer.REJECTED, "access_denied")
    return Verdict(Answer.INCONCLUSIVE, f"error_{code}")

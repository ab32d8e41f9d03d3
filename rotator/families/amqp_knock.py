"""One login at a RabbitMQ server over AMQP 0-9-1, up to the answer and no further.

That is the door that applications use. The management interface is another one: it lets in only users with a tag.
See rabbitmq.com, "AMQP 0-9-1 Complete Reference" (connection.start-ok, tune, close).
"""

from __future__ import annotations

import socket
import struct

from rotator.credential import Secret
from rotator.families.server_login import ServerAddress, door, exactly
from rotator.ports.provider import Answer, Verdict

_HEADER = b"AMQP\x00\x00\x09\x01"
_METHOD, _END = 1, b"\xce"
_START, _START_OK, _TUNE, _CLOSE = (10, 10), (10, 11), (10, 30), (10, 50)
_ACCESS_REFUSED = 403
_LONGEST = 1 << 20


def knock(address: ServerAddress, name: str, password: Secret) -> Verdict:
    """Log in and leave. Raises Unavailable when there was no answer."""
    with door(address) as plain:
        wire = address.tls.wrap_socket(plain, server_hostname=address.host) if address.tls else plain
        return _login(wire, name, password)


def _login(wire: socket.socket, name: str, password: Secret) -> Verdict:
    wire.sendall(_HEADER)
    if _receive(wire)[0] != _START:
        raise ValueError("not a server of this protocol")
    # Without this capability a refusal is a closed socket, which could not be told from a lost connection.
    capability = _short("authentication_failure_close") + b"t\x01"
    properties = _short("capabilities") + b"F" + _long(capability) + _short("product") + b"S" + _long(b"rotator")
    response = f"\0{name}\0{password.reveal()}".encode()
    _send(wire, _START_OK, _long(properties) + _short("PLAIN") + _long(response) + _short("en_US"))
    method, body = _receive(wire)
    if method == _TUNE:
        _send(wire, _CLOSE, struct.pack("!H", 200) + _short("bye") + struct.pack("!HH", 0, 0))
        return Verdict(Answer.ACCEPTED, "logged_in")
    code = struct.unpack_from("!H", body)[0] if method == _CLOSE else 0
    if code == _ACCESS_REFUSED:
        return Verdict(Answer.REJECTED, "access_refused")
    return Verdict(Answer.INCONCLUSIVE, f"closed_with_{code}" if code else "unknown_answer")


def _short(text: str) -> bytes:
    return bytes([len(text)]) + text.encode()


def _long(content: bytes) -> bytes:
    return struct.pack("!I", len(content)) + content


def _send(wire: socket.socket, method: tuple[int, int], body: bytes) -> None:
    content = struct.pack("!HH", *method) + body
    wire.sendall(struct.pack("!BHI", _METHOD, 0, len(content)) + content + _END)


def _receive(wire: socket.socket) -> tuple[tuple[int, int], bytes]:
    kind, _, size = struct.unpack("!BHI", exactly(wire, 7))
    if kind != _METHOD or not 4 <= size <= _LONGEST:  # noqa: PLR2004 - the two numbers of a method
        raise ValueError("not a frame of this protocol")
    content = exactly(wire, size + len(_END))[:size]
    first, second = struct.unpack_from("!HH", content)
    return (first, second), content[4:]

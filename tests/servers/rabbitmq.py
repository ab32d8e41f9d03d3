"""Run a real RabbitMQ with its management interface on free ports of 127.0.0.1, and an epmd of its own."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import socket
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import httpx2

from rotator.credential import Secret
from rotator.practice.process import free_port, listening, running

OWN_USER = "rotator"


@dataclass(frozen=True)
class RabbitMqServer:
    """A running server, whose first user is the rotator's own."""

    management: int
    amqp: int
    folder: Path
    own: Secret

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.management}"

    @property
    def log(self) -> str:
        return (self.folder / "server.log").read_text(errors="replace")

    def call(self, method: str, path: str, body: object = None) -> Any:
        """Make one call as the first user."""
        answer = httpx2.request(
            method, self.url + path, json=body, auth=(OWN_USER, self.own.reveal()), timeout=30, trust_env=False
        )
        answer.raise_for_status()
        return answer.json() if answer.content else None

    def session(self, user: str, password: Secret) -> Callable[[], bool]:
        """Log in over AMQP and stay; return who tells whether that connection lives."""
        wire = socket.create_connection(("127.0.0.1", self.amqp), 10)
        wire.sendall(b"AMQP\x00\x00\x09\x01")
        _method(wire)
        response = f"\0{user}\0{password.reveal()}".encode()
        start_ok = b"\0\0\0\0" + b"\x05PLAIN" + len(response).to_bytes(4, "big") + response + b"\x05en_US"
        _say(wire, 0, b"\x00\x0a\x00\x0b" + start_ok)
        limits = _method(wire)[4:10]
        _say(wire, 0, b"\x00\x0a\x00\x1f" + limits + b"\0\0")  # no heartbeats
        _say(wire, 0, b"\x00\x0a\x00\x28" + b"\x01/\0\0")
        assert _method(wire)[:4] == b"\x00\x0a\x00\x29"
        channels = count(1)

        def lives() -> bool:
            with contextlib.suppress(OSError, EOFError):
                _say(wire, next(channels), b"\x00\x14\x00\x0a\x00")
                return _method(wire)[:4] == b"\x00\x14\x00\x0b"
            return False

        return lives

    def plant(self, user: str, tags: str = "") -> Secret:
        """Make a user, or give it another password, which the server hashes itself."""
        password = Secret(f"canary-{secrets.token_hex(16)}")
        self.call("PUT", f"/api/users/{user}", {"password": password.reveal(), "tags": tags})
        every = {"configure": ".*", "write": ".*", "read": ".*"}
        self.call("PUT", f"/api/permissions/%2F/{user}", every)
        return password


@contextlib.contextmanager
def rabbitmq() -> Iterator[RabbitMqServer]:
    """Run the server until the block ends. It takes some seconds to start."""
    folder = Path(tempfile.mkdtemp(prefix="rotator-rabbitmq-"))
    management, amqp, names, nodes = (free_port() for _ in range(4))
    own = Secret(secrets.token_hex(20))
    (folder / "rabbitmq.conf").write_text(
        f"listeners.tcp.1 = 127.0.0.1:{amqp}\nmanagement.tcp.ip = 127.0.0.1\nmanagement.tcp.port = {management}\n"
        f"default_user = {OWN_USER}\ndefault_pass = {own.reveal()}\nlog.console = true\nlog.file = false\n"
    )
    (folder / "plugins").write_text("[rabbitmq_management].")
    env = {
        "HOME": str(folder),
        "RABBITMQ_NODENAME": f"rotator-{amqp}@localhost",
        "RABBITMQ_CONFIG_FILE": str(folder / "rabbitmq.conf"),
        "RABBITMQ_CONF_ENV_FILE": os.devnull,
        "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "plugins"),
        "RABBITMQ_MNESIA_BASE": str(folder / "mnesia"),
        "RABBITMQ_GENERATED_CONFIG_DIR": str(folder / "generated"),
        "RABBITMQ_LOGS": "-",
        "RABBITMQ_DIST_PORT": str(nodes),
        "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-kernel inet_dist_use_interface {127,0,0,1} -start_epmd false",
        "RABBITMQ_SERVER_START_ARGS": "+sbwt none",
        "ERL_EPMD_PORT": str(names),
    }
    server = RabbitMqServer(management, amqp, folder, own)
    try:
        with (
            running(
                ["epmd", "-address", "127.0.0.1", "-port", str(names)],
                ready=lambda: listening(names),
                log=folder / "epmd.log",
            ),
            running(
                ["/usr/lib/rabbitmq/bin/rabbitmq-server"],
                ready=lambda: _answers(server),
                log=folder / "server.log",
                env=env,
                within_s=120.0,
            ),
        ):
            yield server
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _answers(server: RabbitMqServer) -> bool:
    if not listening(server.amqp):
        return False
    with contextlib.suppress(httpx2.HTTPError):
        return bool(server.call("GET", "/api/whoami"))
    return False


def _say(wire: socket.socket, channel: int, method: bytes) -> None:
    wire.sendall(b"\x01" + channel.to_bytes(2, "big") + len(method).to_bytes(4, "big") + method + b"\xce")


def _method(wire: socket.socket) -> bytes:
    with wire.makefile("rb", buffering=0) as stream:
        size = int.from_bytes(_exactly(stream, 7)[3:], "big")
        return _exactly(stream, size + 1)[:-1]


def _exactly(stream: Any, size: int) -> bytes:
    parts = b""
    while len(parts) < size:
        part = stream.read(size - len(parts))
        if not part:
            raise EOFError
        parts += part
    return parts

"""Passwords of users of a real RabbitMQ."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

from rotator.credential import CredentialRef, Leaked, Secret
from rotator.families.rabbitmq import tag_of
from rotator.ports.connection import Connection
from rotator.practice.process import free_port
from rotator.providers.rabbitmq_user import connect
from tests.contracts.case import Case
from tests.servers.rabbitmq import OWN_USER, RabbitMqServer, rabbitmq

KIND = "rabbitmq_user"


def connected(server: RabbitMqServer, address: str | None = None, own: Secret | None = None, **settings: object):
    settings = {"user": OWN_USER, "amqp": f"amqp://127.0.0.1:{server.amqp}", **settings}
    connection = Connection("bus", "rabbitmq", None, address or server.url, lambda: own or server.own, settings)
    return connect(connection, KIND)


def planted(server: RabbitMqServer, user: str) -> tuple[CredentialRef, Secret]:
    password = server.plant(user)
    return CredentialRef(KIND, "bus", user, f"{user}:{tag_of(server.call('GET', f'/api/users/{user}'))}"), password


@contextmanager
def open_case(tmp_path: Path) -> Iterator[Case]:  # noqa: ARG001 - it keeps its files where its paths are short
    numbers = count(1)
    with rabbitmq() as server:

        def plant(owner: str | None = None) -> tuple[CredentialRef, Secret]:
            return planted(server, owner or f"service-{next(numbers)}")

        nowhere = free_port()
        yield Case(
            provider=connected(server),
            unreachable=connected(server, f"http://127.0.0.1:{nowhere}", amqp=f"amqp://127.0.0.1:{nowhere}"),
            plant=plant,
            leaked=lambda ref, secret: Leaked(secret=secret, owner=ref.owner),
            garbled=lambda secret: Secret(secret.reveal()[:-6]),
            unknown=lambda ref: ref.with_id(f"{ref.owner}:00000000"),
            own=server.own,
            session=lambda ref, secret: server.session(ref.owner, secret),
            several=False,
        )

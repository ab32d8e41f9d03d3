"""Passwords of entries of a real OpenLDAP, seen with an entry of the rotator's own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

from rotator.credential import CredentialRef, Leaked, Secret
from rotator.ports.connection import Connection
from rotator.practice.process import free_port
from rotator.providers.ldap_password import connect
from tests.contracts.case import Case
from tests.servers.slapd import BASE, OWN, Slapd, slapd

KIND = "ldap_password"


def connected(server: Slapd, address: str | None = None, own: Secret | None = None, **settings: object):
    settings = {"user": OWN, "base": BASE, **settings}
    connection = Connection("directory", "ldap", None, address or server.url, lambda: own or server.own, settings)
    return connect(connection, KIND)


def entered(server: Slapd, name: str):
    """Return the provider as one of those who have rights of their own: looker, adder, taker."""
    dn, password = server.enter(name)
    return connected(server, own=password, user=dn)


def planted(server: Slapd, name: str) -> tuple[CredentialRef, Secret]:
    dn, tag, password = server.plant(name)
    return CredentialRef(KIND, "directory", dn, f"{dn}:{tag}"), password


@contextmanager
def open_case(tmp_path: Path) -> Iterator[Case]:  # noqa: ARG001 - its configuration takes no path of any form
    numbers = count(1)
    with slapd() as server:

        def plant(owner: str | None = None) -> tuple[CredentialRef, Secret]:
            name = owner.partition("=")[2].partition(",")[0] if owner else f"service-{next(numbers)}"
            return planted(server, name)

        yield Case(
            provider=connected(server),
            unreachable=connected(server, f"ldap://127.0.0.1:{free_port()}"),
            plant=plant,
            leaked=lambda ref, secret: Leaked(secret=secret, owner=ref.owner),
            garbled=lambda secret: Secret(secret.reveal()[:-6]),
            unknown=lambda ref: ref.with_id(f"{ref.owner}:00000000"),
            own=server.own,
            narrow=entered(server, "looker"),
        )

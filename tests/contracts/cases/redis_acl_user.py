"""Passwords of users of a real Redis, seen with a narrow user of the rotator's own."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

from rotator.credential import CredentialRef, Leaked, Secret
from rotator.ports.connection import Connection
from rotator.practice.process import free_port
from rotator.providers.redis_acl_user import connect
from tests.contracts.case import Case
from tests.servers.redis_users import OWN_USER, RedisUsers, redis_users

KIND = "redis_acl_user"


LOOKS = "-@all +acl|list +acl|getuser +config|get +info"
"""What the rotator needs to look, and to be told what it may do."""


def connected(server: RedisUsers, address: str | None = None, own: Secret | None = None, user: str = OWN_USER):
    return connect(
        Connection("cache", "redis", None, address or server.url, lambda: own or server.own, {"user": user}), KIND
    )


def ruled(server: RedisUsers, rules: str, user: str):
    """Return the provider with a user of its own who has these rules."""
    with server.client() as admin:
        admin.execute_command("ACL", "SETUSER", user, "on", ">ruled", *rules.split())
    return connected(server, own=Secret("ruled"), user=user)


def ref_of(user: str, password: Secret) -> CredentialRef:
    return CredentialRef(KIND, "cache", user, f"{user}:{hashlib.sha256(password.reveal().encode()).hexdigest()[:8]}")


@contextmanager
def open_case(tmp_path: Path) -> Iterator[Case]:
    numbers = count(1)
    with redis_users(tmp_path) as server:

        def plant(owner: str | None = None) -> tuple[CredentialRef, Secret]:
            user = owner or f"service-{next(numbers)}"
            password = server.plant(user)
            return ref_of(user, password), password

        yield Case(
            provider=connected(server),
            unreachable=connected(server, f"redis://127.0.0.1:{free_port()}"),
            plant=plant,
            leaked=lambda ref, secret: Leaked(secret=secret, owner=ref.owner),
            garbled=lambda secret: Secret(secret.reveal()[:-6]),
            unknown=lambda ref: ref.with_id(f"{ref.owner}:00000000"),
            own=server.own,
            session=lambda ref, secret: server.session(ref.owner, secret),
            narrow=ruled(server, LOOKS, "looker"),
        )

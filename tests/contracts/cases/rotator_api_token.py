"""API tokens of rotator itself: of a real service, as it serves, with a ledger of its own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from unittest import mock

from rotator import api_token
from rotator.api import callers
from rotator.credential import CredentialRef, Leaked, Secret
from rotator.flow.approval import Role
from rotator.playbook_file import SHIPPED, load
from rotator.ports.connection import Connection
from rotator.practice.process import free_port
from rotator.providers.http import connect
from tests.api.deployment import web
from tests.contracts.case import Case

KIND = "rotator_api_token"
REST = load(SHIPPED / f"{KIND}.yaml").http
RULE = """
data_dir = "data"
[approval]
[[people]]
name = "ana"
roles = ["admin"]
"""
"""Four eyes: a program's token, such as the rotator's own, makes those of programs alone."""


@contextmanager
def open_case(tmp_path: Path) -> Iterator[Case]:
    numbers = count(1)
    (tmp_path / "rotator.toml").write_text(RULE)
    # The suite knocks more often than anybody may: tests/api/test_callers.py is about that limit.
    with mock.patch.object(callers, "WRONG_A_MINUTE", 10**6), web(tmp_path / "rotator.toml") as service:
        tokens, address = service.parts.tokens, f"http://127.0.0.1:{service.port}"

        def made(name: str, role: Role) -> tuple[CredentialRef, Secret]:
            secret, kept = tokens.create(name, role, "", 86400.0, "ana")
            return CredentialRef(KIND, KIND, "", f"{api_token.PREFIX}{kept.lookup}"), secret

        _, own = made("rotator", Role.ADMIN)

        def connected(address: str):
            return connect(Connection(KIND, "http", None, address, lambda: own), KIND, REST)

        asked_for: set[CredentialRef] = set()

        def plant(owner: str | None = None) -> tuple[CredentialRef, Secret]:
            ref, secret = made(f"job-{next(numbers)}", Role.RESPONDER)
            if owner is None:
                asked_for.clear()
            else:
                asked_for.add(ref)
            return ref, secret

        def beside(ref: CredentialRef) -> frozenset[CredentialRef]:
            """Return the other programs' tokens: those of a service are one owner's, and each person's are his."""
            alive = (each for each in tokens.listed() if each.revoked_at is None)
            return frozenset(ref.with_id(f"{api_token.PREFIX}{each.lookup}") for each in alive) - asked_for - {ref}

        yield Case(
            provider=connected(address),
            unreachable=connected(f"http://127.0.0.1:{free_port()}"),
            elsewhere=connected,
            plant=plant,
            leaked=lambda _ref, secret: Leaked(secret=secret),
            garbled=lambda secret: Secret(secret.reveal()[:-6]),
            unknown=lambda ref: ref.with_id("rot_00000000"),
            own=own,
            beside=beside,
            living=(
                (401, {"status": 401, "reason": "no_token"}),
                (401, {"status": 401, "reason": "session_over"}),
                (403, {"status": 403, "reason": "role"}),
                (429, {"status": 429, "reason": "too_many_wrong_tokens"}),
                (503, {"status": 503, "reason": "not_ready"}),
            ),
            marks=True,
        )

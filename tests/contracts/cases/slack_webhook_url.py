"""Webhooks of Slack, against a fake of the published answers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

from rotator.credential import CredentialRef, Leaked, Secret
from rotator.ports.connection import Connection
from rotator.practice.process import free_port
from rotator.providers.slack_webhook_url import connect
from tests.contracts.case import Case
from tests.fakes.webhooks import fake_webhooks

KIND = "slack_webhook_url"


@contextmanager
def open_case(tmp_path: Path) -> Iterator[Case]:  # noqa: ARG001 - the fake keeps nothing on disk
    numbers = count(100_000_000)
    with fake_webhooks() as server:

        def connected(address: str):
            return connect(Connection(KIND, "webhook", None, address, settle_s=0.0), KIND)

        def plant(owner: str | None = None) -> tuple[CredentialRef, Secret]:
            workspace = owner or f"T{next(numbers):09d}"
            named, address = server.slack(workspace)
            return CredentialRef(KIND, KIND, workspace, named), address

        yield Case(
            provider=connected(server.address),
            unreachable=connected(f"http://127.0.0.1:{free_port()}"),
            elsewhere=connected,
            plant=plant,
            leaked=lambda _ref, secret: Leaked(secret=secret),
            garbled=lambda secret: Secret(secret.reveal()[:-6]),
            unknown=lambda ref: ref.with_id("0"),
            by_hand=lambda ref: server.remove(ref.id),
            lists=False,
            views=False,
        )

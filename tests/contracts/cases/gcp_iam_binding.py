"""Roles on service accounts, against our fake of the published IAM policies."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rotator.credential import CredentialRef, Leaked, Secret
from rotator.ports.connection import Connection
from rotator.practice.process import free_port
from rotator.providers.gcp_iam_binding import GcpIamBinding, connect
from tests.contracts.case import Case
from tests.contracts.cases.aws_role_trust import NO_SECRET
from tests.fakes.gcp_policies import FakePolicies, fake_policies

NAME = "gcp_iam_binding"
ROLE = "roles/iam.serviceAccountTokenCreator"
IN_HOURS = {"title": "in hours", "expression": "request.time.getHours('UTC') < 18"}
OWN = Secret("a-token-of-the-rotators-own")
LOOKING = Secret("a-token-that-may-look-and-no-more")


def connected(server: FakePolicies, own: Secret = OWN, **changed) -> GcpIamBinding:
    fields = {"account": server.project, "endpoint_url": server.address, "credential": lambda: own}
    return connect(Connection("gcp-test", "gcp", **{**fields, "settle_s": 0.0, "propagation_s": 0.0, **changed}), NAME)


def plant(server: FakePolicies, owner: str | None = None) -> tuple[CredentialRef, Secret]:
    """Let one more vendor act as a service account, in hours alone."""
    on, member = owner or server.account(), f"serviceAccount:sync-{secrets.token_hex(4)}@vendor.iam.gserviceaccount.com"
    server.give(on, ROLE, member, condition=IN_HOURS)
    return CredentialRef(NAME, "gcp-test", on, f"{on}/{ROLE}/{member}"), NO_SECRET


@contextmanager
def open_case(tmp_path: Path) -> Iterator[Case]:  # noqa: ARG001 - the fake is in memory
    with fake_policies() as server:
        server.grants.give(LOOKING.reveal(), "iam.serviceAccounts.getIamPolicy", "iam.serviceAccounts.list")
        yield Case(
            provider=connected(server),
            unreachable=connected(server, endpoint_url=f"http://127.0.0.1:{free_port()}"),
            elsewhere=lambda address: connected(server, endpoint_url=address),
            plant=lambda owner=None: plant(server, owner),
            leaked=lambda ref, _: Leaked(id=ref.id),
            garbled=lambda secret: secret,
            unknown=lambda ref: ref.with_id(f"{ref.owner}/{ROLE}/user:nobody@vendor.example"),
            wrong_account=lambda: CredentialRef(NAME, "gcp-test", "other", f"other/{ROLE}/user:a@vendor.example"),
            own=OWN,
            forgets=True,
            narrow=connected(server, LOOKING),
        )

"""API tokens of the practice range's token server, described wholly in YAML."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from io import StringIO
from itertools import count
from pathlib import Path

from ruamel.yaml import YAML

from rotator.credential import CredentialRef, Leaked, Secret
from rotator.ports.connection import Connection
from rotator.practice.process import free_port
from rotator.practice.token_server import token_server
from rotator.providers.http import connect
from rotator.rest_kind import RestKind
from tests.contracts.case import Case

ACME = """
settle_s: 0
format: acme_[A-Za-z0-9]{40}
issue:
  call: POST /tokens
  body: {owner: "{owner}", scopes: "{exposed.scopes}", marker: "{marker}"}
  id: data.id
  secret: data.token
list:
  call: GET /tokens?limit=100
  each: data
  id: id
  owner: owner
  marker: marker
  suspended: suspended
  pages: {next: next}
  keep: [created_at, last_used_at]
identify: {call: GET /me, as: subject, id: data.id, owner: data.owner}
verify:
  call: GET /me
  accepted: [200]
  rejected: [{status: 401, where: {error: unknown token}}]
  id: data.id
suspend: {call: "POST /tokens/{id}/suspend", done: [204, 404]}
resume: {call: "POST /tokens/{id}/resume", done: [204]}
revoke: {call: "DELETE /tokens/{id}", done: [204, 404]}
"""


def acme(**changed: object) -> RestKind:
    """Return the kind, with some sections replaced or, where None, left out."""
    fields = {**YAML(typ="safe").load(StringIO(ACME)), **changed}
    return RestKind.model_validate({name: value for name, value in fields.items() if value is not None})


@contextmanager
def open_case(tmp_path: Path) -> Iterator[Case]:  # noqa: ARG001 - the server keeps nothing on disk
    numbers = count(1)
    with token_server() as server:

        def connected(address: str):
            own = Connection("acme", "http", endpoint_url=address, credential=lambda: server.admin)
            return connect(own, "acme_api_token", acme())

        def plant(owner: str | None = None) -> tuple[CredentialRef, Secret]:
            name = owner or f"team-{next(numbers)}"
            planted = server.plant(name)
            return CredentialRef("acme_api_token", "acme", name, planted.id), planted.token

        yield Case(
            provider=connected(server.address),
            unreachable=connected(f"http://127.0.0.1:{free_port()}"),
            plant=plant,
            leaked=lambda _ref, secret: Leaked(secret=secret),
            garbled=lambda secret: Secret(secret.reveal()[:-6]),
            unknown=lambda ref: ref.with_id("tok_999999"),
            own=server.admin,
            elsewhere=connected,
            marks=True,
        )

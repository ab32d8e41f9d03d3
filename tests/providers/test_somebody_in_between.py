"""Answers that are not of the service's own form, such as a gateway's or a page: they say nothing of a credential."""

from __future__ import annotations

import base64
import hashlib
import importlib
import json

import pytest

from rotator.credential import CredentialRef, Leaked, Secret
from rotator.errors import Rejected, Unavailable, Uncertain
from rotator.ports.connection import Connection
from rotator.ports.provider import Answer, State
from tests.fakes.door import a_door

PAGE = "<html>Please sign in</html>"
IN_BETWEEN = [
    *((status, PAGE) for status in (200, 401, 403, 404)),
    (200, {}),
    (200, []),
    (200, None),
    (401, {"message": "Unauthorized"}),
    (401, {"error": "unauthorized", "message": "session expired"}),
    (401, None),
    (404, {"message": "no Route matched with those values"}),
]
NAMED = {
    "namespace": "shop",
    "serviceaccount": {"name": "ci", "uid": "u"},
    "secret": {"name": "ci-token", "uid": "u-1"},
}
CLAIMS = base64.urlsafe_b64encode(json.dumps({"kubernetes.io": NAMED}).encode()).decode().rstrip("=")
SERVICE_ACCOUNT = f"eyJhbGciOiJub25lIn0.{CLAIMS}.{'s' * 40}"
UUID = "6c0d4a6e-92bd-4b0f-9d6e-0123456789ab"
REFRESH = "1.A" + "x" * 120
KINDS = {
    "gitlab_token": ("gitlab", "project/7", "12", "glpat-" + "x" * 20),
    "azure_refresh_token": ("azure", UUID, hashlib.sha256(REFRESH.encode()).hexdigest(), REFRESH),
    "kubernetes_service_account_token": ("kubernetes", "shop/ci", "secrets/ci-token@u-1", SERVICE_ACCOUNT),
    "vault_token": ("vault", "web", "aCcEsSoR", "s." + "x" * 24),
    "vault_approle_secret_id": ("vault", "approle/web", UUID, UUID),
    "vault_database_lease": ("vault", "db/web", "db/creds/web/abc", '{"username": "u", "password": "pass-word"}'),
    "vault_database_static_role": (
        "vault",
        "db/web",
        "web:20260101T000000Z",
        '{"username": "u", "password": "pass-word"}',
    ),
    "vault_transit_key": ("vault", "transit/web", "transit/web:1", base64.b64encode(b"k" * 32).decode()),
}
OWN = {"vault": "s." + "o" * 24, "gitlab": "glpat-" + "o" * 20, "kubernetes": "own", "azure": "{}"}


@pytest.fixture(scope="module")
def door():
    with a_door() as opened:
        yield opened


@pytest.mark.parametrize("kind", KINDS)
def test_it_is_neither_gone_nor_dead_nor_done_and_no_other_error_escapes(door, kind):
    family, owner, named, text = KINDS[kind]
    ref, secret = CredentialRef(kind, "c", owner, named), Secret(text)
    connection = Connection("c", family, "t", door.address, lambda: Secret(OWN[family]))
    provider = importlib.import_module(f"rotator.providers.{kind}").connect(connection, kind)
    for status, body in IN_BETWEEN:
        door.says(status, body)
        told = {
            "inspect": _told(provider.inspect, ref),
            "verify": _told(provider.verify, ref, secret),
            "revoke": _told(provider.revoke, ref),
            "identify": _told(provider.identify, Leaked(secret=secret, id=named, owner=owner)),
        }
        assert getattr(told["inspect"], "state", None) not in (State.ABSENT, State.ACTIVE), (status, body)
        assert getattr(told["verify"], "answer", None) in (None, Answer.INCONCLUSIVE), (status, body)
        assert isinstance(told["revoke"], Rejected | Unavailable | Uncertain), (status, body, told["revoke"])
        assert getattr(told["identify"], "reason", "") != "unknown_credential", (status, body)


def _told(ask, *given):
    try:
        return ask(*given)
    except (Rejected, Unavailable, Uncertain) as error:
        return error

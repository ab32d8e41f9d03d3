"""What stands on this machine is no live account, however its address is written."""

from __future__ import annotations

import pytest

from rotator.live_account import ACCOUNT, HERE, OTHER, place_of
from rotator.ports.connection import Connection


@pytest.fixture(autouse=True)
def nothing_told(monkeypatch):
    for name in ("VAULT_ADDR", "AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_IAM"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize(
    "address",
    [
        "http://127.0.0.1:8200",
        "http://127.1:8200",
        "http://2130706433:8200",
        "http://0.0.0.0:8200",
        "http://[::1]:8200",
        "http://[::ffff:127.0.0.1]:8200",
        "http://localhost:8200",
        "http://vault.localhost:8200",
        "postgresql://rotator@/app?host=/run/postgresql",
    ],
)
def test_an_address_of_this_machine_is_known_in_every_form(address):
    assert place_of(Connection("c", "vault", endpoint_url=address)) == HERE


def test_an_address_of_another_machine_is_an_account_unless_a_cloud_has_but_its_own():
    assert place_of(Connection("c", "vault", endpoint_url="https://192.0.2.1:8200")) == ACCOUNT
    assert place_of(Connection("c", "aws")) == ACCOUNT
    assert place_of(Connection("c", "aws", endpoint_url="https://192.0.2.1")) == OTHER
    assert place_of(Connection("c", "ssh", settings={"hosts": ["web=192.0.2.1:22", "192.0.2.2"]})) == ACCOUNT
    assert place_of(Connection("c", "ssh", settings={"hosts": ["web=192.0.2.1:22", "db=127.0.0.1:22"]})) == HERE


@pytest.mark.parametrize(
    ("family", "name", "address", "place"),
    [
        ("vault", "VAULT_ADDR", "http://127.0.0.1:8200", HERE),
        ("aws", "AWS_ENDPOINT_URL", "http://127.0.0.1:4566", HERE),
        ("aws", "AWS_ENDPOINT_URL_IAM", "https://192.0.2.1", OTHER),
    ],
)
def test_the_vendors_variables_count_where_a_connection_names_no_address(monkeypatch, family, name, address, place):
    monkeypatch.setenv(name, address)
    assert place_of(Connection("c", family)) == place
    assert place_of(Connection("c", "gitlab")) == ACCOUNT
    assert place_of(Connection("c", "vault", endpoint_url="https://192.0.2.1")) == ACCOUNT

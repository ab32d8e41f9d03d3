"""Servers that the tests of more than one file try the same vendor on; each file has its own."""

from __future__ import annotations

import secrets

import pytest

from rotator.practice.openbao import openbao
from tests.contracts.cases.postgres_role import planted
from tests.fakes.fault_proxy import fault_proxy
from tests.servers.scram_postgres import scram_postgres


@pytest.fixture(scope="module")
def scram():
    """Return a PostgreSQL server that asks for passwords."""
    with scram_postgres() as running:
        yield running


@pytest.fixture
def app(scram):
    """Return a role of an application's and its password."""
    return planted(scram, f"app-{secrets.token_hex(4)}")


@pytest.fixture(scope="module")
def bao(tmp_path_factory):
    """Return an OpenBao server."""
    with openbao(tmp_path_factory.mktemp("openbao")) as running:
        yield running


@pytest.fixture
def proxy(bao):
    """Return what stands before it, and loses answers where it is told to."""
    with fault_proxy(bao.address) as standing:
        yield standing

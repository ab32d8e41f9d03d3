"""The servers that all tests of faults share, and what production stands on: each test may end and start those two."""

from __future__ import annotations

import contextlib

import pytest

from tests.e2e.holding_proxy import holding_proxy
from tests.e2e.production import production, running_backends


@pytest.fixture(scope="session")
def backends(tmp_path_factory):
    with running_backends(tmp_path_factory.mktemp("backends")) as up:
        yield up


@pytest.fixture
def aws_proxy(servers):
    with holding_proxy(servers.aws.endpoint_url) as proxy:
        yield proxy


@pytest.fixture
def produced(servers, backends, aws_proxy, tmp_path):
    """Return a function that stands up a production with victims of these kinds, which reaches AWS by the proxy."""
    with contextlib.ExitStack() as up:

        def stand_up(*kinds, **options):
            found = up.enter_context(production(tmp_path / "company", servers, backends, *kinds, **options))
            found.company.connection("aws", endpoint_url=aws_proxy.address)
            return found

        yield stand_up

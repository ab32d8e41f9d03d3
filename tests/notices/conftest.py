"""The other side of each kind of channel."""

from __future__ import annotations

import pytest

from tests.fakes import channels


@pytest.fixture
def hook():
    """Run a webhook."""
    with channels.slack() as fake:
        yield fake


@pytest.fixture
def post(tmp_path):
    """Run a mail server."""
    with channels.mail_server(tmp_path) as fake:
        yield fake

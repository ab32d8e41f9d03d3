"""A company of fakes whose incident a report tells."""

from __future__ import annotations

import pytest

from tests.fakes.company import founded


@pytest.fixture
def house(tmp_path):
    """Give a company and a deployment on a ledger of its own."""
    return founded(tmp_path)

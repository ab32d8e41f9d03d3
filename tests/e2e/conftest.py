"""Servers that all end-to-end tests share; each test brings a company of its own."""

from __future__ import annotations

import contextlib

import pytest

from tests.e2e.company import company


@pytest.fixture
def found_company(servers, tmp_path):
    """Return a function that stands up a company with victims of the kinds it is given."""
    with contextlib.ExitStack() as up:

        def stand_up(*kinds, name="company"):
            found = up.enter_context(company(tmp_path / name, servers, *kinds))
            found.rotator.is_ready = True
            return found

        yield stand_up

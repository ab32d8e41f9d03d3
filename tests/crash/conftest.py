"""Servers that all tests of crashes share, and how much of them is wanted: CRASH=all tries everything, by SEED."""

from __future__ import annotations

import os

import pytest

from rotator.practice.servers import running_servers


@pytest.fixture(scope="session")
def servers(tmp_path_factory):
    with running_servers(tmp_path_factory.mktemp("servers")) as up:
        yield up


@pytest.fixture(scope="session")
def everything():
    """Tell whether all is to be tried, which takes its time."""
    return os.environ.get("CRASH") == "all"


@pytest.fixture(scope="session")
def seed():
    return os.environ.get("SEED", "1")

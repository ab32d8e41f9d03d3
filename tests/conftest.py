"""What every test begins with."""

from __future__ import annotations

import pytest
import structlog


@pytest.fixture(autouse=True)
def fresh_logging():
    """Let no test inherit how another, a quiet command say, had set up logging in this process."""
    structlog.reset_defaults()

"""What a refusal is called."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from rotator.errors import Rejected


def reason_of(act: Callable[[], object]) -> str:
    """Do what is to be refused; return the reason."""
    with pytest.raises(Rejected) as refusal:
        act()
    return refusal.value.reason

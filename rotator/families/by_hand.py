"""What only a person can act upon: no service stands behind it, so there is nothing to configure."""

from __future__ import annotations

from rotator.ports.connection import Connection

FAMILY = "by_hand"
SETTINGS: frozenset[str] = frozenset()

CONNECTION = Connection(FAMILY, FAMILY)
"""It is always there: a kind that a person must revoke wants no account of ours."""

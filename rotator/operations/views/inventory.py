"""What people said of credentials, and what issuers listed."""

from __future__ import annotations

from rotator.operations.view import ListOf
from rotator.shown import inventory

INVENTORY = ListOf("/inventory", lambda parts, _: inventory.entries(parts))

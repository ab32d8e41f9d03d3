"""Read access logs for a vendor: what of the use of what it holds is unusual."""

from __future__ import annotations

from collections.abc import Callable

from rotator import vendor_uses
from rotator.access.by_log import Files
from rotator.bootstrap import Rotator
from rotator.ledger.vendor_uses import VendorUses
from rotator.operations.operation import Answer
from rotator.shown.vendor_uses import answer
from rotator.vendor_uses import Reading


def told(parts: Rotator, by: str, reading: Reading) -> Answer:
    """Keep what was read, and return it with what is known since."""
    before = VendorUses(parts.database).logs(reading.vendor).get(reading.vendor, [])
    vendor_uses.keep(parts, reading, by)
    return answer(parts, reading, before)


def seen(parts: Rotator, by: str, name: str, files: Callable[[], Files], since: float | None, called: str) -> Answer:  # noqa: PLR0917 - an act
    """Read them and keep what they tell; see `vendor_uses.read`."""
    return told(parts, by, vendor_uses.read(parts, name, files, since, called))

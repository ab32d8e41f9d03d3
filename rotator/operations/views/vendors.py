"""Vendors, and what each holds and reaches."""

from __future__ import annotations

from rotator.operations.view import ListOf, OfIncident
from rotator.shown import vendors

VENDORS = ListOf("/vendors", lambda parts, _: vendors.listed(parts))
VENDOR = OfIncident("/vendors/{incident}", vendors.one)

"""The risk of each vendor."""

from __future__ import annotations

from rotator import vendors_risk
from rotator.operations.view import ListOf

RISKS = ListOf("/vendor-risks", lambda parts, _: vendors_risk.told(parts))

"""Drills, and what becomes of them over the weeks."""

from __future__ import annotations

from rotator.operations.view import ListOf, OfIncident
from rotator.shown import drills

DRILLS = ListOf("/drills", lambda parts, _: drills.listed(parts))
DRILL_TREND = ListOf("/drills/trend", lambda parts, _: drills.trends(parts))
DRILL = OfIncident("/drills/{incident}", drills.drill)

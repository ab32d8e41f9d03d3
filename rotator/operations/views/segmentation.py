"""What one compromise reaches, and what shrinks that."""

from __future__ import annotations

from rotator import clock
from rotator.operations.view import ListOf, OfIncident
from rotator.shown import segmentation, short_lived
from rotator.shown.segmentation import Measured

PLACES = ListOf("/segmentation", lambda parts, _: segmentation.places(Measured(parts)))
REACHED = ListOf("/segmentation/reached", lambda parts, place: segmentation.reached(Measured(parts), place), by="place")
SEGMENTATION = OfIncident("/segmentation/whole", lambda parts, *_: segmentation.whole(Measured(parts)))
EDGES = ListOf("/segmentation/edges", lambda parts, _: Measured(parts).edges())
SEGMENTATION_TREND = ListOf("/segmentation/trend", lambda parts, _: segmentation.trend(parts))
SHORT_LIVED = ListOf("/segmentation/short-lived", lambda parts, _: short_lived.listed(parts, clock.now()))

"""An incident, and what belongs to it."""

from __future__ import annotations

from rotator.operations.view import ListOf, OfIncident
from rotator.shown import incidents

REPORT = OfIncident("/incidents/{incident}", incidents.report)
PLAN = OfIncident("/incidents/{incident}/plan", incidents.plan)
EXPOSURES = ListOf("/incidents/{incident}/exposures", incidents.exposures)
GATES = ListOf("/incidents/{incident}/gates", incidents.gates)

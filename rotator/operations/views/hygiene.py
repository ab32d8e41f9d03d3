"""What is due by hygiene's policies."""

from __future__ import annotations

from rotator import clock
from rotator.operations.view import ALL, ListOf
from rotator.shown import hygiene

DUE = ListOf("/hygiene", lambda parts, show: hygiene.due(parts, clock.now(), every=show == ALL), by="show")
SCHEDULES = ListOf("/schedules", lambda parts, _: hygiene.schedules(parts, clock.now()))

"""Alarms that came over HTTP."""

from __future__ import annotations

from rotator.operations.view import ListOf
from rotator.shown import alarms

TRIGGERS = ListOf("/triggers", lambda parts, _: alarms.alarms(parts))

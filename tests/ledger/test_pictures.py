"""On both ledgers a picture that is kept current, and each row that is read alone, are what the report tells."""

from __future__ import annotations

import pytest

from rotator.shown.kept import Kept
from tests.shown.test_live import Room, agrees, counted_at_once, parts_of

__all__ = ["counted_at_once"]


@pytest.mark.parametrize("last", ["merge", "undo 1"])
def test_after_each_act_of_a_history_across_incidents_the_picture_is_the_report(database, tmp_path, last):
    room = Room(tmp_path, database)
    parts = parts_of(room.deployment)
    kept = {incident: Kept(parts, incident) for incident in ("inc-1", "inc-2")}
    for act in (
        "dismiss 2",
        "approve 1",
        "stop 1",
        "work",
        "lift 1",
        "work",
        "reopen 2",
        "approve 2",
        last,
        "work",
        "wait",
    ):
        room.does(act)
        for incident, each in kept.items():
            agrees(parts, each, incident)

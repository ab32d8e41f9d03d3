"""A short quarter, the same each time: `make quarter` is the long one."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.quarter.checks import Looked
from tests.quarter.ending import altered, given, recomputed, refused
from tests.quarter.play import Quarter, going_by, heard
from tests.quarter.story import DRILLS, ROBBERIES, Story
from tests.quarter.world import Stop

SEED, SIZE, DAYS = "20260701", 240, 5


@pytest.fixture(scope="module")
def ended(tmp_path_factory):
    """Play it, and give it with its story, what the auditor is given, and what the product logged."""
    quarter = Quarter(tmp_path_factory.mktemp("quarter") / "company", SEED, SIZE, DAYS, ("320d", "300d"))
    with going_by(quarter.world.now), heard() as logged:
        story = Story(quarter, [each for each in ROBBERIES if each.name in {"grows", "fails"}], DRILLS[:1])
        quarter.play()
        yield quarter, story, given(quarter), logged
    quarter.parts.database.close()


def test_every_figure_of_the_quarters_report_is_recomputed_from_its_pack_alone(ended):
    quarter, _, found, _ = ended
    assert refused(quarter, found.pack) == []
    assert recomputed(found) == []
    states = found.told["states"]
    assert (states["open"], states["stated_only"], states["not_approved"]) == (2, 1, 0)
    assert states["proven_dead"] > 5
    hygiene = found.told["hygiene"]
    assert hygiene["all"]["due"] > hygiene["all"]["on_time"] > 0
    assert hygiene["ages"]["all"]["credentials"] > SIZE / 2


def test_no_credential_was_orphaned_replaced_twice_cut_in_use_or_forgotten(ended):
    quarter, story, _, logged = ended
    looked = Looked(quarter, story)
    assert [*logged, *looked.wrong()] == []
    assert len(looked.begun) > 10
    assert [each.row.outcome for each in story.drills] == ["proven"]


def test_each_wrong_that_is_looked_for_is_found_where_it_is_planted(ended):
    quarter, story, _, _ = ended
    looked, world = Looked(quarter, story), quarter.world
    mine = next(each for each in looked.runs if each["incident"] in looked.begun and each["replaced_at"])
    looked.runs.append(mine)
    looked.begun[mine["incident"]] = looked.begun[mine["incident"]][0], quarter.at_day(34.5)
    planted = quarter.estate.planted[0].id
    world.minted.add(planted)
    world.stops.append(Stop(mine["credential"], mine["replaced_at"] + 60.0, in_use=True))
    found = "\n".join(looked.wrong())
    world.minted.discard(planted)
    world.stops.pop()
    for words in (
        f"orphan: {planted} was made by no run",
        f"{mine['credential']} was replaced 2 times",
        f"{mine['credential']} was begun by hygiene 2 times",
        f"{mine['credential']} was stopped in use",
        f"{mine['credential']} lived on for 60 s",
        f"{mine['incident']} of ",
    ):
        assert words in found


@pytest.mark.parametrize(
    ("act", "changes"),
    [("clocks", {"dead_at": 1.0}), ("enrolled", {"detected_at": 1.0}), ("approved", {"at": 1.0})],
)
def test_one_altered_record_is_found_by_both_checks_and_gives_other_figures(ended, act, changes):
    quarter, story, found, _ = ended
    other = altered(found.pack, story.incidents["grows"], act, **changes)
    assert len(refused(quarter, other)) == 2
    assert recomputed(replace(found, pack=other)) != []

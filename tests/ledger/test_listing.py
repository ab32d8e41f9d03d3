"""Incidents are listed by what they are there for, a part at a time, and `last` is one that somebody responds to."""

from __future__ import annotations

import pytest
from sqlalchemy import insert, update

from rotator.errors import BadInput
from rotator.flow.incident import Purpose
from rotator.ledger import tables
from rotator.ledger.listing import Part

KEY = "aws_iam_access_key"
RESPONSES, DRILLS, ROUTINE = ("inc-1", "inc-2", "inc-3"), ("drl-1",), ("hyg-1", "hyg-2")


@pytest.fixture
def years(house):
    """Give a deployment with incidents of every purpose: the newest is hygiene, one is closed, one merged."""
    company, deployment = house
    for number, name in enumerate((*RESPONSES, *DRILLS, *ROUTINE)):
        each, _ = company.stolen(KEY, owner=f"o{number}")
        deployment.declare([each], incident=name)
    with deployment.database.write() as connection:
        for at, name in enumerate((*RESPONSES, *DRILLS, *ROUTINE)):
            connection.execute(
                update(tables.incident).where(tables.incident.c.id == name).values(declared_at=float(at))
            )
        for at, name in enumerate(ROUTINE):
            connection.execute(insert(tables.hygiene).values(incident=name, policy="keys", at=float(at)))
        for name in DRILLS:
            told = {"incident": name, "name": "weekly", "trigger": "manual", "by": "ann", "at": 0.0}
            connection.execute(insert(tables.drill).values(**told))
    deployment.enrolment.merge("inc-3", "inc-2", by="ann")
    return deployment


def ids(reading, **part):
    return [each.incident.id for each in reading.incidents(Part(**part))]


def test_each_purpose_is_listed_apart_and_counted(years):
    assert sorted(ids(years.reading, purpose=Purpose.RESPONSE)) == sorted(RESPONSES)
    assert ids(years.reading, purpose=Purpose.DRILL) == [*DRILLS]
    assert sorted(ids(years.reading, purpose=Purpose.HYGIENE)) == sorted(ROUTINE)
    assert ids(years.reading, purpose=Purpose.RESPONSE, is_open=False) == ["inc-3"]
    assert years.reading.counted() == {
        (Purpose.RESPONSE, True): 2,
        (Purpose.RESPONSE, False): 1,
        (Purpose.DRILL, True): 1,
        (Purpose.HYGIENE, True): 2,
    }


def test_parts_follow_each_other_and_say_what_the_whole_list_says(years):
    whole = years.reading.incidents()
    found = []
    while part := years.reading.incidents(Part(after=found[-1].incident.id if found else None, limit=2)):
        found += part
    assert found == whole
    assert [each for skip in range(6) for each in years.reading.incidents(Part(skip=skip, limit=1))] == whole
    with pytest.raises(BadInput, match="no such incident"):
        years.reading.incidents(Part(after="inc-9"))


def test_the_last_incident_is_one_that_somebody_responds_to(years):
    assert years.reading.incidents()[0].purpose is Purpose.HYGIENE
    assert years.reading.named("last") == "inc-2"  # the third is told there


def test_what_is_on_top_is_counted_and_listed_without_what_was_merged_into_it(years):
    on_top = ids(years.reading, on_top=True)
    assert on_top == [each for each in ids(years.reading) if each != "inc-3"]
    assert ids(years.reading, on_top=True, limit=2, skip=1) == on_top[1:3]
    assert years.reading.count(Part(on_top=True, limit=2, skip=1)) == len(on_top) == 5
    assert years.reading.count(Part(Purpose.RESPONSE, is_open=False)) == 1

"""The timeline of an incident in which nothing has held yet says what is known: a stop was taken, and what settles."""

from __future__ import annotations

from rotator.flow.standing import CredentialState
from rotator.shown.picture import Picture
from rotator.shown.room import timeline
from rotator.shown.row import Row


def row(number, state=CredentialState.SETTLING, **told):
    names = {"run": f"inc-1.r{number}", "incident": "inc-1", "provider": "k", "connection": "c", "owner": "o"}
    plan = {"id": f"i{number}", "strategy": "contain_first", "wave": 0, "priority": 1.0, "revision": 1, "place": 0}
    return Row(**names, **plan, state=state, evidence="none", detected_at=1.0, **told)


def told(*rows):
    picture = Picture("inc-1", 9.0, "", rows, times={"detected": 1.0, "declared": 2.0})
    return {each["name"]: each["at"] or each["still"] for each in timeline(picture)}


def test_what_is_stopped_and_settles_is_not_said_to_be_missing():
    found = told(row(1, acknowledged_at=3.0), row(2, acknowledged_at=4.0), row(3, CredentialState.PENDING))
    assert found["first acknowledged"] == "1970-01-01T00:00:03.000Z"
    assert found["first contained"] == found["first dead"] == "not yet, 2 settling"
    assert (found["last dead"], found["exposed"], found["closed"]) == ("not yet, 3 missing", "not known", "not yet")


def test_before_any_stop_nothing_is_said_but_that_it_has_not_come():
    found = told(row(1, CredentialState.PENDING))
    assert found["first acknowledged"] == found["first contained"] == "not yet"

"""A channel's place in the evidence, on both ledgers: begun, taken by one at a time, moved on, put back."""

from __future__ import annotations

import threading

import pytest
from sqlalchemy import create_engine, insert, text

from rotator.ledger import service, tables
from rotator.ledger.siem import TAKEN_S, SiemPlaces
from rotator.siem.told import About, Credential


class Clock:
    at = 1_700_000_000.0

    def __call__(self):
        return self.at


def begun(house):
    """Give a response that has begun, and a channel that was to have all of it."""
    company, deployment = house
    ref, _ = company.stolen("aws_iam_access_key", owner="ci")[:2]
    deployment.start([company.stolen("aws_iam_access_key", owner="ci")[0]])
    clock = Clock()
    places = SiemPlaces(deployment.database, clock)
    places.replay("siem", 0.0, "ann")
    return ref, deployment, places, clock


def test_a_record_is_told_with_its_incident_and_its_credential(house):
    _, deployment, places, _ = begun(house)
    deployment.rest()
    told = places.told(places.next(places.find("siem"), 500))
    [run] = deployment.rows("run")
    of = Credential(run["kind"], run["connection"], run["owner"], run["credential"])
    about = About("inc-1", "a stolen laptop", "high")
    assert {each.about for each in told} == {about, None}
    assert {each.credential for each in told if "do" in each.body or each.body["act"] == "clocks"} == {of}
    assert {each.credential for each in told if each.body.get("act") in {"declared", "approved"}} == {None}
    assert len(told) == len(places._feed.after(None, 500)) > 20


def test_what_is_hygiene_or_a_drill_is_told_as_that(house):
    _, deployment, places, _ = begun(house)
    with deployment.database.write() as connection:
        connection.execute(insert(tables.hygiene).values(incident="inc-1", policy="p", at=1.0))
        connection.execute(insert(tables.drill).values(incident="inc-1", name="d", trigger="cli", by="ann", at=1.0))
    told = places.told(places.next(places.find("siem"), 1))
    assert [(each.about.routine, each.about.drill) for each in told] == [(True, True)]


def test_a_place_is_moved_on_put_back_and_told_how_far_behind_it_is(house):
    _, _, places, clock = begun(house)
    stand = places.find("siem")
    clock.at += 40.0
    count, lag_s = places.lag(stand)
    assert (count, lag_s) == (len(places.next(stand, 500)), 40.0)
    taken = places.take(stand)
    first = places.next(taken, 2)
    assert places.passed(taken, first[-1].cursor, 5)
    after = places.find("siem")
    assert (places.lag(after)[0], after.sent, after.sent_at) == (count - 2, 5, clock.at)
    places.replay("siem", 5.0, "ann")
    assert (places.lag(places.find("siem"))[0], places.find("siem").since) == (count + 1, 5.0)
    assert not places.passed(after, first[-1].cursor, 5)


def test_a_channel_begins_once_and_behind_all_that_is_there(house):
    _, _, places, _ = begun(house)
    stand = places.begin("other")
    assert (places.lag(stand), places.next(stand, 5), stand.since) == ((0, 0.0), [], 0.0)
    places.replay("other", 0.0, "ann")
    assert places.begin("other").cursor == ""


def test_of_many_who_want_a_channel_one_has_it(house):
    _, _, places, clock = begun(house)
    stand, found, together = places.find("siem"), [], threading.Barrier(6)

    def take():
        together.wait(30)
        found.append(places.take(stand))

    threads = [threading.Thread(target=take) for _ in range(6)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    [taken] = [each for each in found if each is not None]
    assert (taken.taken, taken.due_at) == (stand.taken + 1, clock.at + TAKEN_S)


def test_a_cursor_of_another_ledger_reads_from_the_beginning(house):
    _, _, places, _ = begun(house)
    whole = places.lag(places.find("siem"))[0]
    taken = places.take(places.find("siem"))
    places.passed(taken, "0123abcd.0.99999", 0)
    assert places.lag(places.find("siem"))[0] == whole


def test_what_a_transaction_of_somebody_else_holds_up_is_told_to_wait(database, request):
    if database.sqlite:
        pytest.skip("one writes at a time")
    clock = Clock()
    places = SiemPlaces(database, clock)
    places.begin("siem")
    with create_engine(request.getfixturevalue("postgresql")).connect() as somebody:
        somebody.execute(text("SELECT pg_current_xact_id()"))
        with database.write() as connection:
            service.note(connection, {"at": clock.at, "act": "called", "by": "ann", "what": "x"})
        clock.at += 40.0
        stand = places.find("siem")
        assert (places.next(stand, 5), places.lag(stand)) == ([], (1, 40.0))
    assert len(places.next(stand, 5)) == 1

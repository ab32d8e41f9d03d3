"""Our own uses are told from a thief's: by the request's number, or by name and time together, never by one of them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rotator.access.event import Event
from rotator.access.own import NEAR_S, Own, Probe
from rotator.access.strangers import stories
from tests.access.logs import KEY, read, record
from tests.access.logs import log as written

OURS, HIS = "rotator", "python-requests/2.32"


def probe(at=1000.0, request="", ended=None, key=KEY):
    return Probe(key, "inc-1.r1", "refused", "verify exposed", "", at, at if ended is None else ended, request=request)


def use(at=1000.0, agent=HIS, request="", key=KEY, address="203.0.113.9"):
    return Event(key, at, "GetCallerIdentity", "eu-west-1", address, agent, "", "", "", {}, {}, "log", 1, request)


@pytest.mark.parametrize(
    ("event", "of", "is_ours"),
    [
        (use(agent=OURS), probe(), True),
        (use(agent=f"Boto3/1.34 {OURS}"), probe(), True),
        (use(agent=OURS, at=1000.0 + NEAR_S), probe(), True),
        (use(agent=OURS, at=1003.0), probe(ended=1004.0), True),
        (use(agent=OURS, at=1000.0 + NEAR_S + 1), probe(), False),
        (use(agent=HIS), probe(), False),
        (use(agent=OURS, key="AKIAOTHER"), probe(), False),
        (use(agent=HIS, request="r-1", at=9e6), probe(request="r-1"), True),
        (use(agent=OURS, request="r-2"), probe(request="r-1"), False),
        (use(agent=OURS, request="r-2"), probe(), True),
        (use(agent=HIS, request="r-1", key="AKIAOTHER"), probe(request="r-1"), False),
    ],
)
def test_a_use_is_ours_by_its_number_or_by_name_and_time(event, of, is_ours):
    assert Own([of]).has(event) is is_ours


TIMES = st.integers(0, 5000).map(float)
PROBES = st.lists(st.builds(probe, TIMES, st.sampled_from(["", "r-1", "r-2"])), max_size=8)
THEFTS = st.lists(st.builds(use, TIMES, st.sampled_from([HIS, "", "curl/8"]), st.sampled_from(["", "x-1"])), max_size=8)


@given(PROBES, THEFTS, st.randoms(use_true_random=False))
def test_every_use_of_a_thief_among_our_own_is_told_and_none_of_ours(probes, thefts, order):
    ours = [use(each.begun_at, OURS, each.request, address="198.51.100.1") for each in probes]
    events = [*ours, *thefts]
    order.shuffle(events)
    found = stories(events, {KEY: 0.0}, Own(probes)).get(KEY)
    if found is None:
        assert not events
        return
    assert (found.ours, sum(each.calls for each in found.since)) == (len(ours), len(thefts))
    assert not any(OURS in each.agent for each in found.since)
    first = min((each.at for each in thefts), default=None)
    assert (found.first.at if found.first else None) == first


def test_what_was_used_before_is_apart_from_what_came_since():
    events = [use(at, agent=agent) for at, agent in ((10.0, "shop"), (20.0, "shop"), (30.0, HIS), (40.0, HIS))]
    found = stories(events, {KEY: 25.0}, Own(()))[KEY]
    assert found.before is not None
    assert found.before.at == 20.0
    assert [(each.agent, each.calls, each.first_at, each.last_at) for each in found.since] == [(HIS, 2, 30.0, 40.0)]


def test_of_an_exposure_at_no_known_time_nothing_is_since():
    found = stories([use(10.0), use(20.0)], {KEY: None}, Own(()))[KEY]
    assert found.before is not None
    assert (found.before.at, found.since) == (20.0, ())


def test_the_number_of_a_request_is_read_from_cloudtrail():
    (event,) = read(written(record(1, requestID="8b2e-1")))
    assert event.request == "8b2e-1"

"""Every record reaches each channel, in order, whoever dies in between."""

from __future__ import annotations

import contextlib
import json
import logging

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rotator import forwarding
from rotator.errors import BadInput, Rejected, Unavailable, Uncertain
from rotator.forwarding import BATCH, channel_of
from rotator.ledger import restored
from rotator.ledger.siem import TAKEN_S
from rotator.settings.siem import SiemSettings
from tests.fakes.deployment import emptied
from tests.siem import receivers
from tests.siem.house import ENTRY, House, Killed, Receiver


def test_a_new_channel_begins_with_what_is_written_from_then_on_and_says_so(house, caplog):
    caplog.set_level(logging.WARNING, "rotator")
    house.write(2)
    receiver = Receiver()
    house.send(receiver)
    assert (receiver.lines, house.places.lag(house.stand())) == ([], (0, 0.0))
    assert "siem_begins: siem: with what is written from now on; `rotator siem replay siem --from DATE`" in caplog.text
    house.write(3)
    house.send(receiver)
    assert receiver.uids == house.written()[2:]


def test_a_replay_sends_what_was_written_from_a_time_on_under_the_same_names(house):
    house.places.begin("siem")
    receiver = Receiver()
    for _ in range(4):
        house.write()
        house.at += 100
    house.send(receiver)
    house.places.replay("siem", 1_700_000_150.0, "ann")
    house.send(receiver)
    *written, replayed = house.written()
    assert receiver.uids == [*written, *written[2:], replayed]
    assert (house.stand().sent, receiver.lines[-1]["actor"]["user"]["name"]) == (7, "ann")


def test_what_is_written_after_a_replay_is_sent_however_far_behind_the_clock_of_who_wrote_it_is(house):
    house.places.begin("siem")
    house.write(2, at=house.at - 50)
    house.places.replay("siem", house.at, "ann")
    house.write(2, at=house.at - 5)
    receiver = Receiver()
    house.send(receiver)
    house.write(1, at=house.at - 7200)
    house.send(receiver)
    assert receiver.uids == house.written()[2:]


@given(
    said=st.lists(st.tuples(st.sampled_from(["write", "send", "replay"]), st.integers(0, 300)), max_size=12),
    since=st.integers(0, 300),
)
@settings(deadline=None, max_examples=30)
def test_only_what_was_written_before_a_replay_is_ever_passed_over(ledger, said, since):
    house, receiver = House(emptied(ledger)), Receiver()
    house.places.begin("siem")
    for what, number in [*said, ("replay", since)]:
        match what:
            case "write":
                house.write(at=float(number))
            case "send":
                house.send(receiver)
            case "replay":
                house.places.replay("siem", float(number), "ann")
    before = house.places._feed.after(None, 100)
    receiver.lines.clear()
    house.write(3, at=0.0)
    house.send(receiver)
    # One of the same moment may have been said before: what came between is then sent too.
    told = [json.loads(each.body) for each in before]
    first = next(at for at, each in enumerate(told) if each.get("since") == since)
    wanted = [each.hash for at, each in enumerate(before) if at >= first or told[at]["at"] >= since]
    assert receiver.uids == wanted + house.written()[-3:]


def test_after_a_restore_all_of_it_is_sent_also_where_a_replay_had_once_begun_later(house):
    house.places.begin("siem")
    house.write(3, at=house.at - 100)
    house.places.replay("siem", house.at, "ann")
    house.send(Receiver())
    with house.database.write() as connection:
        restored._begin_epoch(connection)
    receiver = Receiver()
    house.send(receiver)
    assert receiver.uids == house.written()


def test_a_pause_that_was_set_by_a_clock_far_ahead_keeps_nobody_waiting(house):
    house.places.begin("siem")
    house.write()
    receiver = Receiver()
    receiver.ends = [(False, Unavailable("siem_unreachable"))]
    house.at += 86_400
    house.send(receiver)
    house.at -= 86_400
    house.send(receiver)
    assert receiver.uids == house.written()


def test_no_more_bytes_go_at_once_than_receivers_take_and_one_record_at_least(house, monkeypatch):
    house.places.begin("siem")
    house.write(7)
    one = Receiver()
    monkeypatch.setattr(forwarding, "MOST_BYTES", 1)
    house.send(one)
    assert (one.sizes, one.uids) == ([1] * 7, house.written())
    house.places.replay("siem", 0.0, "ann")
    monkeypatch.setattr(forwarding, "MOST_BYTES", 3 * max(len(json.dumps(each)) for each in one.lines))
    several = Receiver()
    house.send(several)
    assert several.uids == house.written()
    assert min(several.sizes[:-1]) >= 3


def test_a_process_that_dies_between_the_receiver_and_its_place_has_the_same_events_sent_again(house):
    house.places.begin("siem")
    house.write(3)
    receiver = Receiver()
    receiver.ends = [(True, Killed())]
    with pytest.raises(Killed):
        house.send(receiver)
    assert receiver.uids == house.written()
    house.send(receiver)  # another has it still, for all that anybody knows
    assert receiver.uids == house.written()
    house.at += TAKEN_S
    house.send(receiver)
    assert receiver.uids == house.written() * 2
    assert receiver.lines[:3] == receiver.lines[3:]


ends = st.tuples(
    st.booleans(),
    st.sampled_from(
        [None, Killed(), Unavailable("siem_unreachable"), Uncertain("siem_timed_out"), Rejected("siem_refused_events")]
    ),
).map(lambda found: (found[0] or found[1] is None, found[1]))


@settings(deadline=None, max_examples=40)
@given(tries=st.lists(st.one_of(st.integers(1, 3), ends), max_size=12))
def test_however_the_tries_end_nothing_is_lost_and_the_order_holds(ledger, tries):
    house, receiver = House(emptied(ledger)), Receiver()
    house.places.begin("siem")
    for each in tries:
        if isinstance(each, int):
            house.write(each)
            continue
        receiver.ends = [each]
        with contextlib.suppress(Killed):
            house.process().forward(ENTRY, receiver)
        house.at += max(TAKEN_S, house.stand().due_at - house.at) if house.stand().due_at else 0.0
    receiver.ends = []
    house.at = max(house.at, house.stand().due_at)
    house.send(receiver)
    first_seen = list(dict.fromkeys(receiver.uids))
    assert first_seen == house.written()
    assert receiver.uids[-1:] == house.written()[-1:]


def test_who_comes_back_too_late_moves_no_place(house):
    house.places.begin("siem")
    house.write(2)
    stand = house.stand()
    first = house.places.take(stand)
    assert house.places.take(stand) is None
    house.at += TAKEN_S
    second = house.places.take(house.stand())
    assert not house.places.passed(first, "", 1)
    assert not house.places.failed(first, "late")
    cursor = house.places.next(second, 2)[-1].cursor
    assert house.places.passed(second, cursor, 2)
    assert (house.stand().cursor, house.stand().reason) == (cursor, None)


def test_of_two_who_think_they_lead_one_sends_at_a_time(house):
    house.places.begin("siem")
    house.write(5)
    receiver = Receiver()
    other = Receiver()

    class Meanwhile(Receiver):
        def send(self, lines):
            house.send(other)
            return super().send(lines)

    receiver = Meanwhile()
    house.send(receiver)
    assert (receiver.uids, other.uids) == (house.written(), [])


def test_a_receiver_that_fails_is_left_alone_for_longer_and_longer_and_asked_as_late_as_it_says(house):
    house.places.begin("siem")
    house.write()
    receiver, waits = Receiver(), []
    for error in [Unavailable("siem_refused")] * 8 + [Unavailable("siem_says_later", "", 250.0)]:
        receiver.ends = [(False, error)]
        house.send(receiver)
        waits.append(house.stand().due_at - house.at)
        house.send(receiver)  # too early
        house.at = house.stand().due_at
    assert waits == [5.0, 10.0, 20.0, 40.0, 80.0, 160.0, 300.0, 300.0, 300.0]
    assert (len(receiver.sizes), house.stand().reason) == (9, "siem_says_later")
    assert house.places.lag(house.stand()) == (1, sum(waits))
    house.send(receiver)
    assert (receiver.uids, house.stand().reason, house.stand().attempts) == (house.written(), None, 0)


def test_what_is_refused_is_alone_at_last_so_that_others_are_not_refused_with_it(house):
    house.places.begin("siem")
    house.write(BATCH + 20)
    receiver = Receiver()
    receiver.ends = [(False, Rejected("siem_refused_events"))] * 10
    for _ in range(12):
        house.process().forward(ENTRY, receiver)
        house.at = max(house.at, house.stand().due_at)
    assert receiver.sizes == [500, 250, 125, 62, 31, 15, 7, 3, 1, 1, 1, 500]


def test_what_its_token_or_a_defect_says_stands_in_no_reason(house):
    house.places.begin("siem")
    house.write()
    for error, reason in (
        (BadInput("there is no such file", "file:canary"), "its token cannot be read"),
        (ValueError("canary"), "internal error (ValueError)"),
    ):
        receiver = Receiver()
        receiver.ends = [(False, error)]
        house.send(receiver)
        assert house.stand().reason == reason
        house.at = house.stand().due_at


def test_the_whole_way_over_http_and_syslog(house, tmp_path):
    house.write(3)
    with receivers.endpoint() as posted, receivers.syslog() as logged:
        channels = {"http": {"url": posted.address}, "log": {"syslog": logged.address, "format": "cef"}}
        for name in channels:
            house.places.replay(name, 0.0, "ann")
        for name, said in channels.items():
            entry = SiemSettings(name=name, **said)
            while house.process(entry).forward(entry, channel_of(entry, tmp_path)):
                pass
        assert [json.loads(each)["metadata"]["uid"] for each in posted.lines] == house.written()
        assert [each.split("externalId=")[1].split(" ")[0] for each in logged.bodies] == house.written()
        assert logged.faults == []

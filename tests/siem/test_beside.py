"""Channels are sent to beside the dispatcher that leads: who is slow, or what fails, keeps nobody else waiting."""

from __future__ import annotations

import json
import logging
import threading

from rotator.forwarding import END_S, Forwarding, channel_of
from rotator.ledger.database import LedgerFailed
from rotator.ledger.siem import TAKEN_S, SiemPlaces
from rotator.settings.siem import SiemSettings
from tests.siem.house import ENTRY, Receiver


def test_a_receiver_that_hangs_keeps_no_other_channel_waiting_nor_the_end(house, tmp_path, monkeypatch):
    asked, goes_on = threading.Event(), threading.Event()

    class Hangs(Receiver):
        def send(self, lines):
            asked.set()
            goes_on.wait(30)
            return super().send(lines)

    well = SiemSettings(name="well", file="events.jsonl")
    hung, took = Hangs(), threading.Event()
    file = channel_of(well, tmp_path)

    class Told(Receiver):
        def send(self, lines):
            file.send(lines)
            took.set()
            return super().send(lines)

    told = Told()
    monkeypatch.setattr("rotator.forwarding.channel_of", lambda entry, _: hung if entry is ENTRY else told)
    for name in ("siem", "well"):
        house.places.begin(name)
    house.write(2)
    forwarding = Forwarding(lambda: house.database, [ENTRY, well], tmp_path, lambda: True, house.now)
    forwarding.start()
    assert asked.wait(30)
    assert took.wait(30)
    assert told.uids == house.written()
    goes_on.set()
    forwarding.stop()
    assert hung.uids == house.written()
    assert len((tmp_path / "events.jsonl").read_text().splitlines()) == 2


def test_only_who_leads_sends_and_what_is_written_to_the_end_is_sent(house, tmp_path):
    leads = threading.Event()
    house.places.begin("siem")
    house.write()
    forwarding = Forwarding(lambda: house.database, [ENTRY], tmp_path, leads.is_set, house.now)
    forwarding.start()
    house.write()
    leads.set()
    forwarding.stop()
    lines = (tmp_path / "events.jsonl").read_text().splitlines()
    assert [json.loads(each)["metadata"]["uid"] for each in lines] == house.written()
    followers = Forwarding(lambda: house.database, [ENTRY], tmp_path, lambda: False, house.now)
    followers.start()
    house.write()
    followers.stop()
    assert len((tmp_path / "events.jsonl").read_text().splitlines()) == 2
    assert END_S < TAKEN_S


def test_a_ledger_that_fails_is_told_once_and_asked_again(house, tmp_path, monkeypatch, caplog):
    caplog.set_level(logging.WARNING, "rotator")
    house.places.begin("siem")
    house.write()
    monkeypatch.setattr("rotator.forwarding.POLL_S", 0.001)
    tries, asked = [], threading.Event()

    def fails(*_):
        tries.append(1)
        if len(tries) > 5:
            asked.set()
        raise LedgerFailed

    forwarding = house.process(folder=tmp_path)
    monkeypatch.setattr(SiemPlaces, "find", fails)
    forwarding.start()
    assert asked.wait(30)
    monkeypatch.undo()
    forwarding.stop()
    assert caplog.messages == ["siem_waits: siem: the ledger failed (SQLAlchemyError)"]
    assert len((tmp_path / "events.jsonl").read_text().splitlines()) == 1

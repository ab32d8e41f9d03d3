"""A ledger in which something is written, and a receiver of which each try ends as a test says."""

from __future__ import annotations

import json

from rotator.forwarding import Forwarding
from rotator.ledger import service
from rotator.ledger.siem import SiemPlaces
from rotator.settings.siem import SiemSettings

ENTRY = SiemSettings(name="siem", file="events.jsonl")


class Killed(BaseException):
    """What a process is that ends here: nothing of it is caught, and nothing after it is done."""


class Receiver:
    """Takes lines. `ends` says of each next try how it ends: an error, before the lines were taken or after."""

    def __init__(self):
        self.lines, self.ends, self.sizes = [], [], []

    def send(self, lines):
        taken, error = self.ends.pop(0) if self.ends else (True, None)
        self.sizes.append(len(lines))
        if taken:
            self.lines += [json.loads(each.text) for each in lines]
        if error is not None:
            raise error
        return "taken"

    def reach(self):
        return "there"

    @property
    def uids(self):
        return [each["metadata"]["uid"] for each in self.lines]


class House:
    """A ledger with a clock of its own, in which something is written now and then."""

    def __init__(self, database):
        self.database, self.at = database, 1_700_000_000.0
        self.places = SiemPlaces(database, self.now)

    def now(self):
        return self.at

    def write(self, count=1, at=None):
        for _ in range(count):
            with self.database.write() as connection:
                service.note(
                    connection, {"at": self.at if at is None else at, "act": "called", "by": "ann", "what": "x"}
                )

    def process(self, entry=ENTRY, leads=lambda: True, folder=None):
        """Return a process that begins anew."""
        return Forwarding(lambda: self.database, [entry], folder, leads, self.now)

    def send(self, receiver, process=None):
        process = process or self.process()
        while process.forward(ENTRY, receiver):
            pass

    def written(self):
        return [each.hash for each in self.places._feed.after(None, 10_000)]

    def stand(self):
        return self.places.find("siem")

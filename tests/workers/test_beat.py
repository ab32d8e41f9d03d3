"""The dispatcher's process says what it waits for: when that begins, and when it is over."""

from __future__ import annotations

import pytest
from kombu.exceptions import OperationalError as BrokerError
from sqlalchemy.exc import OperationalError as LedgerError
from structlog.testing import capture_logs

from workers.beat import run

LEDGER = LedgerError("SELECT", {}, Exception("no room"))
BROKER = BrokerError("refused")


class Ticking:
    """Stands for a dispatcher, and for the event that stops it when all ticks are over: nobody waits."""

    def __init__(self, ticks):
        self.ticks = list(ticks)

    def tick(self):
        if (error := self.ticks.pop(0)) is not None:
            raise error

    def is_set(self):
        return not self.ticks

    def wait(self, _seconds):
        pass


@pytest.mark.parametrize(
    ("ticks", "said"),
    [
        ([None, None], []),
        ([LEDGER, LEDGER, LEDGER], [("waits", "ledger")]),
        ([BROKER, BROKER, None, None], [("waits", "broker"), ("goes_on", "broker")]),
        ([LEDGER, BROKER, BROKER, None], [("waits", "ledger"), ("waits", "broker"), ("goes_on", "broker")]),
        ([LEDGER, None, LEDGER], [("waits", "ledger"), ("goes_on", "ledger"), ("waits", "ledger")]),
    ],
)
def test_a_wait_is_told_once_by_the_name_of_what_it_is_for(ticks, said):
    clock = Ticking(ticks)
    with capture_logs() as logs:
        run(clock, clock, every_s=0.1)
    assert [(each["event"], each["what"]) for each in logs] == [(f"dispatcher_{event}", what) for event, what in said]

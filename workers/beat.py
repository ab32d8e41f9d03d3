"""The dispatcher's process: tick until told to stop. Any number may run; one leads."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable

import structlog
from celery import Celery
from kombu.exceptions import OperationalError
from sqlalchemy.exc import SQLAlchemyError

from rotator.dispatcher import Dispatcher
from rotator.ledger.due import DueWork

log = structlog.get_logger()


QUEUED = 2
"""Messages for each thread of a worker: one at work on its way, one to go on with until the next tick."""


def dispatcher(app: Celery, due: DueWork) -> Dispatcher:
    """Return a dispatcher that sends through this application's broker."""

    def send(branch: str, lane: str) -> None:
        app.send_task("rotator.advance", args=[branch], queue=lane)

    window = QUEUED * app.rotator.settings.concurrency
    return Dispatcher(due, send, f"{socket.gethostname()}:{os.getpid()}", window)


def run(
    sending: Dispatcher, stop: threading.Event, *, every_s: float, idle: Callable[[], bool] = lambda: False
) -> None:
    """Tick until `stop` is set or `idle` says so. What cannot be reached now is tried again: rows stay due.

    It says so when that begins and when it is over, and not at every try.

    Between two ticks there is always a rest: what became due meanwhile is sent in one, the most urgent first.
    """
    waits_for = None
    while not stop.is_set() and not idle():
        try:
            sending.tick()
        except (OperationalError, SQLAlchemyError) as error:
            found = "ledger" if isinstance(error, SQLAlchemyError) else "broker"
            if found != waits_for:
                log.warning("dispatcher_waits", what=found, error=type(error).__name__)
            waits_for = found
            stop.wait(1.0)
            continue
        if waits_for is not None:
            log.warning("dispatcher_goes_on", what=waits_for)
            waits_for = None
        stop.wait(every_s)


def leave(sending: Dispatcher) -> None:
    """Let another dispatcher lead at once; where the ledger does not answer, it does so after a lease."""
    try:
        sending.resign()
    except SQLAlchemyError as error:
        log.warning("dispatcher_leaves_its_lease", error=type(error).__name__)

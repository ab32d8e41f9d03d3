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


def dispatcher(app: Celery, due: DueWork) -> Dispatcher:
    """Return a dispatcher that sends through this application's broker."""

    def send(branch: str, lane: str) -> None:
        app.send_task("rotator.advance", args=[branch], queue=lane)

    return Dispatcher(due, send, f"{socket.gethostname()}:{os.getpid()}")


def run(
    sending: Dispatcher, stop: threading.Event, *, every_s: float, idle: Callable[[], bool] = lambda: False
) -> None:
    """Tick until `stop` is set or `idle` says so. What cannot be reached now is tried again: rows stay due."""
    while not stop.is_set() and not idle():
        try:
            sent = sending.tick()
        except (OperationalError, SQLAlchemyError) as error:
            log.warning("dispatcher_waits", error=type(error).__name__)
            stop.wait(1.0)
            continue
        if not sent:
            stop.wait(every_s)

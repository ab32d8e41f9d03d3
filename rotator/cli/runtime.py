"""The embedded runtime: worker, dispatcher and web in one process, one per ledger."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable

from rotator.bootstrap import Rotator
from rotator.errors import BadInput
from rotator.ledger.moving import SOON_S
from rotator.runtime_lock import RuntimeLock

TICK_S = 0.05
IDLE_TICKS = 3
"""How often in a row nothing must be left to do, since a message may be between two hands."""


def run_embedded(parts: Rotator, stop: threading.Event, *, until_idle: bool, started: Callable[[], None]) -> None:
    """Run everything in this process until `stop`, or until nothing is due soon.

    Raises BadInput when another runtime has this ledger.
    """
    from rotator.advising import Advising  # noqa: PLC0415
    from rotator.practising import Practising  # noqa: PLC0415
    from rotator.resurrection import Watching  # noqa: PLC0415
    from rotator.tending import Tending  # noqa: PLC0415 - pydantic is not free
    from workers import beat  # noqa: PLC0415 - Celery is not free
    from workers.app import EmbeddedWorker, make  # noqa: PLC0415

    lock = RuntimeLock(parts.settings.data_dir)
    if not lock.take(stays=not until_idle):
        raise BadInput(
            "another rotator runs on this ledger", str(parts.settings.data_dir), "it will do the work; nothing to start"
        )
    with contextlib.ExitStack() as ending:
        ending.callback(lock.release)
        parts.engine  # noqa: B018 - made here, before threads could make it twice
        app = make(parts)
        dispatcher = beat.dispatcher(app, parts.due)
        dispatcher.take_over_alone()
        worker = EmbeddedWorker(app)
        worker.start()
        ending.callback(worker.stop)
        forwarding = parts.forwarding(dispatcher.leads)
        forwarding.start()
        ending.callback(forwarding.stop)  # after what writes
        notifying = parts.notifying(dispatcher.leads)
        notifying.start()
        ending.callback(notifying.stop)
        witnessing = parts.witnessing(dispatcher.leads)
        witnessing.start()
        ending.callback(witnessing.stop)  # after what signs: its last checkpoint goes out too
        anchoring = parts.anchoring(dispatcher.leads)
        anchoring.start()
        ending.callback(anchoring.stop)
        for sort in (Tending, Practising, Watching, Advising):
            standing = sort(parts, dispatcher.leads)
            standing.start()
            ending.callback(standing.stop)
        started()
        quiet = 0

        def idle() -> bool:
            nonlocal quiet
            quiet = 0 if parts.due.busy_until(SOON_S) else quiet + 1
            if quiet < IDLE_TICKS:
                notifying.go_on()
                return False
            return notifying.settled()

        while not stop.is_set():
            beat.run(dispatcher, stop, every_s=TICK_S, idle=idle if until_idle else lambda: False)
            lock.release()
            # A command that found the lock taken has left its rows to us: look again, now that the next finds it free.
            if stop.is_set() or not parts.due.busy_until(SOON_S) or not lock.take(stays=not until_idle):
                break
            quiet = 0

"""The Celery application: settings that were measured, one queue per lane."""

from __future__ import annotations

import threading
import warnings
from collections import Counter
from collections.abc import Callable
from typing import Any

from celery import Celery
from celery.app import trace
from celery.exceptions import SecurityWarning
from celery.signals import setup_logging, worker_ready, worker_shutting_down
from celery.worker import WorkController

from rotator.bootstrap import Rotator
from rotator.flow.planned import Lane

LANES = tuple(lane.value for lane in Lane)


@setup_logging.connect  # type: ignore[untyped-decorator]
def _keep_our_logs(**_: object) -> None:
    """Stop Celery from replacing the process's logging."""


def make(parts: Rotator) -> Celery:
    """Return the application for these parts. The ledger is the truth, so no result is kept anywhere."""
    settings = parts.settings
    # Without a host's name the in-memory broker warns that it takes localhost.
    broker = "memory://localhost" if settings.embedded else settings.broker_url
    app = Celery("rotator", broker=broker, include=["workers.tasks"], set_as_current=False)
    app.rotator = parts
    app.conf.update(
        # The ledger sends again what nobody took, so a late acknowledgement protects nothing; and a worker that has one
        # open when Redis is restarted ends itself.
        task_acks_late=False,
        worker_cancel_long_running_tasks_on_connection_loss=False,
        task_ignore_result=True,
        task_default_queue=Lane.CONTAIN.value,
        task_serializer="json",
        accept_content=["json"],
        worker_prefetch_multiplier=1,
        worker_hijack_root_logger=False,
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,
        broker_transport_options=(
            {"polling_interval": 0.01}
            if settings.embedded
            else {
                # With Celery's defaults a lost worker's message comes back after about 100 s.
                "visibility_timeout": 120,
                "unacked_restore_interval": 2,
                "unacked_restore_throttle": 1,
                "socket_timeout": 30,
                "socket_keepalive": True,
                "health_check_interval": 10,
            }
        ),
    )
    return app


def broker_trouble(parts: Rotator) -> str | None:
    """Return what keeps the broker from answering, or None. Its address may hold a password, so only a name is told."""
    try:
        with make(parts).connection() as broker:
            broker.ensure_connection(max_retries=1, timeout=5)
    except Exception as error:  # noqa: BLE001 - each transport has errors of its own
        return type(error).__name__
    return None


def serving(parts: Rotator, within_s: float = 2.0) -> Counter[str]:
    """Return how many workers take messages of each lane, of those that answer within so many seconds."""
    found = make(parts).control.inspect(timeout=within_s).active_queues() or {}
    return Counter(queue["name"] for queues in found.values() for queue in queues)


def options(app: Celery, lanes: tuple[str, ...] = LANES) -> dict[str, Any]:
    """Return what a worker is started with: threads, since the work is waiting for answers."""
    return {
        "pool": "threads",
        "concurrency": app.rotator.settings.concurrency,
        "queues": list(lanes),
        "loglevel": "WARNING",
        "without_gossip": True,
        "without_mingle": True,
    }


def quietly(app: Celery, lanes: tuple[str, ...], ready: Callable[[], None]) -> WorkController:
    """Return a worker for a process of its own, without Celery's banner; it calls `ready` when it takes messages."""
    # Celery warns of root since messages could be code; ours are JSON that holds an id.
    warnings.filterwarnings("ignore", category=SecurityWarning)
    worker_ready.connect(lambda **_: ready(), weak=False)
    # Asked to end, Celery waits for what is at work: that is one step of each branch then, not the whole way.
    worker_shutting_down.connect(lambda **_: app.rotator.engine.leave(), weak=False)
    return app.Worker(quiet=True, **options(app, lanes))


class EmbeddedWorker:
    """A worker inside this process, for the in-memory broker."""

    def __init__(self, app: Celery) -> None:
        # Without these three a WorkController in a thread silently runs nothing.
        app.finalize()
        app.set_default()
        trace.setup_worker_optimizations(app)
        self._engine = app.rotator.engine
        self._controller = WorkController(app=app, **options(app))
        self._thread = threading.Thread(target=self._controller.start, name="worker", daemon=True)

    def start(self) -> None:
        """Start to take messages."""
        self._thread.start()

    def stop(self) -> None:
        """Finish the calls in hand, give back what they were for, and stop."""
        self._engine.leave()
        self._controller.stop()
        self._thread.join(timeout=30)

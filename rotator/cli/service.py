"""Running it: everything in one process, or workers, dispatchers and the web on as many machines as wanted."""

from __future__ import annotations

import gc
import signal
import sys
import threading
from typing import TYPE_CHECKING, Annotated

import typer

from rotator.cli.options import Context
from rotator.errors import BadInput

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

    from rotator.bootstrap import Rotator

_LOOK_AFTER = 20_000
"""How many new objects the collector of garbage lets be in what lives long: it holds rings that nobody needs."""

Port = Annotated[int, typer.Option(metavar="PORT", min=1, max=65535, help="Where the web listens.")]
Host = Annotated[str, typer.Option(metavar="ADDRESS", help="The address it listens on.")]


def register(app: typer.Typer) -> None:
    """Add this file's commands."""
    app.command("up")(up)
    app.command("worker")(worker)
    app.command("beat")(beat)
    app.command("serve")(serve)


def up(
    context: typer.Context,
    port: Annotated[
        int | None, typer.Option(metavar="PORT", min=1, max=65535, help="Serve the web on 127.0.0.1:PORT too.")
    ] = None,
    until_idle: Annotated[bool, typer.Option("--until-idle", help="Stop when nothing is due soon.")] = False,
) -> None:
    """Run everything in one process.

    That is worker, dispatcher and, with --port, the web: the embedded default, one on each ledger. Ends at SIGTERM or
    Ctrl-C.

    Example: rotator up --port 8420
    """
    from rotator.cli.runtime import run_embedded  # noqa: PLC0415

    parts = _parts(context, embedded=True)
    stop = threading.Event()

    def ask_to_stop(_signal: int, _frame: FrameType | None) -> None:
        stop.set()

    signal.signal(signal.SIGTERM, ask_to_stop)
    signal.signal(signal.SIGINT, ask_to_stop)

    start_web = None if port is None else _web(parts, port)

    def started() -> None:
        if start_web is not None:
            start_web()
        where = f" on http://127.0.0.1:{port}" if port is not None else ""
        print(f"rotator is up{where}; ledger {parts.database.url.database}", file=sys.stderr, flush=True)  # noqa: T201

    run_embedded(parts, stop, until_idle=until_idle, started=started)


def _web(parts: Rotator, port: int) -> Callable[[], None]:
    """Take the port now; return what serves there once everything else runs."""
    from rotator.api.app import listen, start_in_thread  # noqa: PLC0415 - FastAPI is not free

    door = listen("127.0.0.1", port)
    return lambda: start_in_thread(parts, door)


def worker(
    context: typer.Context,
    lane: Annotated[
        list[str] | None, typer.Option(metavar="LANE", help="Only these lanes: contain, replace, hygiene.")
    ] = None,
) -> None:
    """Run a worker (PostgreSQL and Redis).

    It does what dispatchers send: it changes credentials at their issuers. Any number may run. Ends at SIGTERM.

    Example: rotator worker --lane contain
    """
    from rotator.flow.playbook_words import meant  # noqa: PLC0415 - pydantic is not free
    from workers.app import LANES, make, quietly  # noqa: PLC0415 - Celery is not free

    wanted = tuple(lane or LANES)
    if unknown := [each for each in wanted if each not in LANES]:
        raise BadInput(f"no lane is called {unknown[0]}", "--lane", meant(unknown[0], LANES))
    parts = _parts(context, embedded=False)
    parts.engine  # noqa: B018 - made here, before threads could make it twice
    app = make(parts)
    app.set_default()
    working = quietly(app, wanted, lambda: _say(context, f"worker up: {', '.join(wanted)}"))
    working.start()
    # Celery ends a worker by itself when it cannot go on: a supervisor must see that it did not end well.
    raise typer.Exit(working.exitcode or 0)


def beat(context: typer.Context) -> None:
    """Run a dispatcher (PostgreSQL and Redis).

    It sends what is due to workers, and tells people what happens. Any number may run; one leads. Ends at SIGTERM.

    Example: rotator beat
    """
    from rotator.advising import Advising  # noqa: PLC0415
    from rotator.practising import Practising  # noqa: PLC0415
    from rotator.resurrection import Watching  # noqa: PLC0415
    from rotator.tending import Tending  # noqa: PLC0415 - pydantic is not free
    from workers import beat as dispatching  # noqa: PLC0415
    from workers.app import make  # noqa: PLC0415

    parts = _parts(context, embedded=False)
    stop = threading.Event()
    for each in (signal.SIGTERM, signal.SIGINT):
        signal.signal(each, lambda *_: stop.set())
    sending = dispatching.dispatcher(make(parts), parts.due)
    notifying = parts.notifying(sending.leads)
    notifying.start()
    forwarding = parts.forwarding(sending.leads)
    forwarding.start()
    anchoring = parts.anchoring(sending.leads)
    anchoring.start()
    witnessing = parts.witnessing(sending.leads)
    witnessing.start()
    tending = Tending(parts, sending.leads)
    tending.start()
    practising = Practising(parts, sending.leads)
    practising.start()
    watching = Watching(parts, sending.leads)
    watching.start()
    advising = Advising(parts, sending.leads)
    advising.start()
    _say(context, "dispatcher up")
    dispatching.run(sending, stop, every_s=0.1)
    notifying.stop()
    anchoring.stop()
    witnessing.stop()  # after what signs: its last checkpoint goes out too
    tending.stop()
    practising.stop()
    watching.stop()
    advising.stop()
    forwarding.stop()  # after what writes
    dispatching.leave(sending)


def serve(context: typer.Context, port: Port = 8420, host: Host = "127.0.0.1") -> None:
    """Serve the web: health, readiness, metrics, alarms and the API.

    There is a door for each sender of alarms that the configuration names. The API asks for a token: `rotator token`.

    Example: rotator serve --host 0.0.0.0 --port 8420
    """
    from rotator import logs  # noqa: PLC0415
    from rotator.api.app import listen, run  # noqa: PLC0415 - FastAPI is not free

    parts, door = context.obj.parts(), listen(host, port)
    logs.configure(quiet=context.obj.quiet)
    gc.set_threshold(_LOOK_AFTER)
    _say(context, f"serving on http://{f'[{host}]' if ':' in host else host}:{port}")
    run(parts, door)


def _say(context: typer.Context, line: str) -> None:
    """Tell who started it that it is ready."""
    given: Context = context.obj
    if not given.quiet:
        print(line, file=sys.stderr, flush=True)  # noqa: T201


def _parts(context: typer.Context, *, embedded: bool) -> Rotator:
    from rotator import logs  # noqa: PLC0415

    given: Context = context.obj
    parts = given.parts()
    logs.configure(quiet=given.quiet)
    gc.set_threshold(_LOOK_AFTER)
    if parts.settings.embedded and not embedded:
        raise BadInput(
            "the in-memory broker cannot reach other processes",
            "broker_url",
            "use `rotator up`, or set database_url to PostgreSQL and broker_url to Redis",
        )
    if embedded and not parts.settings.embedded:
        raise BadInput("a Redis broker needs separate processes", "broker_url", "use rotator worker, beat and serve")
    return parts

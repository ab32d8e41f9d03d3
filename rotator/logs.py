"""Logs on standard error. Who works writes JSON lines when nobody watches, plain ones on a terminal.

Each line of a task's work names its incident, run and branch, and each of a request's its request: whoever wrote it, a
library even. Material never reaches a log: a `Secret` prints as itself redacted, and an exception is told by its kind.
"""

from __future__ import annotations

import contextlib
import logging
import sys
from collections.abc import Iterator, MutableMapping
from typing import TYPE_CHECKING, Any

from rotator import api_token

if TYPE_CHECKING:
    from structlog.typing import Processor


def configure(*, quiet: bool = False) -> None:
    """Set up logging for a process that works: a worker, a dispatcher, the web, or all of them."""
    import structlog  # noqa: PLC0415 - a twentieth of a second that who only asks should not wait

    plainly(quiet=quiet)
    of_every_line: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _without_words,
        _without_tokens,
    ]
    written: Processor = structlog.dev.ConsoleRenderer() if sys.stderr.isatty() else structlog.processors.JSONRenderer()
    structlog.configure(
        processors=[*of_every_line, written],
        wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR if quiet else logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    # What libraries warn of goes the same way: else those lines would say of nothing to whom they belong.
    library = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[structlog.stdlib.add_logger_name, *of_every_line],
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, written],
    )
    for handler in logging.getLogger().handlers:
        handler.setFormatter(library)


def plainly(*, quiet: bool = False) -> None:
    """Set up logging for any process: what libraries warn of, and what concerns every command, as plain lines."""
    # Vendor libraries log requests, and some of them headers: only their warnings are let through.
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, format="%(levelname)s %(name)s: %(message)s")
    # What psycopg warns of on its way out of a failed statement is raised too, and told where it is caught.
    logging.getLogger("psycopg").setLevel(logging.ERROR)
    logging.getLogger("rotator").setLevel(logging.ERROR if quiet else logging.WARNING)


@contextlib.contextmanager
def about_branch(branch: str) -> Iterator[None]:
    """Have each line of this thread, until the block ends, name the branch, its run and its incident."""
    import structlog  # noqa: PLC0415

    run = branch.rsplit(".", 2)[0]
    with structlog.contextvars.bound_contextvars(incident=run.rpartition(".")[0], run=run, branch=branch):
        yield


@contextlib.contextmanager
def about_request(request: str) -> Iterator[None]:
    """Have each line, until the block ends, name the request."""
    import structlog  # noqa: PLC0415

    with structlog.contextvars.bound_contextvars(request=request):
        yield


def _without_words(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Tell an exception by its kind alone: its words, and the values of its frames, may hold material."""
    given = event.pop("exc_info", None)
    error = sys.exc_info()[1] if given is True else given[1] if isinstance(given, tuple) else given
    if isinstance(error, BaseException):
        event["exception"] = type(error).__name__
    return event


def _without_tokens(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Take our own tokens out: a library may quote the request that showed one."""
    return {name: api_token.redacted(value) if isinstance(value, str) else value for name, value in event.items()}

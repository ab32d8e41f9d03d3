"""Logs on standard error. Who works writes JSON lines when nobody watches, plain ones on a terminal.

Material never reaches a log: a `Secret` prints as itself redacted, and tracebacks are told without values.
"""

from __future__ import annotations

import logging
import sys


def configure(*, quiet: bool = False) -> None:
    """Set up logging for a process that works: a worker, a dispatcher, or both."""
    import structlog  # noqa: PLC0415 - a twentieth of a second that who only asks should not wait

    plainly(quiet=quiet)
    terminal = sys.stderr.isatty()
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.dev.ConsoleRenderer() if terminal else structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR if quiet else logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )


def plainly(*, quiet: bool = False) -> None:
    """Set up logging for any process: what libraries warn of, and what concerns every command, as plain lines."""
    # Vendor libraries log requests, and some of them headers: only their warnings are let through.
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, format="%(levelname)s %(name)s: %(message)s")
    # What psycopg warns of on its way out of a failed statement is raised too, and told where it is caught.
    logging.getLogger("psycopg").setLevel(logging.ERROR)
    logging.getLogger("rotator").setLevel(logging.ERROR if quiet else logging.WARNING)

"""Structured logs on standard error: JSON lines when nobody watches, plain lines on a terminal.

Material never reaches a log: a `Secret` prints as itself redacted, and tracebacks are told without values.
"""

from __future__ import annotations

import logging
import sys

import structlog


def configure(*, quiet: bool = False) -> None:
    """Set up logging for this process."""
    level = logging.ERROR if quiet else logging.INFO
    terminal = sys.stderr.isatty()
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.dev.ConsoleRenderer() if terminal else structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    # Vendor libraries log requests, and some of them headers: only their warnings are let through.
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, format="%(levelname)s %(name)s: %(message)s")
    # What psycopg warns of on its way out of a failed statement is raised too, and told where it is caught.
    logging.getLogger("psycopg").setLevel(logging.ERROR)

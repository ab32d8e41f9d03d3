"""Turn a leak report into revoked, proven-dead and replaced credentials."""

__version__ = "0.1.0"

"""Who acts: on this machine, or a program by its token."""

from __future__ import annotations

import getpass

OF_PROGRAM = "token "
"""What stands before the name of a token that acts as nobody, where it is said who did something."""


def actor() -> str:
    """Return the operating system's login, or `unknown`."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return "unknown"

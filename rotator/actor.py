"""Who acts on this machine."""

from __future__ import annotations

import getpass


def actor() -> str:
    """Return the operating system's login, or `unknown`."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return "unknown"

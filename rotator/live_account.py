"""Tell a live account from what stands on this machine, and from what cannot be told from an emulator."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

from rotator.ports import Connection

_ONE_CLOUD = frozenset({"aws", "gcp", "azure"})
"""Families whose services stand at their vendor's own addresses alone."""
ACCOUNT, HERE, OTHER = "account", "this machine", "an address of its own"


def place_of(connection: Connection) -> str:
    """Say where a connection leads: into an account, to this machine, or to what cannot be told from an emulator."""
    hosts = connection.settings.get("hosts")
    given = [connection.endpoint_url, *(hosts if isinstance(hosts, list | tuple) else ())]
    addresses = [str(each) for each in given if each]
    if any(_is_here(each) for each in addresses):
        return HERE
    return OTHER if connection.endpoint_url and connection.family in _ONE_CLOUD else ACCOUNT


def _is_here(address: str) -> bool:
    host = urlsplit(address if "//" in address else f"//{address.rpartition('@')[2]}").hostname or ""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False

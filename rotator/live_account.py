"""Tell a live account from what stands on this machine, and from what cannot be told from an emulator."""

from __future__ import annotations

import ipaddress
import os
import socket
from urllib.parse import urlsplit

from rotator.ports.connection import Connection

_ONE_CLOUD = frozenset({"aws", "gcp", "azure"})
"""Families whose services stand at their vendor's own addresses alone."""
ACCOUNT, HERE, OTHER = "account", "this machine", "an address of its own"


def place_of(connection: Connection) -> str:
    """Say where a connection leads: into an account, to this machine, or to what cannot be told from an emulator."""
    hosts = connection.settings.get("hosts")
    own = [connection.endpoint_url] if connection.endpoint_url else _told_elsewhere(connection.family)
    named = [str(each).partition("=")[2] or str(each) for each in (hosts if isinstance(hosts, list | tuple) else ())]
    addresses = [*own, *named]
    if any(_is_here(each) for each in addresses):
        return HERE
    return OTHER if own and connection.family in _ONE_CLOUD else ACCOUNT


def _told_elsewhere(family: str) -> list[str]:
    """Return the addresses that the vendor's own variables name: they count where a connection names none."""
    named = {"vault": "VAULT_ADDR", "aws": "AWS_ENDPOINT_URL"}.get(family)
    return [value for name, value in sorted(os.environ.items()) if named and value and name.startswith(named)]


def _is_here(address: str) -> bool:
    """Tell whether an address is of this machine, in whatever form: 127.1, a name that resolves to it, or a socket."""
    host = urlsplit(address if "//" in address else f"//{address.rpartition('@')[2]}").hostname or ""
    if not host or host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        found = {str(each[4][0]).partition("%")[0] for each in socket.getaddrinfo(host, None)}
    except (OSError, UnicodeError):
        return False  # who is not found makes no canary
    return any(_loops(ipaddress.ip_address(each)) for each in found)


def _loops(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return (mapped or address).is_loopback or (mapped or address).is_unspecified

"""The basis of a plan: what it was made from that may change before somebody approves it, as fingerprints by name."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from rotator.credential import CredentialRef
from rotator.flow.choice import by_name
from rotator.flow.scope import Custodies
from rotator.ports.connection import Connection

if TYPE_CHECKING:
    # Who reads or works the ledger needs no playbook, and does not wait for one's model to be built.
    from rotator.flow.playbook import Playbook

CUSTODIES = "what is known of its credentials ([[credentials]], inventory)"
GONE = "gone"
"""The fingerprint of what is not there any more."""


def basis(
    credentials: Mapping[CredentialRef, str],
    used: Iterable[str],
    playbooks: Mapping[str, Playbook],
    custodies: Custodies,
    connections: Iterable[Connection],
) -> dict[str, str]:
    """Return the fingerprint of everything that a plan for these stands on: what others have changes nothing.

    `credentials` are those of its runs with their kinds, `used` the connections to which they are delivered. A
    connection's own credential is not part of it: that may be changed at any time.
    """
    there_are = {each.name: each for each in connections}
    found: dict[str, str] = {}
    for kind in sorted(set(credentials.values())):
        found[f"playbook {kind}"] = (
            _print(playbooks[kind].model_dump_json(exclude={"short_lived"})) if kind in playbooks else GONE
        )
    for name in sorted({*used, *(ref.connection for ref in credentials)}):
        there = there_are.get(name)
        found[f"connection {name}"] = GONE if there is None else _print(_told(there))
    known = hashlib.sha256()
    for ref in sorted(credentials, key=by_name):
        known.update(f"{ref!r} {custodies.of(ref)!r}\n".encode())
    found[CUSTODIES] = known.hexdigest()[:16]
    return found


def changed(before: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    """Return the names of what is not as it was; a plan of which no basis is kept stands on nothing."""
    return sorted(name for name, fingerprint in before.items() if now.get(name) != fingerprint)


def _told(connection: Connection) -> str:
    settings = sorted((name, repr(value)) for name, value in connection.settings.items())
    return repr((connection.family, connection.account, connection.endpoint_url, connection.kinds, settings))


def _print(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]

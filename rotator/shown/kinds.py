"""The kinds of credentials: what a machine can do to each, what that was tested against, and who serves it here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rotator.bootstrap import Rotator
from rotator.errors import BadInput
from rotator.flow.playbook import Grade
from rotator.ports.connection import Connection
from rotator.report.kinds import row
from rotator.shown.certificates import live


def kinds(parts: Rotator) -> list[dict[str, Any]]:
    """Return a row for each playbook; `trouble` says why one cannot be loaded here, "" where it can."""
    known, broken = families(parts)
    certified = live(parts)
    return [
        {
            **row(
                playbook,
                parts.outside.classes(name) if name in known else (),
                known.get(name, ""),
                [each.name for each in parts.connections if name in served(parts, each)],
            ),
            **_tried_live(certified.get(name)),
            "trouble": str(broken[name]) if name in broken else "",
        }
        for name, playbook in parts.playbooks.items()
    ]


def _tried_live(certificate: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return what a certificate of this deployment says of a kind, in place of what its playbook does."""
    if certificate is None:
        return {}
    seen = f"{certificate['connection']}, certified {certificate['at']}"
    return {"tested": Grade.LIVE_ACCOUNT.value, "tested_with": seen}


def families(parts: Rotator) -> tuple[dict[str, str], dict[str, BadInput]]:
    """Return the family of each kind, and why the others cannot be loaded here: a package that is missing, say."""
    found: dict[str, str] = {}
    broken: dict[str, BadInput] = {}
    for name in parts.playbooks:
        try:
            found[name] = parts.outside.family(name)
        except BadInput as error:
            broken[name] = error
    return found, broken


def served(parts: Rotator, connection: Connection) -> list[str]:
    """Return the kinds that a connection serves, of those that can be loaded."""
    found, _ = families(parts)
    return [
        name
        for name, family in found.items()
        if family == connection.family and (connection.kinds is None or name in connection.kinds)
    ]

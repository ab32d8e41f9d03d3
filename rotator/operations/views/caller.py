"""Who asks."""

from __future__ import annotations

from typing import Any

from rotator.actor import actor
from rotator.bootstrap import Rotator
from rotator.flow.approval import Role
from rotator.operations.view import OfIncident


def _caller(parts: Rotator) -> dict[str, Any]:
    by, policy = actor(), parts.settings.policy
    person = policy.people.get(by) if policy is not None else None
    role = Role.ADMIN if policy is None else person.role if person is not None else Role.VIEWER
    return {"token": "", "by": by, "role": role.value, "expires_at": ""}


WHOAMI = OfIncident("/whoami", lambda parts, *_: _caller(parts))

"""Kinds and their playbooks."""

from __future__ import annotations

from typing import Any

from rotator.bootstrap import Rotator
from rotator.operations.view import ListOf
from rotator.shown import kinds


def _playbooks(parts: Rotator) -> list[dict[str, Any]]:
    return [each.model_dump(mode="json", by_alias=True) for each in parts.playbooks.values()]


PROVIDERS = ListOf("/providers", lambda parts, _: kinds.kinds(parts))
PLAYBOOKS = ListOf("/playbooks", lambda parts, _: _playbooks(parts))

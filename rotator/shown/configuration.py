"""Every setting in force, and where it comes from. Secrets are the references that they are, and never read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rotator.bootstrap import Rotator
from rotator.settings.origin import Setting, in_force


def settings(parts: Rotator, file: Path | None) -> list[Setting]:
    """Return every setting, `file` called so. Raises BadInput for a key that nobody knows: it may hold a secret."""
    parts.connections  # noqa: B018 - reading them is the check
    parts.configured  # noqa: B018
    return list(in_force(parts.settings, file))


def data(setting: Setting) -> dict[str, Any]:
    """Return one as plain data."""
    return {"path": list(setting.path), "name": setting.name, "value": setting.value, "origin": setting.origin}

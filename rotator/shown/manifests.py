"""Manifests of datasets, as lists show them."""

from __future__ import annotations

from typing import Any

from rotator.bootstrap import Rotator
from rotator.report.datasets import check, dataset


def listed(parts: Rotator) -> list[dict[str, Any]]:
    """Return each manifest, with what the last check of it found."""
    return [dataset(each) for each in parts.manifests.listed()]


def checks(parts: Rotator, name: str) -> list[dict[str, Any]]:
    """Return the checks of one, the newest first. Raises BadInput for no such manifest."""
    return [check(each) for each in parts.manifests.checks(name)]

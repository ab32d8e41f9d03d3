"""What datasets held, and what was found of them since."""

from __future__ import annotations

from rotator.operations.view import ListOf
from rotator.shown import manifests

MANIFESTS = ListOf("/manifests", lambda parts, _: manifests.listed(parts))
CHECKS = ListOf("/manifests/{incident}/checks", manifests.checks)

"""The compliance report."""

from __future__ import annotations

from rotator.operations.view import FileOf
from rotator.report.files import MEDIA_TYPES
from rotator.shown import compliance

COMPLIANCE = FileOf("/compliance.{form}", compliance.file, MEDIA_TYPES)

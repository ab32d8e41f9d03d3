"""What was certified."""

from __future__ import annotations

from rotator.operations.view import ListOf
from rotator.shown.certificates import certificates

CERTIFICATES = ListOf("/certificates", lambda parts, _: certificates(parts))

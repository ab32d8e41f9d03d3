"""Sites: where software runs or is built, and from where a credential is within reach."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from rotator.errors import BadInput

_LENGTH = 300
_SHOWN = 80


class SiteKind(StrEnum):
    """What sort of place it is."""

    HOST = "host"
    REPOSITORY = "repository"
    JOB = "job"
    CONTAINER = "container"


@dataclass(frozen=True, slots=True, order=True)
class Site:
    """One place, written `host:ci-7`, `repository:org/app`, `job:org/app/build`, `container:registry/app`."""

    kind: SiteKind
    name: str

    def __str__(self) -> str:
        return f"{self.kind}:{self.name}"


def site(text: str, where: str = "site") -> Site:
    """Read a site as people write it; names are compared in lower case. Raises BadInput for what is none."""
    kind, colon, name = text.strip().partition(":")
    name = name.strip().rstrip("./").lower()
    if not colon or kind not in set(SiteKind) or not re.fullmatch(rf"[^\s\x00-\x1f]{{1,{_LENGTH}}}", name):
        short = text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
        raise BadInput(f"`{short}` is no site", where, f"write one of {', '.join(SiteKind)}, a colon, and its name")
    return Site(SiteKind(kind), name)

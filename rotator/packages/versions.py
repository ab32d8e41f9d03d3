"""How versions are ordered: PyPI's as PEP 440 has it, npm's and their kin as Semantic Versioning 2.0.0 does.

Of other ecosystems no order is known here: their versions are equal or not.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from packaging.version import InvalidVersion, Version

from rotator.packages.names import ACTIONS, CRATES, NPM, PYPI

# An order's key. Keys are only ever compared with keys of one order.
Key = Any
Order = Callable[[str], Key | None]

LONGEST = 200
"""Characters that a version may have: what is longer is none."""

_SEMVER = re.compile(
    r"[v=]?(\d{1,18})(?:\.(\d{1,18}))?(?:\.(\d{1,18}))?(?:-([0-9A-Za-z.-]{1,200}))?(?:\+[0-9A-Za-z.-]{1,200})?"
)


@lru_cache(maxsize=1 << 16)
def pep440(text: str) -> Version | None:
    """Return the key of one of PyPI's versions, without its local part: `1.82.7+cpu` is a build of 1.82.7."""
    if len(text) > LONGEST:
        return None
    try:
        version = Version(text)
        return Version(version.public) if version.local else version
    except (InvalidVersion, ValueError):
        return None


@lru_cache(maxsize=1 << 16)
def semver(text: str) -> tuple[object, ...] | None:
    """Return the key of a semantic version; a `v` before it, and parts that are left out, are forgiven.

    A release is above its pre-releases; of these, numbers are below words, and the longer is above (section 11).
    """
    found = _SEMVER.fullmatch(text.strip()) if len(text) <= LONGEST else None
    if found is None:
        return None
    numbers = tuple(int(part or 0) for part in found.group(1, 2, 3))
    if found[4] is None:
        return (*numbers, 1)
    words = ((0, int(word), "") if word.isdecimal() else (1, 0, word) for word in found[4].split("."))
    return (*numbers, 0, tuple(words))


_SEMANTIC = frozenset({NPM, ACTIONS, CRATES, "Go", "Hex", "Pub"})


def order(ecosystem: str, range_type: str = "ECOSYSTEM") -> Order | None:
    """Return how an ecosystem's versions are ordered, None where that is not known here."""
    if ecosystem == PYPI:
        return pep440
    return semver if ecosystem in _SEMANTIC or range_type == "SEMVER" else None

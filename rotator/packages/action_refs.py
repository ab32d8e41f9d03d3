"""Compare what an action is called by: a release's tag, a tag that moves with releases (`v45`), a branch, a commit.

GitHub's documentation of actions, "Using tags for release management": `v45` is moved to each new 45.x.y.
"""

from __future__ import annotations

import re

from rotator.packages.versions import Key, semver

_MOVING = re.compile(r"v?(\d{1,18})(?:\.(\d{1,18}))?")
_COMMIT = re.compile(r"[0-9a-f]{40}")


def same(one: str, other: str) -> bool | None:
    """Tell whether both are one release; None where only the time of use could tell."""
    if one.removeprefix("v") == other.removeprefix("v"):
        return True
    if _COMMIT.fullmatch(one) and _COMMIT.fullmatch(other):
        return False
    key, wanted = semver(one), semver(other)
    if key is None or wanted is None or _within(one, wanted) or _within(other, key):
        return None
    return key == wanted


def turns(ref: str, event: str, at: Key) -> bool:
    """Tell whether a moving tag lies on both sides of a range's event."""
    return _within(ref, at) and (event == "last_affected" or at != semver(ref))


def _within(ref: str, key: Key) -> bool:
    """Tell whether a tag, if it moves, may stand for this release."""
    found = _MOVING.fullmatch(ref)
    if found is None:
        return False
    numbers = [int(part) for part in found.groups() if part]
    return bool(semver(ref) <= key < (*numbers[:-1], numbers[-1] + 1))

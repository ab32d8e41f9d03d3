"""What one evidence file says, piece by piece: components, and what the file tells of itself."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from rotator.flow.site import Site
from rotator.packages.names import Package


class Sureness(StrEnum):
    """How sure it is that the package was at the site, the surest first."""

    INSTALLED = "installed"
    """It was there: an installer's log, a freeze, a bill of materials of a host, job or container."""

    FETCHED = "fetched"
    """It was downloaded to there, and nothing says that it was installed. To build it from source runs its code."""

    LOCKED = "locked"
    """A lock file or an exact requirement names it: whoever installed from there got it. Likely, not seen."""

    ALLOWED = "allowed"
    """A requirement admits it: possible for whoever installed while it could be had."""


class Component(NamedTuple):
    """One package of one file, with its version, or with a requirement where none was chosen.

    `line` is where it stands; `where` its place in words, for formats without lines. `came`: when it was installed.
    `released`: when its version was published, as some lock files tell.
    """

    package: Package
    version: str
    sureness: Sureness
    line: int | None = None
    where: str = ""
    came: datetime | None = None
    seen: datetime | None = None
    released: datetime | None = None
    requirement: str = ""


@dataclass(frozen=True, slots=True)
class About:
    """What a file tells of itself, wherever in it: the site it speaks for, when it was made, when its job ended.

    `runner` is the machine of one's own on which a job ran: what ran there ran on it.
    """

    site: Site | None = None
    made: datetime | None = None
    ended: datetime | None = None
    runner: Site | None = None


Parts = Iterator[Component | About]


@dataclass(frozen=True, slots=True)
class Unread:
    """A file that was not understood, or only in part, and why."""

    path: str
    why: str

    def __str__(self) -> str:
        return f"not read: {self.path}: {self.why}"


@dataclass(frozen=True, slots=True)
class Document:
    """One evidence file that is being read. `site` is what its folder says; `parts` can be gone through once.

    `happened`: it tells what was done, as a log does; all others are lists.
    """

    path: str
    format: str
    site: Site | None
    parts: Parts
    happened: bool = False

"""Which site a file speaks for: its folder says it, or the file itself, or else it stands for itself.

    host/NAME/…    repository/ORG/APP/…    job/ORG/APP/JOB/…    container/REGISTRY/…/APP/FILE

The first folder of the path that is one of these words, or its plural, counts; pass paths as they were given.
"""

from __future__ import annotations

import re

from rotator.errors import BadInput
from rotator.flow.site import Site, SiteKind, site

RULE = "put it under host/NAME/, repository/ORG/APP/, job/ORG/APP/JOB/ or container/NAME/ to say whose it is"

_KINDS = {
    "host": SiteKind.HOST,
    "hosts": SiteKind.HOST,
    "repository": SiteKind.REPOSITORY,
    "repositories": SiteKind.REPOSITORY,
    "job": SiteKind.JOB,
    "jobs": SiteKind.JOB,
    "container": SiteKind.CONTAINER,
    "containers": SiteKind.CONTAINER,
}
_PARTS = {SiteKind.HOST: 1, SiteKind.REPOSITORY: 2, SiteKind.JOB: 3}
_LONGEST = 300


def of_folder(path: str) -> Site | None:
    """Return the site that the file's folders name, None where they name none."""
    *folders, file = [part for part in re.split(r"[/\\]+", path) if part not in {"", "."}] or [""]
    for at, folder in enumerate(folders):
        kind = _KINDS.get(folder.lower())
        if kind is None:
            continue
        names = folders[at + 1 :]
        if kind is SiteKind.JOB and len(names) < _PARTS[kind]:
            # `job/org/app/123.log`: the file is the job.
            names.append(file.rpartition(".")[0] or file)
        wanted = names[: _PARTS.get(kind, len(names))]
        return made(kind, "/".join(wanted)) if wanted else None
    return None


def of_itself(path: str) -> Site:
    """Return the site of a file that nobody names: a repository of unknown name, called after its folder or itself."""
    folder = "/".join(part for part in re.split(r"[/\\]+", path)[:-1] if part not in {"", "."})
    return made(SiteKind.REPOSITORY, folder or path) or Site(SiteKind.REPOSITORY, "unknown")


def made(kind: SiteKind, name: str) -> Site | None:
    """Return the site of that name, as sites are written; None for what is no name.

    A container's is without tag and digest, as whoever keeps an inventory names it. Space becomes a hyphen.
    """
    if kind is SiteKind.CONTAINER:
        name = re.sub(r"(?<=[^/]):[^/:]*$", "", name.partition("@")[0])
    name = "".join(letter if letter.isprintable() else "?" for letter in re.sub(r"\s+", "-", name.strip())[:_LONGEST])
    try:
        return site(f"{kind}:{name}")
    except BadInput:
        return None

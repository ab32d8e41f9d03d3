"""Which places of an inventory and of evidence are one, or one inside the other: a job of a repository, a tag."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import Enum

from rotator.errors import BadInput
from rotator.flow.scope import Custody
from rotator.flow.site import Site, SiteKind, site

_REPOSITORY_OF = {"github_actions_secret": ":", "gitlab_variable": ":"}
"""The stores whose places are a repository's own settings, and what ends the repository's name in them."""
_GROUPS = "groups/"


@dataclass(frozen=True, slots=True)
class Whereabouts:
    """A site from which a credential is within reach, and why, as a link says it."""

    site: Site
    why: str


def whereabouts(custody: Custody) -> tuple[Whereabouts, ...]:
    """Return the sites that an entry names: outright, as a consumer's host, or by a delivery to a repository."""
    found = {each: Whereabouts(each, "is within reach there") for each in custody.reachable_from}
    for consumer in custody.consumers:
        if consumer.host and (host := _site(SiteKind.HOST, consumer.host)):
            found.setdefault(host, Whereabouts(host, f"is used there by {consumer.name}"))
    for place in custody.deliver:
        if place.store in _REPOSITORY_OF:
            name = place.name.removeprefix(_GROUPS).partition(_REPOSITORY_OF[place.store])[0]
            if repository := _site(SiteKind.REPOSITORY, name):
                found.setdefault(repository, Whereabouts(repository, f"is delivered to its {place.store}"))
    return tuple(found.values())


def _site(kind: SiteKind, name: str) -> Site | None:
    try:
        return site(f"{kind}:{name}")
    except BadInput:
        return None


class Relation(Enum):
    """How a site of the evidence stands to one that an entry names."""

    SAME = "is"
    PART = "is part of"
    WHOLE = "is what it is part of"
    PERHAPS = "may be"


class Nearby:
    """The sites of the evidence, found by one that an entry names."""

    def __init__(self, sites: Iterable[Site]) -> None:
        self._sites = frozenset(sites)
        self._parts: dict[Site, list[Site]] = {}
        for each in sorted(self._sites):
            for above in _above(each):
                self._parts.setdefault(above, []).append(each)

    def of(self, named: Site) -> Iterator[tuple[Site, Relation]]:
        """Yield each site of the evidence that is the named one, a part of it, or the whole of it."""
        is_host = named.kind is SiteKind.HOST
        if named in self._sites:
            yield named, Relation.SAME
        for part in self._parts.get(named, ()):
            yield part, Relation.PERHAPS if is_host else Relation.PART
        for above in _above(named):
            if above in self._sites:
                yield above, Relation.PERHAPS if is_host else Relation.WHOLE


def _above(inner: Site) -> Iterator[Site]:
    """Yield the sites that this one is a part of; of a host with its domain, the one that has its bare name."""
    name = inner.name
    if inner.kind is SiteKind.CONTAINER:
        untagged = re.sub(r":[^:/]*$", "", bare := name.partition("@")[0])
        yield from (Site(inner.kind, each) for each in dict.fromkeys((bare, untagged)) if each != name)
    elif inner.kind is SiteKind.HOST:
        first = name.partition(".")[0]
        if first != name and not first.isdecimal():
            yield Site(inner.kind, first)
    else:
        parts = name.split("/")
        wholes = ["/".join(parts[:end]) for end in range(len(parts) - 1, 0, -1)]
        if inner.kind is SiteKind.JOB:
            yield from (Site(SiteKind.JOB, each) for each in wholes)
            yield Site(SiteKind.REPOSITORY, name)
        yield from (Site(SiteKind.REPOSITORY, each) for each in wholes)

"""Where bad packages were found, seen from the sites that an inventory names, each with what a link says of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

from rotator.credential import Leaked
from rotator.flow.exposure import INVENTORY, Certainty, Exposure
from rotator.flow.places import Nearby, Relation
from rotator.flow.site import Site

INSTALLED = "installed"
_WAS = {INSTALLED: "was installed at", "fetched": "was downloaded to", "locked": "is locked in", "allowed": "may be in"}
"""How sure a hit is, the surest first, and how a link says it."""
_RANK = {sureness: rank for rank, sureness in enumerate(_WAS)}


class Hit(Protocol):
    """A bad package found at a site. `sureness` is one of installed, fetched, locked, allowed."""

    @property
    def site(self) -> Site: ...
    @property
    def package(self) -> object: ...
    @property
    def version(self) -> str: ...
    @property
    def sureness(self) -> str: ...
    @property
    def since(self) -> datetime | None: ...
    @property
    def path(self) -> str: ...
    @property
    def line(self) -> int | None: ...


class Hits:
    """The surest and earliest hit of each site, and what a link says of it."""

    def __init__(self, hits: Iterable[Hit]) -> None:
        self._best: dict[Site, Hit] = {}
        self._more: dict[Site, int] = {}
        for hit in hits:
            known = self._best.setdefault(hit.site, hit)
            if hit is not known:
                self._more[hit.site] = self._more.get(hit.site, 0) + 1
                self._best[hit.site] = min(known, hit, key=_order)
        self._links = {site: self._link(hit) for site, hit in self._best.items()}
        self._nearby = Nearby(self._best)
        self._near: dict[Site, list[Near]] = {}
        installed = [each for each in self._best.values() if each.sureness == INSTALLED]
        self.first_installed = min(installed, key=_order, default=None)
        self.installed_at = len(installed)

    def first(self) -> Exposure | None:
        """Return where a bad package was first surely installed, and at how many sites more."""
        hit = self.first_installed
        if hit is None:
            return None
        more = self.installed_at - 1
        others = f", and at {more:,} more site{'s' * (more > 1)}" if more else ""
        via = (f"{self._links[hit.site]}{others}",)
        return Exposure(INVENTORY, "", Leaked(), hit.path, hit.line, certainty=Certainty.INFERRED, via=via)

    def near(self, named: Site) -> list[Near]:
        """Return the hits at a site that an entry names, at its parts and at what it is part of."""
        if named not in self._near:
            self._near[named] = [self._of(*each, named) for each in self._nearby.of(named)]
        return self._near[named]

    def _of(self, site: Site, relation: Relation, named: Site) -> Near:
        hit = self._best[site]
        sure = hit.sureness == INSTALLED and relation in {Relation.SAME, Relation.PART}
        inner, outer = (named, site) if relation is Relation.WHOLE else (site, named)
        word = Relation.PART if relation is Relation.WHOLE else relation
        between = () if relation is Relation.SAME else (f"{inner} {word.value} {outer}",)
        return Near(hit, Certainty.REACHABLE if sure else Certainty.INFERRED, (self._links[site], *between))

    def _link(self, hit: Hit) -> str:
        where = f"{hit.path}:{hit.line}" if hit.line is not None else hit.path
        others = self._more.get(hit.site, 0)
        more = f", and {others} more such finding{'s' if others > 1 else ''} there" if others else ""
        return f"{hit.package} {hit.version} {_WAS[hit.sureness]} {hit.site} ({where}){_when(hit.since)}{more}"


@dataclass(frozen=True, slots=True)
class Near:
    """A hit as it is seen from a site that an entry names."""

    hit: Hit
    certainty: Certainty
    links: tuple[str, ...]


def _order(hit: Hit) -> tuple[object, ...]:
    since = hit.since or datetime.max.replace(tzinfo=UTC)
    return _RANK[hit.sureness], since if since.tzinfo else since.replace(tzinfo=UTC), hit.path, hit.line or 0


def _when(since: datetime | None) -> str:
    if since is None:
        return ""
    utc = since.astimezone(UTC) if since.tzinfo else since
    return f", not before {utc:%Y-%m-%dT%H:%MZ}"

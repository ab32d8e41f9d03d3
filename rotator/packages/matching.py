"""Match advisories with evidence: which sites had a bad version, in which window, and how sure that is."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime

from rotator.errors import BadInput
from rotator.flow.site import Site, SiteKind
from rotator.packages.advisory import Advisory, merged
from rotator.packages.affected import Affected, in_order
from rotator.packages.component import About, Component, Document, Sureness, Unread
from rotator.packages.names import PYPI, UNTOLD, Package, package
from rotator.packages.place import RULE, of_itself
from rotator.packages.sighting import RANK, Sighting, clean, why

_SHOWN = 3
_ANY = "of any version"
_SILENT = "it names no package: nothing was installed, or its lines have a form that rotator does not know"


@dataclass(frozen=True, slots=True)
class Hit:
    """One bad version of one package at one site.

    `since` and `until` bound when it can have been there: None is unknown, and still there. `path` and `line` are of
    the surest evidence, `why` says it in a sentence. `version` lists several where only a requirement is known.
    """

    site: Site
    package: str
    version: str
    ecosystem: str
    sureness: Sureness
    since: datetime | None
    until: datetime | None
    path: str
    line: int | None
    advisory_id: str
    why: str


@dataclass(frozen=True, slots=True)
class Findings:
    """All hits, the surest first; what was not read; of how many files, with how many components; what else to know."""

    hits: tuple[Hit, ...]
    unread: tuple[Unread, ...]
    components: int
    files: int = 0
    notes: tuple[str, ...] = ()

    @property
    def warnings(self) -> tuple[str, ...]:
        """Say what whoever approves a plan of this cannot see in it: how much was not read, and the first of it."""
        if not self.unread:
            return ()
        told = "; ".join(f"{each.path}: {each.why}" for each in self.unread[:_SHOWN])
        left = len(self.unread) - _SHOWN
        more = f"; and {left:,} more" if left > 0 else ""
        return (f"{len(self.unread):,} of {self.files:,} files of evidence may hide a bad package: {told}{more}",)


def match(advisories: Iterable[Advisory], found: Iterable[Document | Unread]) -> Findings:
    """Read all evidence through and return what of it is bad. Nothing of what is not bad is kept.

    Never raises for a bad file: it is named in `unread`, and what was found in it before it broke still counts.
    """
    events = merged(advisories)
    gathered = _Gathered([each for each in events if each.withdrawn is None])
    unread: list[Unread] = []
    silent: list[Unread] = []
    files = 0
    for each in found:
        files, before = files + 1, gathered.components
        if isinstance(each, Unread):
            unread.append(each)
        elif (broken := gathered.read(each)) is not None:
            unread.append(broken)
        elif each.happened and gathered.components == before:
            silent.append(Unread(each.path, _SILENT))
    notes = tuple(f"{each.id} was withdrawn and is not looked for" for each in events if each.withdrawn is not None)
    hits = sorted(gathered.hits(), key=lambda hit: (RANK[hit.sureness], hit.site, hit.package, hit.version))
    named = tuple(Unread(clean(each.path), each.why) for each in (*unread, *silent))
    return Findings(tuple(hits), named, gathered.components, files, notes)


@dataclass(slots=True)
class _Gathered:
    """What was found so far, by site."""

    events: list[Advisory]
    components: int = 0
    _by_package: dict[Package, list[tuple[Advisory, Affected]]] = field(default_factory=dict)
    _by_name: dict[str, list[tuple[Advisory, Affected]]] = field(default_factory=dict)
    _sites: dict[Site, list[Sighting]] = field(default_factory=dict)
    _released: dict[tuple[Package, str], datetime] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for event in self.events:
            for each in event.affected:
                self._by_package.setdefault(each.package, []).append((event, each))
                self._by_name.setdefault(_plain(each.package.name), []).append((event, each))

    def read(self, document: Document) -> Unread | None:
        """Read a document through; return it as unread if it broke."""
        about, broken = About(), None
        here: dict[tuple[str, Package, str], Sighting] = {}
        try:
            for part in document.parts:
                if isinstance(part, About):
                    about = _both(about, part)
                    continue
                self.components += 1
                for sighting in self._bad(part, document.path):
                    key = (sighting.advisory.id, sighting.affected.package, sighting.version)
                    here[key] = here[key].and_(sighting) if key in here else sighting
        except BadInput as error:
            place = error.where.removeprefix(document.path).lstrip(", ")
            broken = f"{f'{place}: ' if place else ''}{error.what}; what stands before it was read"
        except OSError as error:
            broken = f"it cannot be read to its end ({error.strerror})"
        site = document.site or about.site or of_itself(document.path)
        for each in here.values():
            self._keep(site, each, document, about)
            if about.runner is not None and about.runner != site:
                self._keep(about.runner, each, document, replace(about, ended=None))
        return Unread(document.path, broken) if broken else None

    def _bad(self, part: Component, path: str) -> list[Sighting]:
        unnamed = part.package.ecosystem == UNTOLD
        wanted = self._by_name.get(_plain(part.package.name)) if unnamed else self._by_package.get(part.package)
        sightings = []
        for event, affected in wanted or ():
            version, sureness = part.version, part.sureness
            if version:
                bad = affected.covers(version)
                if bad is False:
                    continue
                sureness = Sureness.ALLOWED if bad is None or unnamed else sureness
            else:
                admitted = affected.admitted(part.requirement)
                if admitted == ():
                    continue
                version = " or ".join(in_order(affected, admitted or ())[-_SHOWN:]) or part.requirement or _ANY
                sureness = Sureness.ALLOWED
            if part.released is not None:
                key = (affected.package, version)
                self._released[key] = min(part.released, self._released.get(key, part.released))
            sightings.append(Sighting(event, affected, version, sureness, part, path, part.came, part.seen))
        return sightings

    def _keep(self, site: Site, sighting: Sighting, document: Document, about: About) -> None:
        sureness = sighting.sureness
        if sureness is Sureness.INSTALLED and site.kind is SiteKind.REPOSITORY and not document.happened:
            # Nothing runs in a repository: a list in it says what would be.
            sureness = Sureness.LOCKED
        seen = sighting.seen or (None if document.happened or sureness is Sureness.LOCKED else about.made)
        homeless = document.site is None and about.site is None and about.runner != site
        kept = replace(sighting, sureness=sureness, seen=seen, ended=about.ended, homeless=homeless)
        self._sites.setdefault(site, []).append(kept)

    def hits(self) -> Iterable[Hit]:
        for site, sightings in self._sites.items():
            of_package: dict[tuple[str, Package], dict[str, list[Sighting]]] = {}
            for each in sightings:
                versions = of_package.setdefault((each.advisory.id, each.affected.package), {})
                versions.setdefault(each.version, []).append(each)
            for versions in of_package.values():
                sure = {
                    version: same
                    for version, same in versions.items()
                    if any(each.sureness is not Sureness.ALLOWED for each in same)
                }
                # What a requirement admits is no news where a version is known.
                for version, same in (sure or versions).items():
                    yield self._hit(site, version, same)

    def _hit(self, site: Site, version: str, same: list[Sighting]) -> Hit:
        best = min(same, key=lambda each: RANK[each.sureness])
        came, seen = _earliest(same, "came"), _earliest(same, "seen")
        released = self._released.get((best.affected.package, best.version))
        # Seen before it was ever installed: it had come earlier, nobody says when.
        since = came if came is not None and (seen is None or came <= seen) else released
        ends = [each.ended for each in same]
        until = max((each for each in ends if each), default=None) if site.kind is SiteKind.JOB else None
        others = len({each.path for each in same}) - 1
        said = why(best) + (f", and {others} more file{'s' * (others > 1)}" if others else "")
        if best.homeless:
            said += f"; nothing says whose file it is ({RULE})"
        of = best.affected.package
        return Hit(
            site, of.name, clean(version), of.ecosystem, best.sureness, since, until,
            clean(best.path), best.component.line, best.advisory.id, said,
        )  # fmt: skip


def _both(before: About, after: About) -> About:
    return About(
        after.site or before.site, after.made or before.made, after.ended or before.ended, after.runner or before.runner
    )


def _earliest(same: list[Sighting], name: str) -> datetime | None:
    return min((time for each in same if (time := getattr(each, name)) is not None), default=None)


def _plain(name: str) -> str:
    return package(PYPI, name).name

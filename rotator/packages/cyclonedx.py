"""Read CycloneDX bills of materials in JSON, component by component. CycloneDX 1.2 to 1.7, "Components"."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from rotator.flow.site import Site, SiteKind
from rotator.intake.fields import mapping, word
from rotator.intake.json_pieces import END, Within, opened
from rotator.intake.report import Report
from rotator.packages.advisory import moment
from rotator.packages.component import About, Component, Parts, Sureness
from rotator.packages.names import UNTOLD, Package, package, purl
from rotator.packages.place import made

DESCRIPTION = "CycloneDX"

_WITHIN: Within = {
    "components": {},
    # Long ones that say nothing of what is there: passed over piece by piece.
    "dependencies": {},
    "vulnerabilities": {},
    "services": {},
    "compositions": {},
    "annotations": {},
    "formulation": {},
}
_SITES = {
    "container": SiteKind.CONTAINER,
    "device": SiteKind.HOST,
    "operating-system": SiteKind.HOST,
    "application": SiteKind.REPOSITORY,
    "library": SiteKind.REPOSITORY,
    "framework": SiteKind.REPOSITORY,
}


def claims(report: Report) -> bool:
    """Tell whether this may be such a document: some programs sort the keys, so that its name comes last."""
    keys = report.head.keys
    return report.head.opens == "{" and ("bomFormat" in keys or "components" in keys)


def components(report: Report) -> Parts:
    """Yield each component, those inside others too, and what the document tells of itself."""
    ordinal, named = 0, False
    for way, value in opened(report, _WITHIN):
        if way == ("metadata",):
            yield about(mapping(value))
        elif way == ("bomFormat",):
            named = value == "CycloneDX"
        elif way == ("components",) and value is not END:
            ordinal += 1
            yield from _all(mapping(value), f"component {ordinal}")
    if not named:
        raise report.bad("it does not say that it is CycloneDX")


def about(metadata: Mapping[str, object]) -> About:
    """Return what a document's metadata say: when it was made, and of what."""
    main = mapping(metadata.get("component"))
    name = "/".join(part for part in (word(main, "group"), word(main, "name")) if part)
    return About(site_of(word(main, "type"), name), moment(metadata.get("timestamp")))


def site_of(kind: str, name: str) -> Site | None:
    """Return the site that a document's main component is."""
    return made(_SITES[kind], name) if kind in _SITES and name else None


def component(of: Mapping[str, str], where: str, line: int | None = None) -> Component | None:
    """Return what (purl, group, name, version) name; without a purl the ecosystem is not told."""
    found = purl(of.get("purl", ""))
    name = "/".join(part for part in (of.get("group", ""), of.get("name", "")) if part)
    if found is None and not name:
        return None
    said, version = found or (package(UNTOLD, name), "")
    return listed(said, version or of.get("version", ""), where, line)


def listed(of: Package, version: str, where: str, line: int | None = None) -> Component:
    """Return one entry of a bill of materials: installed, as far as the bill is of a place where things are."""
    return Component(of, version, Sureness.INSTALLED if version else Sureness.ALLOWED, line, where)


def _all(outer: Mapping[str, object], where: str) -> Iterator[Component]:
    waiting = [outer]
    while waiting:
        each = waiting.pop()
        found = component({key: word(each, key) for key in ("purl", "group", "name", "version")}, where)
        if found is not None:
            yield found
        inner = each.get("components")
        waiting += [mapping(one) for one in inner] if isinstance(inner, list) else []

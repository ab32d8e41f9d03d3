"""Read SPDX documents in JSON, package by package: SPDX 2.x, also as GitHub wraps it, and the packages of SPDX 3."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from rotator.flow.site import SiteKind
from rotator.intake.fields import mapping, word
from rotator.intake.json_pieces import END, Within, opened
from rotator.intake.report import Report
from rotator.packages.advisory import moment
from rotator.packages.component import About, Component, Parts, Sureness
from rotator.packages.cyclonedx import listed
from rotator.packages.names import UNTOLD, package, purl
from rotator.packages.place import made

DESCRIPTION = "SPDX"

_DOCUMENT: Within = {
    "packages": {},
    "@graph": {},
    # Long ones that say nothing of what is there: passed over piece by piece.
    "files": {},
    "relationships": {},
    "snippets": {},
    "hasExtractedLicensingInfos": {},
    "annotations": {},
}
_WITHIN: Within = {**_DOCUMENT, "sbom": _DOCUMENT}
_PURPOSES = {"CONTAINER": SiteKind.CONTAINER, "DEVICE": SiteKind.HOST, "OPERATING-SYSTEM": SiteKind.HOST}
_SHORT = 200
_RANGE = re.compile(r"\s*(?:[<>=!~^]|\*)")


def claims(report: Report) -> bool:
    """Tell whether this may be such a document: some programs write the files first, and what it is last."""
    keys = report.head.keys
    if report.head.opens != "{" or "lockfileVersion" in keys:
        return False
    return bool(keys & {"spdxVersion", "SPDXID", "sbom", "@graph", "packages", "files"})


def components(report: Report) -> Parts:
    """Yield each package, and what the document tells of itself."""
    ordinal, is_spdx = 0, False
    for way, value in opened(report, _WITHIN):
        key = way[-1] if way and value is not END else ""
        if key == "packages":
            ordinal += 1
            yield from _package(mapping(value), f"package {ordinal}")
        elif key == "@graph":
            ordinal += 1
            yield from _element(mapping(value), f"element {ordinal}")
        elif key == "creationInfo":
            yield About(made=moment(mapping(value).get("created")))
        elif key == "name" and isinstance(value, str):
            yield named(value)
        is_spdx = is_spdx or key == "spdxVersion" or (key == "@context" and "spdx" in str(value)[:_SHORT])
    if not is_spdx:
        raise report.bad("it does not say that it is SPDX")


def named(document: str) -> About:
    """Return what a document's name says: a repository's, until a package says that it is of something else."""
    return About(made(SiteKind.REPOSITORY, re.sub(r"(?<=[^/])@[^@/]*$", "", document)))


def of_purpose(purpose: str, name: str) -> About | None:
    """Return the site that a package is which is the container or machine that the document is of."""
    return About(made(_PURPOSES[purpose], name)) if purpose in _PURPOSES else None


def entry(name: str, version: str, address: str, where: str, line: int | None = None) -> Component | None:
    """Return one package of the document. GitHub writes what a manifest requires where a version should be."""
    found = purl(address)
    if found is None and not name:
        return None
    of, told = found or (package(UNTOLD, name.partition(":")[2] or name), "")
    version = "" if version == "NOASSERTION" else version
    if _RANGE.match(told or version):
        return Component(of, "", Sureness.ALLOWED, line, where, requirement=(told or version).replace(" ", ""))
    return listed(of, told or version, where, line)


def _package(said: Mapping[str, object], where: str) -> Iterator[Component | About]:
    main = of_purpose(word(said, "primaryPackagePurpose"), word(said, "name"))
    if main is not None:
        yield main
        return
    references = said.get("externalRefs")
    addresses = [
        word(mapping(each), "referenceLocator")
        for each in (references if isinstance(references, list) else [])
        if mapping(each).get("referenceType") == "purl"
    ]
    found = entry(word(said, "name"), word(said, "versionInfo"), addresses[0] if addresses else "", where)
    if found is not None:
        yield found


def _element(said: Mapping[str, object], where: str) -> Iterator[Component | About]:
    kind = word(said, "type") or word(said, "@type")
    if kind == "CreationInfo":
        yield About(made=moment(said.get("created")))
    if kind != "software_Package":
        return
    name, version = word(said, "name"), word(said, "software_packageVersion")
    main = of_purpose(word(said, "software_primaryPurpose").upper(), name)
    found = main or entry(name, version, word(said, "software_packageUrl"), where)
    if found is not None:
        yield found

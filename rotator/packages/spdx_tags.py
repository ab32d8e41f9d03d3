"""Read SPDX documents as tags and values, one package after the other. SPDX 2.3, "Package Information"."""

from __future__ import annotations

from rotator.intake.report import Report
from rotator.packages.advisory import moment
from rotator.packages.component import About, Parts
from rotator.packages.spdx import entry, named, of_purpose

DESCRIPTION = "SPDX tag-value"


def claims(report: Report) -> bool:
    """Tell whether a line of the head names the version of SPDX."""
    return any(line.startswith("SPDXVersion:") for line in report.head.lines)


def components(report: Report) -> Parts:
    """Yield each package, and what the document tells of itself."""
    said: dict[str, str] = {}
    start, in_text = 0, False
    for number, line in report.lines():
        if in_text or "<text>" in line:
            # A text may go over many lines, and may hold what looks like a tag.
            in_text = "</text>" not in line
            continue
        tag, colon, value = (part.strip() for part in line.partition(":"))
        if not colon:
            continue
        if tag == "DocumentName":
            yield named(value)
        elif tag == "Created":
            yield About(made=moment(value))
        elif tag in {"PackageName", "FileName", "SnippetSPDXID", "LicenseID", "Relationship"}:
            yield from _package(said, start)
            said, start = ({"PackageName": value}, number) if tag == "PackageName" else ({}, 0)
        elif tag == "ExternalRef" and said:
            words = value.split()
            if words[1:2] == ["purl"] and words[2:]:
                said["purl"] = words[2]
        elif said:
            said[tag] = value
    yield from _package(said, start)


def _package(said: dict[str, str], line: int) -> Parts:
    name = said.get("PackageName", "")
    found = of_purpose(said.get("PrimaryPackagePurpose", ""), name) or entry(
        name, said.get("PackageVersion", ""), said.get("purl", ""), "", line
    )
    if said and found is not None:
        yield found

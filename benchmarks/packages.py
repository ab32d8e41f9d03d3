"""How long it takes to look for a bad package in bills of materials with 50,000 components, and in what memory."""

from __future__ import annotations

import json
import time
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import BinaryIO

from rotator.packages import evidence
from rotator.packages.advisory import spec
from rotator.packages.matching import Findings, match

COMPONENTS = 50_000
FILES = 10
TARGET_S = 20.0
TARGET_GB = 0.1
BAD = "litellm==1.82.7,1.82.8"


def measure(components: int = COMPONENTS) -> list[dict[str, object]]:
    """Return seconds and the peak of Python's memory for a set that is half CycloneDX and half SPDX."""
    with TemporaryDirectory() as folder:
        write(Path(folder), components)
        start = time.perf_counter()
        seen = look(Path(folder))
        took = time.perf_counter() - start
        tracemalloc.start()
        look(Path(folder))
        peak = tracemalloc.get_traced_memory()[1] / 1e9
        tracemalloc.stop()
    if (seen.components, len(seen.hits), len(seen.unread)) != (components, FILES, 0):
        raise RuntimeError(f"{seen.components} components, {len(seen.hits)} hits, not read: {seen.unread}")
    what = f"bills of materials with {components:,} components searched"
    return [
        {"name": what, "value": round(took, 4), "unit": "s", "target": TARGET_S},
        {"name": f"{what}, memory", "value": round(peak, 6), "unit": "GB", "target": TARGET_GB},
    ]


def look(folder: Path) -> Findings:
    return match([spec(BAD)], evidence.walk(opened(folder)))


def opened(folder: Path) -> Iterator[tuple[str, BinaryIO]]:
    for path in sorted(folder.rglob("*.json")):
        with path.open("rb") as stream:
            yield str(path.relative_to(folder)), stream


def write(folder: Path, components: int) -> None:
    """Write FILES documents, with one bad component at the end of each, as Syft and GitHub write theirs in width."""
    for number in range(FILES):
        each = components // FILES
        place = folder / "container" / f"registry.example/team/app-{number}"
        place.mkdir(parents=True)
        document = cyclonedx(each) if number % 2 else spdx(each)
        (place / "sbom.json").write_text(json.dumps(document))


def named(count: int) -> Iterator[tuple[str, str]]:
    for number in range(count - 1):
        yield f"package-{number}", f"{number % 7}.{number % 30}.{number % 11}"
    yield "litellm", "1.82.7"


def cyclonedx(count: int) -> dict[str, object]:
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "metadata": {"timestamp": "2026-03-25T08:00:00Z"},
        "components": [
            {
                "bom-ref": f"pkg:pypi/{name}@{version}?package-id=8f1d2c3b4a596877",
                "type": "library",
                "name": name,
                "version": version,
                "licenses": [{"license": {"id": "Apache-2.0"}}],
                "cpe": f"cpe:2.3:a:{name}:{name}:{version}:*:*:*:*:*:*:*",
                "purl": f"pkg:pypi/{name}@{version}",
                "properties": [
                    {"name": f"syft:location:{at}:path", "value": f"/usr/lib/python3/site-packages/{name}/METADATA"}
                    for at in range(4)
                ],
            }
            for name, version in named(count)
        ],
        "dependencies": [{"ref": name, "dependsOn": [name] * 5} for name, _ in named(count)],
    }


def spdx(count: int) -> dict[str, object]:
    return {
        "spdxVersion": "SPDX-2.3",
        "SPDXID": "SPDXRef-DOCUMENT",
        "name": "app",
        "creationInfo": {"created": "2026-03-25T08:00:00Z"},
        "packages": [
            {
                "name": name,
                "SPDXID": f"SPDXRef-Package-python-{name}-8f1d2c3b4a596877",
                "versionInfo": version,
                "downloadLocation": "NOASSERTION",
                "filesAnalyzed": False,
                "licenseConcluded": "NOASSERTION",
                "copyrightText": "NOASSERTION",
                "externalRefs": [
                    {"referenceType": "cpe23Type", "referenceLocator": f"cpe:2.3:a:{name}:{name}:{version}:*"},
                    {"referenceType": "purl", "referenceLocator": f"pkg:pypi/{name}@{version}"},
                ],
            }
            for name, version in named(count)
        ],
        "relationships": [
            {"spdxElementId": "SPDXRef-DOCUMENT", "relatedSpdxElement": name, "relationshipType": "CONTAINS"}
            for name, _ in named(count)
        ],
    }

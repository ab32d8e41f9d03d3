"""The samples: what pip 23 and 26, uv 0.13, Poetry 2.5, npm 11, Yarn 1.22, pnpm 10, cyclonedx-py 7.5 and the SPDX tools
0.8.5 wrote of an empty stand-in called litellm, and of chalk, whose number was put in by hand.

Addresses of registries are made up. The two logs of GitHub's runner are put together from its published lines and
what pip and uv wrote.
What conda, Pipenv and `pnpm ls` write, and docker of a build, is made by hand in their form.
"""  # noqa: D205 - one sentence

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from rotator.packages import evidence
from rotator.packages.advisory import Advisory, spec
from rotator.packages.matching import Findings, match

HERE = Path(__file__).parent
SAMPLES = HERE / "samples"
ADVISORIES = HERE / "advisories"
FILES = sorted(str(path.relative_to(SAMPLES)) for path in SAMPLES.rglob("*") if path.is_file())
LITELLM = spec("litellm==1.82.7,1.82.8")
CHALK = spec("npm:chalk==5.6.1")


def files() -> Iterator[tuple[str, BinaryIO]]:
    for name in FILES:
        with (SAMPLES / name).open("rb") as stream:
            yield name, stream


def found(name: str, text: str | bytes, *advisories: Advisory) -> Findings:
    """Return what one file of that name says of litellm and chalk, or of other advisories."""
    stream = io.BytesIO(text.encode() if isinstance(text, str) else text)
    return match(advisories or (LITELLM, CHALK), evidence.walk([(name, stream)]))


def told(findings: Findings) -> list[tuple[str, ...]]:
    """Return (site, package, version, sureness) of each hit."""
    return [(str(hit.site), hit.package, hit.version, str(hit.sureness)) for hit in findings.hits]


def sureness(name: str, text: str | bytes, *advisories: Advisory) -> list[str]:
    """Return how sure each hit is."""
    return [hit[3] for hit in told(found(name, text, *advisories))]

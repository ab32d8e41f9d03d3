"""What a request brings of an alarm: a report, or an archive of reports, evidence of packages, and access logs."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from typing import Annotated, Any

from fastapi import Depends, Query

from rotator.alarm import bundle
from rotator.alarm.alarm import Alarm, of_packages, of_reports
from rotator.alarm.bundle import Bundle
from rotator.alarm.kept_advisories import kept
from rotator.alarm.looking_up import LookedUp, is_id, looked_up
from rotator.bootstrap import Rotator
from rotator.errors import BadInput
from rotator.flow.exposure import Exposure
from rotator.intake.reading import read
from rotator.packages import advisory as records
from rotator.response import Access

_MOST = 20
Packages = Annotated[
    list[str],
    Query(max_length=_MOST, description="A bad package, `litellm==1.82.7,1.82.8`: the body is an archive then."),
]
Advisories = Annotated[
    list[str],
    Query(
        max_length=_MOST,
        description="An advisory's id, looked up where `[advisories] url` says; records of others "
        "are files in `advisories/`.",
    ),
]
BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "description": "A scanner's report or a credential list, of any form that `rotator intake` reads. Or a zip, "
        "tar or tar.gz of folders: `reports/`; `evidence/` of packages, under host/NAME/, repository/ORG/APP/, "
        "job/ORG/APP/JOB/ or container/NAME/; `access/`, access logs, gzipped or not; `advisories/`, OSV records. 32 "
        "MiB at most; unpacked 512, and 10,000 files.",
        "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
    }
}


@dataclass(frozen=True, slots=True)
class Bad:
    """Which packages are bad, in words."""

    packages: list[str]
    advisories: list[str]


def _bad(package: Packages = [], advisory: Advisories = []) -> Bad:  # noqa: B006 - FastAPI copies it
    return Bad(package, advisory)


BadPackages = Annotated[Bad, Depends(_bad)]


@dataclass(frozen=True, slots=True)
class Brought:
    """An alarm, with the names of the access logs that came with it. It is read while its archive is open."""

    alarm: Alarm
    _archive: Bundle | None = None

    def must_name_something(self, *, may_be_empty: bool) -> None:
        """Raise BadInput where it names no credential, unless that is meant."""
        self.alarm.must_name_something()
        if not (may_be_empty or self.alarm.suspects or self.alarm.reach.unplaced):
            raise BadInput("the report names no credential", "", "nothing to do: is it the right report?")

    def access(self, exposed_at: float | None) -> Access | None:
        """Return how the access logs are read for the credentials that will be named, None where there are none."""
        archive = self._archive
        if archive is None or not archive.names("access"):
            return None
        return self.alarm.access(lambda: archive.files("access"), "access/", exposed_at)


@contextlib.contextmanager
def brought(parts: Rotator, body: bytes, bad: Bad, *, may_be_empty: bool = False) -> Iterator[Brought]:
    """Give what a body has, read whole. Raises BadInput for the first that is bad."""
    if not bundle.is_one(body):
        if bad.packages or bad.advisories:
            what = "nothing says where the packages were"
            raise BadInput(what, "the body", "send an archive with lock files and logs in `evidence/`")
        if not (body or may_be_empty):
            raise BadInput("there is no report", "body", "choose a file, or paste it; of a request it is the body")
        found = [] if may_be_empty and not body else list(read("the report", BytesIO(body)))
        yield Brought(of_reports(parts, found, ["the report"]))
        return
    with contextlib.closing(bundle.opened(body)) as archive:
        yield Brought(_alarm(parts, archive, bad), archive)


def _alarm(parts: Rotator, archive: Bundle, bad: Bad) -> Alarm:
    named = archive.names("reports")
    exposures: list[Exposure] = []
    for name, stream in archive.files("reports"):
        exposures += read(name.removeprefix("reports/"), stream)  # as the sender's own command line tells it
    wanted = list(_advisories(parts, archive, bad))
    if wanted and not archive.names("evidence"):
        raise BadInput("nothing says where the packages were", "the archive", "add lock files and logs in `evidence/`")
    if archive.names("evidence") and not wanted:
        raise BadInput("nothing says what to look for in it", "evidence/", "name a `package`, or add `advisories/`")
    if not wanted:
        return of_reports(parts, exposures, named)
    return of_packages(parts, wanted, archive.files("evidence"), exposures, named)


def _advisories(parts: Rotator, archive: Bundle, bad: Bad) -> Iterator[LookedUp]:
    for text in bad.packages:
        yield LookedUp(records.spec(text))
    for name in bad.advisories:
        if not is_id(name):
            raise BadInput("this is no advisory's id", "advisory", "GHSA-…, PYSEC-…, MAL-…; records are `advisories/`")
        yield looked_up(parts.settings.advisories.url, name, kept(parts))
    for name, stream in archive.files("advisories"):
        yield from map(LookedUp, records.read(name, stream))

"""What a person gives as an alarm: the files of reports, of advisories, of evidence and of access logs."""

from __future__ import annotations

import contextlib
import gzip
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, BinaryIO, cast

import typer

from rotator.errors import BadInput

if TYPE_CHECKING:
    from rotator.alarm.alarm import Alarm
    from rotator.alarm.looking_up import LookedUp
    from rotator.bootstrap import Rotator
    from rotator.flow.exposure import Exposure
    from rotator.response import Access

Files = Annotated[
    list[str] | None,
    typer.Argument(metavar="FILE...", help="Scanner reports or credential lists; - reads standard input."),
]
Packages = Annotated[
    list[str] | None,
    typer.Option(metavar="NAME==VERSION", help="A bad package: `litellm==1.82.7,1.82.8`, `npm:chalk==5.6.1`, a purl."),
]
Advisories = Annotated[
    list[str] | None,
    typer.Option(
        metavar="FILE|ID",
        help="An advisory that names bad packages: an OSV record, or its id where `[advisories] url` is configured.",
    ),
]
Evidence = Annotated[
    list[str] | None,
    typer.Option(
        metavar="FOLDER",
        help="Where packages were: bills of materials, freezes, lock files and CI logs, under host/NAME/, "
        "repository/ORG/APP/, job/ORG/APP/JOB/ or container/NAME/.",
    ),
]

Logs = Annotated[
    list[str] | None,
    typer.Option(
        "--access",
        metavar="FILE",
        help="Access logs, or a folder of them, gzipped or not: CloudTrail, GitHub's audit log, the IAM credential "
        "report. They tell who uses each credential, and what was made with it since.",
    ),
]


@dataclass(frozen=True, slots=True)
class Given:
    """What a person gave, in words. Raises BadInput when it comes to nothing."""

    files: Sequence[str] = ()
    packages: Sequence[str] = ()
    advisories: Sequence[str] = ()
    evidence: Sequence[str] = field(default=())
    may_be_empty: bool = False

    def __post_init__(self) -> None:
        bad = self.packages or self.advisories
        if not (self.files or bad or self.evidence or self.may_be_empty):
            raise BadInput("nothing was given", "FILE", "give a report, or --package and --evidence")
        if bad and not self.evidence:
            raise BadInput("nothing says where it was", "--package", "give --evidence FOLDER with lock files and logs")
        if self.evidence and not bad:
            raise BadInput("nothing says what to look for in it", "--evidence", "give --package or --advisory")

    def read(self, parts: Rotator) -> Alarm:
        """Read everything whole before anything is done with any of it. Raises BadInput for the first that is bad."""
        from rotator.alarm.alarm import of_packages, of_reports  # noqa: PLC0415

        exposures = [each for name in self.files for each in _reported(name)]
        named = [Path(each).name for each in self.files]
        if not self.evidence:
            return of_reports(parts, exposures, named)
        return of_packages(parts, list(self._advisories(parts)), _opened(self.evidence), exposures, named)

    def _advisories(self, parts: Rotator) -> Iterator[LookedUp]:
        from rotator.alarm.kept_advisories import kept  # noqa: PLC0415
        from rotator.alarm.looking_up import LookedUp, is_id, looked_up  # noqa: PLC0415
        from rotator.packages import advisory  # noqa: PLC0415

        for text in self.packages:
            yield LookedUp(advisory.spec(text))
        for name in self.advisories:
            if is_id(name) and not Path(name).exists():
                yield looked_up(parts.settings.advisories.url, name, kept(parts))
                continue
            with _file(name, "give an advisory's file") as stream:
                yield from map(LookedUp, advisory.read(name, stream))


def _reported(name: str) -> list[Exposure]:
    from rotator.intake.reading import read  # noqa: PLC0415

    if name == "-":
        return list(read("standard input", sys.stdin.buffer))
    with _file(name, "give a report's file") as stream:
        return list(read(name, stream))


def access(alarm: Alarm, given: Sequence[str], exposed_at: float | None) -> Access | None:
    """Return how the access logs are read for the credentials that will be named, None where there are none."""
    return alarm.access(lambda: logs(given), ", ".join(given), exposed_at) if given else None


def logs(given: Sequence[str]) -> Iterator[tuple[str, BinaryIO]]:
    """Yield each file of access logs, unzipped. Raises BadInput for what cannot be read."""
    return _unzipped(_opened(given))


@contextlib.contextmanager
def _file(name: str, mend: str) -> Iterator[BinaryIO]:
    try:
        with Path(name).open("rb") as stream:
            yield stream
    except OSError as error:
        raise BadInput(f"cannot be read ({error.strerror})", name, mend) from None


def _unzipped(opened: Iterator[tuple[str, BinaryIO]]) -> Iterator[tuple[str, BinaryIO]]:
    for name, stream in opened:
        magic = stream.read(2)
        stream.seek(0)
        yield name, cast("BinaryIO", gzip.GzipFile(fileobj=stream)) if magic == b"\x1f\x8b" else stream


def _opened(folders: Sequence[str]) -> Iterator[tuple[str, BinaryIO]]:
    """Yield each file of the folders with its path from there on, in order; links are not followed out of them."""
    for given in folders:
        top = Path(given)
        if not top.exists():
            raise BadInput("there is no such folder or file", given, "give one that is there")
        inside = sorted(each for each in top.rglob("*") if each.is_file() and not each.is_symlink())
        for path in inside if top.is_dir() else [top]:
            name = str(Path(top.resolve().name) / path.relative_to(top)) if top.is_dir() else given
            with _file(str(path), "let it be read, or take it out of the folder") as stream:
                yield name, stream

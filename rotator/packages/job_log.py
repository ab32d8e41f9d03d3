"""Read the log of a CI job: GitHub's, GitLab's or Buildkite's with its times, or any installer's output that was kept.

GitHub's runner names the job, the repository and, on a machine of one's own, that machine in the log's first lines;
hosted ones are called "GitHub Actions N". `gh run view --log` puts the job's and the step's names before each line.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Final

from rotator.flow.site import SiteKind
from rotator.intake.report import Report
from rotator.packages.advisory import moment
from rotator.packages.component import About, Component, Parts
from rotator.packages.log_blocks import Blocks
from rotator.packages.log_lines import read, tells
from rotator.packages.log_prefix import bare
from rotator.packages.place import made, of_folder

DESCRIPTION = "CI job logs"

_TIME = r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d))"
_STAMPED = re.compile(rf"(?:([^\t\n]{{1,200}})\t[^\t\n]{{0,200}}\t\ufeff?)?\ufeff?\[?{_TIME}\]? ?(?:\d\d[OE][ +])?")
_PAINT = re.compile(r"\x1b\[[0-9;?]{0,20}[A-Za-z]|\x1b\(B")
_BUILDKITE = re.compile(r"\x1b_bk;t=(\d{13})\x07")
_INSTALLER = re.compile(
    r"Successfully installed |Requirement already satisfied: |Collecting |Looking in indexes: |Resolved \d+ package|"
    r"Installing dependencies from lock file|added \d+ packages?|yarn (?:install|add|list) v|##\[group\]|"
    r"Audited \d+ package|Package\s+Version\b|# packages in environment at |Progress: resolved \d|Packages: [+-]\d|"
    r"Lockfile is up to date|➤ YN\d{4}: |## Package Plan ##|Collecting package metadata|"
    r"The following (?:NEW )?packages will be |\{\"time\":\d+,.{0,300}\"name\":\"pnpm"
)
_HEADER = re.compile(r"(Complete job name|Syncing repository|Runner name|Machine name): '?([^'\n]{1,200})'?\s*$")
_LONGEST: Final = 20_000
"""Characters of a line that are looked at: programs write longer ones, installers only this one."""
_ALL: Final = "Successfully installed "


def claims(report: Report) -> bool:
    """Tell whether its name, its lines' times or an installer's words make it a log."""
    name = report.name.lower()
    site = of_folder(name)
    if name.endswith(".log") or (site is not None and site.kind is SiteKind.JOB and name.endswith(".txt")):
        return True
    return any(_STAMPED.match(each) or _INSTALLER.match(bare(_PAINT.sub("", each))) for each in report.head.lines)


def components(report: Report) -> Parts:
    """Yield each package that an installer names, and what the log tells of its job."""
    header: dict[str, str] = {}
    blocks = Blocks()
    first, last = "", ""
    for number, line in report.lines():
        text, at = (line if _ALL in line[:_LONGEST] else line[:_LONGEST]).rstrip(), ""
        if "\x1b_bk;" in text:
            at = _of_buildkite(text)
            first, last = first or at, at or last
            text = _BUILDKITE.sub("", text)
        if stamp := _STAMPED.match(text):
            at, text = stamp[2], text[stamp.end() :]
            first, last = first or at, at
            if stamp[1]:
                header.setdefault("Complete job name", stamp[1])
        if "\x1b" in text:
            text = _PAINT.sub("", text)
        text = bare(text)
        if found := _HEADER.match(text):
            header.setdefault(found[1], found[2].strip())
        told = blocks.read(text)
        if told is None and tells(text):
            told = read(text)
        for of, version, sure, came in told or ():
            when = _time(at)
            yield Component(of, version, sure, number, came=when if came else None, seen=None if came else when)
    yield _about(header, _time(first), _time(last))


def _of_buildkite(text: str) -> str:
    """Return the time that Buildkite's agent puts before a line, in milliseconds since 1970; "" where it is none."""
    stamp = _BUILDKITE.search(text)
    return "" if stamp is None else datetime.fromtimestamp(int(stamp[1]) / 1000, UTC).isoformat()


def _about(header: dict[str, str], first: datetime | None, last: datetime | None) -> About:
    repository, job = header.get("Syncing repository"), header.get("Complete job name")
    machine = header.get("Machine name") if not header.get("Runner name", "").startswith("GitHub Actions") else None
    return About(
        site=made(SiteKind.JOB, f"{repository}/{job}") if repository and job else None,
        made=first,
        ended=last,
        runner=made(SiteKind.HOST, machine) if machine and "Runner name" in header else None,
    )


def _time(stamp: str) -> datetime | None:
    """Return the time, with the six digits of a second at most that Python reads; GitHub writes seven."""
    return moment(re.sub(r"(\.\d{6})\d+", r"\1", stamp))

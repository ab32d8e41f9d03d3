"""Read what npm, pnpm and Yarn list as text: `npm ls`, `pnpm ls`, `pnpm why`, `yarn list`, `yarn why`, `yarn info`.

npm and pnpm look at what lies in node_modules, Yarn at its lock alone. Each line is read as in the log of a job.
"""

from __future__ import annotations

import re

from rotator.intake.report import Report
from rotator.packages import job_log
from rotator.packages.component import Component, Parts

DESCRIPTION = "npm ls, pnpm ls and yarn list as text"

_BEGINS = re.compile(
    r"Legend: production dependency|yarn (?:list|why) v\d"
    r"|(?:[├└]─ |\{\"value\":\")@?[^@\s\"]{1,300}@(?:npm|workspace|patch):"
)
_ROOT = re.compile(r"@?[^@\s]{1,300}@\d\S{0,200}(?: \S.{0,1000})?$")
_STORE = re.compile(r"(?:/|[A-Za-z]:)\S{0,1000}[/\\]node_modules[/\\]\.pnpm[/\\]")
_TREE = ("├─", "└─", "+--", "`--", "│")


def claims(report: Report) -> bool:
    """Tell whether it begins as such a list; a log may begin with one, and goes on."""
    lines = report.head.lines
    if report.name.lower().endswith(".log"):
        return False
    is_tree = len(lines) > 1 and _ROOT.match(lines[0]) is not None and lines[1].startswith(_TREE)
    is_paths = all(map(_STORE.match, lines[1:3])) and len(lines) > 1
    return is_tree or is_paths or _BEGINS.match(report.head.first_line) is not None


def components(report: Report) -> Parts:
    """Yield each package that is listed. Raises BadInput where none is."""
    is_empty = True
    for each in job_log.components(report):
        is_empty = is_empty and not isinstance(each, Component)
        yield each
    if is_empty:
        raise report.bad("it lists no package that could be read", mend="give the lock file, or list as JSON")

"""Show where bad packages were and how sure that is, on a terminal and to programs."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from rich.console import Group, RenderableType
from rich.text import Text

from rotator.packages.matching import Findings, Hit
from rotator.report.tables import plain_table, words

_ROWS = 40
_UNREAD = 5


def evidence_rows(found: Findings) -> dict[str, Any]:
    """Return what the evidence says, for programs."""
    return {
        "files": found.files,
        "components": found.components,
        "hits": [
            {
                "site": str(each.site),
                "package": each.package,
                "version": each.version,
                "ecosystem": each.ecosystem,
                "sureness": each.sureness,
                "since": _iso(each.since),
                "until": _iso(each.until),
                "where": _where(each),
                "advisory": each.advisory_id,
                "why": each.why,
            }
            for each in found.hits
        ],
        "unread": [{"path": each.path, "why": each.why} for each in found.unread],
        "notes": list(found.notes),
    }


def evidence_table(found: Findings) -> RenderableType:
    """Return the table of where it was, the surest first, and what was not read."""
    sites = len({each.site for each in found.hits})
    at = f"{sites:,} site{'s' * (sites != 1)}"
    title = f"Bad packages: at {at}, by {found.files:,} files with {found.components:,} components"
    table = plain_table(title, "site", "package", "how sure", "since", "evidence")
    for each in found.hits[:_ROWS]:
        of = f"{each.package} {each.version}"
        since = _iso(each.since) or "not known"
        table.add_row(words(str(each.site)), words(of), str(each.sureness), since, words(_where(each)))
    left = len(found.hits) - _ROWS
    lines = [f"… and {left:,} more (-o json has them all)"] if left > 0 else []
    return Group(table, *(Text(each) for each in (*lines, *_unread(found), *found.notes)))


def _unread(found: Findings) -> Sequence[str]:
    left = len(found.unread) - _UNREAD
    more = [f"not read: {left:,} files more (-o json names them)"] if left > 0 else []
    return [*map(str, found.unread[:_UNREAD]), *more]


def _where(hit: Hit) -> str:
    return f"{hit.path}:{hit.line}" if hit.line is not None else hit.path


def _iso(at: datetime | None) -> str | None:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ") if at is not None else None

"""The decision memo of all touched vendors as a file: one page of HTML, the same as PDF, Markdown, or data."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from rotator import __version__
from rotator.report.html_form import template
from rotator.report.vendor_memo import many
from rotator.report.vendor_memo_forms import JUDGED, MemoForm, clock, in_form, listed, safe, table
from rotator.report.vendors_memo import LISTED, rest

_COLUMNS = {
    "Vendor": "vendor",
    "Recommended": "advised",
    "Priority": "formula",
    "Why": "why",
    "Hours": "hours",
    "Users": "user_impact",
    "To change": "cost_of_change",
}


def written(memo: Mapping[str, Any], form: MemoForm) -> Iterator[bytes]:
    """Return a memo as a file. Raises BadInput where PDF cannot be made here."""
    return in_form(memo, form, html, markdown)


def html(memo: Mapping[str, Any]) -> str:
    """Return it as one HTML file, with no script and nothing from elsewhere."""
    rows, columns = _rows(memo), _COLUMNS
    page = template("vendors_memo.html")
    behind, takes = rest(memo["vendors"]), _takes(memo)
    return page.render(memo=memo, rows=rows, columns=columns, rest=behind, takes=takes, version=__version__, style="")


def markdown(memo: Mapping[str, Any]) -> str:
    """Return it as Markdown in which no word of others is a mark."""
    made = f"Made {clock(memo['made_at'])} by {safe(memo['made_by'])} with rotator {__version__}. {JUDGED}"
    lines = [
        f"# {memo['question']}",
        made,
        listed(memo["recommended"]),
        safe(_takes(memo)),
        f"Who decides: {safe('; '.join(memo['deciders']))}.",
        "## What happened",
        safe(". ".join(memo["happened"])),
        "## The vendors, the gravest first",
        table(tuple(_COLUMNS), _rows(memo), tuple(_COLUMNS.values())),
        *map(safe, filter(None, [rest(memo["vendors"])])),
    ]
    return "\n\n".join(lines) + "\n"


def _takes(memo: Mapping[str, Any]) -> str:
    """Say what it takes to pause all, and of how many something is not known."""
    found = memo["totals"]
    people = f"about {found['effort_h']:g} hours of people, {many(found['tasks'], 'task')} that no machine does"
    told = [f"To pause all that are not paused: {people}."]
    told += [f"Paused already: {found['paused']:,}."] if found["paused"] else []
    told += [f"Of {found['unknown']:,} something is not known: the memo of each says what."] if found["unknown"] else []
    return " ".join(told)


def _rows(memo: Mapping[str, Any]) -> list[dict[str, str]]:
    return [
        {
            **each,
            "hours": f"{each['effort_h']:g}",
            "advised": f"paused in {each['paused']}" if each["paused"] else each["advice"],
            "why": f"{each['why']}; {each['worst']}",
        }
        for each in memo["vendors"][:LISTED]
    ]
